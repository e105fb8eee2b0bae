"""GraphQL types of registrations: time, expenses and trips."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import RegistrationFinancialRow, RegistrationRow
from db.tables import (
    ExpenseFields,
    MileageFields,
    RateSource,
    RegistrationFields,
    RegistrationKind,
    RegistrationStatus,
    StatusFields,
    TimeFields,
    TripType,
)
from domain import projects
from domain.clients import reads as clients
from domain.invoicing import vat_rates
from domain.organization import members
from domain.registrations import rules as registrations
from domain.registrations.rates import RegistrationWarning, warnings
from domain.registrations.status import CHANGEABLE
from resolvers.enums import describe_enum
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import FINANCE_READ_OPTIONS, REFERENCE_OPTIONS, FieldOptions, relation
from schema.core.money import Money, read_money
from schema.core.references import ClientReference
from schema.core.row_type import DESCRIBED_BY, Node, attribute, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.labels import Label
from schema.members import Member
from schema.vat_rates import VatRate

if TYPE_CHECKING:
    from schema.projects import Project

describe_enum(
    RateSource,
    "Origin of the rate of a registration.",
    CLIENT="Default rate of the client.",
    PROJECT="Hourly rate of the project.",
    EXPLICIT="Rate that was given for the registration itself.",
    NONE="No rate: the amount is 0.",
)
describe_enum(
    RegistrationWarning,
    "Warning about the amounts of a registration.",
    NO_RATE="The registration is billable by the hour or the kilometre, but neither the client nor the project has a rate.",
)


def _if_kind(kind: RegistrationKind) -> Callable[[RegistrationRow], RegistrationRow | None]:
    """Return a function that returns the row if it has this kind, else None. The fields of each kind are columns of the same row."""
    return lambda row: row if row.kind == kind else None


def _is_editable(row: RegistrationRow) -> bool:
    return row.status in CHANGEABLE and not row.is_archived


@row_type(RegistrationRow, fields=TimeFields, description="Time worked.")
class RegistrationTime:
    minutes: int = computed_field(attrgetter("minutes"), "Minutes. Defaults to whole minutes from `startedAt` to `endedAt`.")
    started_at: datetime | None = attribute("Start time.")
    ended_at: datetime | None = attribute("End time, later than the start.")


@row_type(RegistrationRow, fields=ExpenseFields, description="An expense for the client.")
class RegistrationExpense:
    quantity: Decimal = computed_field(attrgetter("quantity"), "Number of units.")


@row_type(RegistrationRow, fields=MileageFields, description="A trip.")
class RegistrationMileage:
    distance_km: Decimal = computed_field(attrgetter("distance_km"), "Distance in kilometres.")
    departure: str | None = attribute("Place of departure.")
    destination: str | None = attribute("Destination.")
    trip_type: TripType | None = attribute("Purpose of the trip.")


@row_type(
    RegistrationFinancialRow,
    description="Amounts of a registration, excluding VAT. They stay the same when the rates of the client or the project change.",
)
class RegistrationFinancial:
    currency: CurrencyCode = attribute("Currency of the client at the time when the rate was set.")
    rate: Money = computed_field(read_money("unit_rate"), "Price of an hour, a unit or a kilometre.")
    rate_source: RateSource = attribute("Origin of the rate.")
    unit_price: Money | None = computed_field(read_money("unit_price"), "Price per unit of an expense. Null for other kinds.")
    amount: Money = computed_field(read_money("amount_net"), "Amount, rounded half up to two decimals.")
    vat_rate: VatRate | None = relation(
        vat_rates.by_id, "VAT rate of an expense. Null if it has none, and for other kinds.", key="vat_rate_id"
    )
    warnings: list[RegistrationWarning] = computed_field(warnings, "Warnings about these amounts.")


@row_type(RegistrationRow, fields=RegistrationFields, description="Time, an expense or a trip that was registered for a client.")
class Registration(Node):
    kind: RegistrationKind = attribute("Kind of registration.")
    registered_on: date = attribute("Day of the work, the expense or the trip.")
    is_billable: bool = attribute("Whether the client is charged for it.")
    status: RegistrationStatus = attribute("Status within the organization.")
    client_status: RegistrationStatus = attribute("Approval by the client: `OPEN`, `PENDING`, `APPROVED` or `REJECTED`.")
    note: str | None = attribute("Description of the work, the expense or the trip.")
    time: RegistrationTime | None = computed_field(_if_kind(RegistrationKind.TIME), "Time worked. Null for other kinds.")
    expense: RegistrationExpense | None = computed_field(_if_kind(RegistrationKind.EXPENSE), "Expense. Null for other kinds.")
    mileage: RegistrationMileage | None = computed_field(_if_kind(RegistrationKind.MILEAGE), "Trip. Null for other kinds.")
    is_editable: bool = computed_field(
        _is_editable,
        "Whether the registration can change: its `status` is `OPEN`, `PENDING` or `REJECTED`, and neither its client nor its "
        "project is archived.",
    )
    created_at: datetime = attribute("Time of creation.")
    updated_at: datetime = attribute("Time of the last change.")
    version: int = attribute("Version number, incremented by every change.")
    client: ClientReference | None = relation(clients.by_id, "Client of the registration.", key="client_id", options=REFERENCE_OPTIONS)
    project: Annotated["Project", strawberry.lazy("schema.projects")] | None = relation(
        projects.by_id, "Project of the registration. Null if there is none.", key="project_id"
    )
    member: Member | None = relation(members.by_id, "Member who did the work.", key="member_id", options=REFERENCE_OPTIONS)
    labels: list[Label] | None = relation(registrations.labels, "Labels, sorted by name.", options=FieldOptions(size=10))
    financial: RegistrationFinancial | None = relation(registrations.financial, "Amounts, excluding VAT.", options=FINANCE_READ_OPTIONS)


DESCRIBED_BY[StatusFields] = Registration


@strawberry.type(description="A page of the registrations of the organization, newest day first.")
class RegistrationConnection(Connection[Registration]):
    total_count: int | None = declare_total_count(registrations.counts, cost=450)


@strawberry.type(description="A page of the registrations for a client, newest day first.")
class ClientRegistrationConnection(Connection[Registration]):
    total_count: int | None = declare_total_count(registrations.counts)


@strawberry.type(description="A page of the registrations on a project, newest day first.")
class ProjectRegistrationConnection(Connection[Registration]):
    total_count: int | None = declare_total_count(registrations.counts)
