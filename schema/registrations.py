"""Registrations of time, expenses and trips."""

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
from schema.core.fields import FINANCE_READ_OPTIONS, FieldOptions, relation
from schema.core.money import Money, read_money
from schema.core.row_type import DESCRIBED_BY, Node, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.labels import Label
from schema.members import Member
from schema.vat_rates import VatRate

if TYPE_CHECKING:
    from schema.clients import Client
    from schema.projects import Project

describe_enum(
    RateSource,
    "Whose rate counts.",
    CLIENT="The client's default.",
    PROJECT="The project's own.",
    EXPLICIT="The one that was given with it.",
    NONE="Nobody's: it comes to nothing.",
)
describe_enum(
    RegistrationWarning,
    "What is odd about the figures of a registration.",
    NO_RATE="It is to be paid by the hour or the kilometre, and neither the client nor the project has a rate.",
)


def _if_kind(kind: RegistrationKind) -> Callable[[RegistrationRow], RegistrationRow | None]:
    return lambda row: row if row.kind == kind else None


def _is_editable(row: RegistrationRow) -> bool:
    return row.status in CHANGEABLE and not row.is_archived


@row_type(RegistrationRow, fields=TimeFields, description="Time that was worked.")
class RegistrationTime:
    minutes: int = computed_field(attrgetter("minutes"), description="How long, in minutes; whole ones from start to end unless given.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")


@row_type(RegistrationRow, fields=ExpenseFields, description="Something that was bought for the client.")
class RegistrationExpense:
    quantity: Decimal = computed_field(attrgetter("quantity"), description="How many pieces.")


@row_type(RegistrationRow, fields=MileageFields, description="A trip.")
class RegistrationMileage:
    distance_km: Decimal = computed_field(attrgetter("distance_km"), description="How far, in kilometres.")
    departure: str | None = strawberry.field(description="Where it began.")
    destination: str | None = strawberry.field(description="Where it went.")
    trip_type: TripType | None = strawberry.field(description="What it was for.")


@row_type(
    RegistrationFinancialRow,
    description="The figures of a registration: they stay as they are when the rates of client and project change.",
)
class RegistrationFinancial:
    currency: CurrencyCode = strawberry.field(description="Currency: the client's when it was registered.")
    rate: Money = computed_field(read_money("unit_rate"), description="What an hour, a piece or a kilometre costs.")
    rate_source: RateSource = strawberry.field(description="Whose rate that is.")
    unit_price: Money | None = computed_field(read_money("unit_price"), description="What a piece of an expense costs, without VAT.")
    amount: Money = computed_field(read_money("amount_net"), description="What it comes to, without VAT; half a cent is rounded up.")
    vat_rate: VatRate | None = relation(vat_rates.by_id, key="vat_rate_id", description="The rate of VAT of an expense.")
    warnings: list[RegistrationWarning] = computed_field(warnings, description="What is odd about them.")


@row_type(RegistrationRow, fields=RegistrationFields, description="Time, an expense or a trip, for a client.")
class Registration(Node):
    kind: RegistrationKind = strawberry.field(description="What it is.")
    registered_on: date = strawberry.field(description="The day that it is of.")
    is_billable: bool = strawberry.field(description="Whether the client pays for it.")
    status: RegistrationStatus = strawberry.field(description="How far it is.")
    client_status: RegistrationStatus = strawberry.field(description="How far it is for the client.")
    note: str | None = strawberry.field(description="What was done.")
    time: RegistrationTime | None = computed_field(_if_kind(RegistrationKind.TIME), description="The time; null for other kinds.")
    expense: RegistrationExpense | None = computed_field(
        _if_kind(RegistrationKind.EXPENSE), description="The expense; null for other kinds."
    )
    mileage: RegistrationMileage | None = computed_field(_if_kind(RegistrationKind.MILEAGE), description="The trip; null for other kinds.")
    is_editable: bool = computed_field(
        _is_editable,
        description="Whether it can be changed: it is open, pending or rejected, and neither its client nor project is archived.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")
    client: Annotated["Client", strawberry.lazy("schema.clients")] | None = relation(
        clients.by_id, key="client_id", description="For whom it is."
    )
    project: Annotated["Project", strawberry.lazy("schema.projects")] | None = relation(
        projects.by_id, key="project_id", description="The client's project that it is on; null for none."
    )
    member: Member | None = relation(members.by_id, key="member_id", description="Whose work it is.")
    labels: list[Label] | None = relation(registrations.labels, description="Labels by name.", options=FieldOptions(size=10))
    financial: RegistrationFinancial | None = relation(registrations.financial, description="Its figures.", options=FINANCE_READ_OPTIONS)


DESCRIBED_BY[StatusFields] = Registration


@strawberry.type(description="Registrations of the organization, the newest day first.")
class RegistrationConnection(Connection[Registration]):
    total_count: int | None = declare_total_count(registrations.counts, cost=450)


@strawberry.type(description="Registrations for a client, the newest day first.")
class ClientRegistrationConnection(Connection[Registration]):
    total_count: int | None = declare_total_count(registrations.counts)


@strawberry.type(description="Registrations on a project, the newest day first.")
class ProjectRegistrationConnection(Connection[Registration]):
    total_count: int | None = declare_total_count(registrations.counts)
