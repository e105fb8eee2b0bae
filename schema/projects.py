"""GraphQL types of projects."""

from datetime import date, datetime

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
from schema.core.fields import FINANCE_READ_OPTIONS, REFERENCE_OPTIONS, relation
from schema.core.money import Money, read_money
from schema.core.references import ClientReference
from schema.core.row_type import Node, attribute, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.registrations import ProjectRegistrationConnection


def _effective_hourly_rate(row: ProjectFinancialRow) -> money.Money | None:
    rate, _ = hourly_rate(row.invoice_method, row.hourly_rate, row.client_hourly_rate)
    return None if rate is None else money.Money(rate, row.currency)


@row_type(
    ProjectFinancialRow,
    fields=ProjectFinancialFields,
    description="Prices of a project. A price that the invoice method does not use is kept for later.",
)
class ProjectFinancialSettings:
    currency: CurrencyCode = attribute("Currency of the prices: that of the client.")
    hourly_rate: Money | None = computed_field(
        read_money("hourly_rate"),
        "Price of an hour, excluding VAT, for the invoice method `PROJECT_HOURLY`. Null if the client's default applies.",
    )
    fixed_price: Money | None = computed_field(
        read_money("fixed_price"), "Price of the project for the invoice method `PROJECT_FIXED`. Null if none is set."
    )
    effective_hourly_rate: Money | None = computed_field(
        _effective_hourly_rate,
        "Current price of an hour, excluding VAT: the project's or the client's, by the invoice method. Null if hours have no price.",
    )


@row_type(ProjectRow, fields=ProjectFields, description="A project for a client.")
class Project(Node):
    client: ClientReference | None = relation(
        clients.by_id, "Client of the project, which never changes.", key="client_id", options=REFERENCE_OPTIONS
    )
    name: str = attribute("Name.")
    code: str | None = attribute("Project code.")
    starts_on: date | None = attribute("First day.")
    ends_on: date | None = attribute("Last day, not before the first.")
    invoice_method: InvoiceMethod = attribute("Method by which the project is invoiced.")
    invoice_reference: str | None = attribute("Reference for the project's invoices.")
    archived_at: datetime | None = attribute("Time of archiving. Null while it is active.")
    is_archived: bool = computed_field(lambda row: row.archived_at is not None, "Whether the project is archived.")
    is_archived_with_client: bool = computed_field(
        lambda row: row.archived_at is not None and row.archive_operation_id is not None,
        "Whether the project was archived with its client, so that `clientUnarchive` restores it.",
    )
    created_at: datetime = attribute("Time of creation.")
    updated_at: datetime = attribute("Time of the last change.")
    version: int = attribute("Version number, incremented by every change.")
    financial: ProjectFinancialSettings | None = relation(projects.financial, "Prices of the project.", options=FINANCE_READ_OPTIONS)
    registrations: ProjectRegistrationConnection | None = relation(
        registrations.of_projects, "Registrations on the project, newest day first.", select_registrations
    )


@strawberry.type(description="A page of the projects of a client, newest first.")
class ProjectConnection(Connection[Project]):
    total_count: int | None = declare_total_count(projects.counts_of_clients)
