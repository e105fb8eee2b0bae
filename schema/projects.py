"""Projects."""

from datetime import date, datetime

import strawberry

from db.rows import ProjectFinancialRow, ProjectRow
from db.tables.projects import InvoiceMethod
from resolvers import projects, registrations
from resolvers.words import words
from schema.connections import COUNTED, TOTAL, Connection
from schema.fields import FIGURES, by
from schema.lens import Node, lens, read
from schema.money import Money, money
from schema.registrations import RegistrationConnection
from schema.scalars import CurrencyCode

words(
    InvoiceMethod,
    "Where a project's price comes from.",
    NONE="It has none: nothing of it is invoiced.",
    CLIENT_HOURLY="Hours, at the client's rate.",
    PROJECT_HOURLY="Hours, at the project's own rate.",
    PROJECT_FIXED="One price for all of it.",
)


@lens(ProjectFinancialRow, description="The prices of a project.")
class ProjectFinancialSettings:
    currency: CurrencyCode = strawberry.field(description="Currency: the client's.")
    hourly_rate: Money | None = read(money("hourly_rate"), description="Price of an hour, with the method PROJECT_HOURLY.")
    fixed_price: Money | None = read(money("fixed_price"), description="Price of the whole, with the method PROJECT_FIXED.")


@lens(ProjectRow, description="Work for a client.")
class Project(Node):
    name: str = strawberry.field(description="Name.")
    code: str | None = strawberry.field(description="Code.")
    starts_on: date | None = strawberry.field(description="First day.")
    ends_on: date | None = strawberry.field(description="Last day.")
    invoice_method: InvoiceMethod = strawberry.field(description="Where its price comes from.")
    invoice_reference: str | None = strawberry.field(description="What its invoices refer to.")
    archived_at: datetime | None = strawberry.field(description="Since when it is archived; null while it is active.")
    is_archived: bool = read(lambda row: row.archived_at is not None, description="Whether it is archived.")
    version: int = strawberry.field(description="Grows by one with each change.")
    financial: ProjectFinancialSettings | None = by(projects.financial, description="Its prices.", terms=FIGURES)
    registrations: RegistrationConnection | None = by(registrations.of_project, description="What was registered on it, the newest first.")


@strawberry.type(description="Projects of a client, the newest first.")
class ProjectConnection(Connection[Project]):
    total_count: int | None = by(projects.total, key="chosen", description=TOTAL, terms=COUNTED)
