"""Projects."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import ProjectFinancialRow, ProjectRow
from db.tables import InvoiceMethod, ProjectFields, ProjectFinancialFields
from domain import projects
from domain.clients import reads as clients
from domain.core import money
from domain.registrations import rules as registrations
from domain.registrations.rates import hourly_rate
from resolvers.registrations import select_registrations
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import FINANCE_READ_OPTIONS, relation
from schema.core.money import Money, read_money
from schema.core.row_type import Node, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.registrations import ProjectRegistrationConnection

if TYPE_CHECKING:
    from schema.clients import Client


def _effective_hourly_rate(row: ProjectFinancialRow) -> money.Money | None:
    rate, _ = hourly_rate(row.invoice_method, row.hourly_rate, row.client_hourly_rate)
    return None if rate is None else money.Money(rate, row.currency)


@row_type(
    ProjectFinancialRow,
    fields=ProjectFinancialFields,
    description="The prices of a project. With another method than its own a price is kept, and not used.",
)
class ProjectFinancialSettings:
    currency: CurrencyCode = strawberry.field(description="Currency: the client's.")
    hourly_rate: Money | None = computed_field(
        read_money("hourly_rate"), description="Price of an hour with the method PROJECT_HOURLY; without it, the client's."
    )
    fixed_price: Money | None = computed_field(read_money("fixed_price"), description="Price of the whole with the method PROJECT_FIXED.")
    effective_hourly_rate: Money | None = computed_field(
        _effective_hourly_rate,
        description="What an hour costs now: its own price or the client's, by the method; null where hours have no price.",
    )


@row_type(ProjectRow, fields=ProjectFields, description="Work for a client.")
class Project(Node):
    client: Annotated["Client", strawberry.lazy("schema.clients")] | None = relation(
        clients.by_id, key="client_id", description="The client, which is always the same."
    )
    name: str = strawberry.field(description="Name.")
    code: str | None = strawberry.field(description="Code.")
    starts_on: date | None = strawberry.field(description="First day.")
    ends_on: date | None = strawberry.field(description="Last day, not before the first.")
    invoice_method: InvoiceMethod = strawberry.field(description="Where its price comes from.")
    invoice_reference: str | None = strawberry.field(description="What its invoices refer to.")
    archived_at: datetime | None = strawberry.field(description="Since when it is archived; null while it is active.")
    is_archived: bool = computed_field(lambda row: row.archived_at is not None, description="Whether it is archived.")
    is_archived_with_client: bool = computed_field(
        lambda row: row.archived_at is not None and row.archive_operation_id is not None,
        description="Whether it was archived along with its client, and comes back with it.",
    )
    created_at: datetime = strawberry.field(description="When the project was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")
    financial: ProjectFinancialSettings | None = relation(projects.financial, description="Its prices.", options=FINANCE_READ_OPTIONS)
    registrations: ProjectRegistrationConnection | None = relation(
        registrations.of_projects, select_registrations, description="What was registered on it, the newest first."
    )


@strawberry.type(description="Projects of a client, the newest first.")
class ProjectConnection(Connection[Project]):
    total_count: int | None = declare_total_count(projects.counts_of_clients)
