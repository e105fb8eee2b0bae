"""Inputs and resolvers of registrations."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry

from db.rows import RegistrationRow
from db.tables import (
    ExpenseFields,
    MileageFields,
    RegistrationFields,
    RegistrationKind,
    RegistrationStatus,
    StatusFields,
    TimeFields,
    TripType,
)
from domain.core.pagination import Page, PageRequest
from domain.core.scope import WriteScope
from domain.registrations import rules as registrations
from domain.registrations.rules import RegistrationFilter, RegistrationForm
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import (
    VERSION_DESCRIPTION,
    input_of,
    input_values,
    linked_ids,
    patch_of,
    patch_values,
    present_lists,
    present_values,
    to_uuid,
    to_uuids,
)
from resolvers.pagination import After, Before, First, Last
from resolvers.periods import PeriodInput, to_period

describe_enum(
    RegistrationKind, "What is registered.", TIME="Time that was worked.", EXPENSE="Something that was bought.", MILEAGE="A trip."
)
describe_enum(
    RegistrationStatus,
    "How far a registration is.",
    OPEN="Registered, and to be changed as one likes.",
    PENDING="Handed in, to be approved or rejected.",
    APPROVED="Approved: it stays as it is.",
    INVOICED="On an invoice: it stays as it is.",
    WRITTEN_OFF="It will not be invoiced.",
    REJECTED="Not approved: to be put right.",
)
describe_enum(TripType, "What a trip was for.", PRIVATE="A private one.", BUSINESS="For work.", COMMUTE="To work and home.")
LINK_TYPES = {"client_id": "Client", "project_id": "Project", "member_id": "Member"}
EXPENSE_LINK_TYPES = {"vat_rate_id": "VatRate"}
EXPLICIT_RATE_HINT = "instead of the one that counts there. Needs FINANCE_WRITE."
PATCH_RATE_HINT = f"{EXPLICIT_RATE_HINT} Null takes the one that counts there today."
PRICE_DESCRIPTION = "Price of a piece, without VAT."
VAT_RATE_DESCRIPTION = "Its rate of VAT; without one the client's, or else the organization's."


@strawberry.input(description="Which registrations. All that is given holds.")
class RegistrationFilterInput:
    kind: RegistrationKind | None = strawberry.field(default=None, description="Of this kind.")
    status: RegistrationStatus | None = strawberry.field(default=None, description="As far as this.")
    is_billable: bool | None = strawberry.field(default=None, description="To be paid by the client, or not.")
    period: PeriodInput | None = strawberry.field(default=None, description="Of these days.")
    member_id: GlobalId | None = strawberry.field(default=None, description="Of this member.")


RegistrationFilterArgument = Annotated[
    RegistrationFilterInput | None, strawberry.argument(description="Which registrations; all unless given.")
]
IdArgument = Annotated[GlobalId, strawberry.argument(description="Its id.")]


def build_filter(filter: RegistrationFilterInput | None) -> RegistrationFilter:
    filter_input = filter or RegistrationFilterInput()
    period, member = to_period(filter_input.period), filter_input.member_id
    return RegistrationFilter(
        filter_input.kind,
        filter_input.status,
        filter_input.is_billable,
        period.since,
        period.until,
        to_uuid(member, "Member") if member else None,
    )


async def page(
    info: Info,
    filter: RegistrationFilterArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[RegistrationRow]:
    return await registrations.page(info.context.read_scope(), build_filter(filter), PageRequest(first, after, last, before))


async def find_one(info: Info, id: IdArgument) -> RegistrationRow | None:
    return await info.context.loaders.of(registrations.by_id).load(to_uuid(id, "Registration"))


def select_registrations(
    filter: RegistrationFilterArgument = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Mapping[str, object]:
    """Convert the arguments of registrations as a relation."""
    return {"criteria": build_filter(filter), "page_request": PageRequest(first, after, last, before)}


@input_of(TimeFields, description="Time that was worked: its minutes, or from when to when.")
class RegistrationTimeInput:
    rate: Decimal | None = strawberry.field(default=None, description=f"Price of an hour, {EXPLICIT_RATE_HINT}")


@input_of(ExpenseFields, description="Something that was bought for the client.")
class RegistrationExpenseInput:
    unit_price: Decimal = strawberry.field(description=PRICE_DESCRIPTION)
    vat_rate_id: GlobalId | None = strawberry.field(default=None, description=VAT_RATE_DESCRIPTION)


@input_of(MileageFields, description="A trip.")
class RegistrationMileageInput:
    rate: Decimal | None = strawberry.field(default=None, description=f"Price of a kilometre, {EXPLICIT_RATE_HINT}")


@strawberry.input(one_of=True, description="What is registered.")
class RegistrationWorkInput:
    time: strawberry.Maybe[RegistrationTimeInput] = strawberry.field(description="Time.")
    expense: strawberry.Maybe[RegistrationExpenseInput] = strawberry.field(description="An expense.")
    mileage: strawberry.Maybe[RegistrationMileageInput] = strawberry.field(description="A trip.")


@patch_of(TimeFields, description="What to change of time. Another start or end makes its minutes anew, unless they are given.")
class RegistrationTimePatchInput:
    rate: strawberry.Maybe[Decimal | None] = strawberry.field(description=f"Price of an hour, {PATCH_RATE_HINT}")


@patch_of(ExpenseFields, description="What to change of an expense.")
class RegistrationExpensePatchInput:
    unit_price: strawberry.Maybe[Decimal | None] = strawberry.field(description=PRICE_DESCRIPTION)
    vat_rate_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=VAT_RATE_DESCRIPTION)


@patch_of(MileageFields, description="What to change of a trip.")
class RegistrationMileagePatchInput:
    rate: strawberry.Maybe[Decimal | None] = strawberry.field(description=f"Price of a kilometre, {PATCH_RATE_HINT}")


@strawberry.input(one_of=True, description="What to change of the work, which stays of its kind.")
class RegistrationWorkPatchInput:
    time: strawberry.Maybe[RegistrationTimePatchInput] = strawberry.field(description="Of time.")
    expense: strawberry.Maybe[RegistrationExpensePatchInput] = strawberry.field(description="Of an expense.")
    mileage: strawberry.Maybe[RegistrationMileagePatchInput] = strawberry.field(description="Of a trip.")


@input_of(RegistrationFields, description="New time, a new expense or a new trip.")
class RegistrationCreateInput:
    client_id: GlobalId | None = strawberry.field(default=None, description="For whom; the project's client unless given.")
    project_id: GlobalId | None = strawberry.field(default=None, description="On which of the client's projects.")
    member_id: GlobalId | None = strawberry.field(default=None, description="Whose work it is; one's own unless given.")
    is_billable: bool | None = strawberry.field(
        default=None, description="Whether the client pays for it: yes unless given, but on a project with the method NONE."
    )
    label_ids: list[GlobalId] = strawberry.field(default_factory=list, description="Its labels, 50 at most.")
    work: RegistrationWorkInput = strawberry.field(description="What it is.")


@patch_of(RegistrationFields, description="What to change of a registration: what is left out stays, null clears.")
class RegistrationUpdateInput:
    id: GlobalId = strawberry.field(description="The registration.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    client_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description="The client to move it to: off its project, unless given.")
    project_id: strawberry.Maybe[GlobalId | None] = strawberry.field(
        description="The project to move it to, with its client; null takes it off its project."
    )
    member_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description="Whose work it is.")
    label_ids: strawberry.Maybe[list[GlobalId] | None] = strawberry.field(description="All its labels from now on, 50 at most.")
    work: strawberry.Maybe[RegistrationWorkPatchInput] = strawberry.field(description="What to change of the work itself.")


@patch_of(StatusFields, description="How far a registration is from now on; what is left out stays.")
class RegistrationStatusUpdateInput:
    id: GlobalId = strawberry.field(description="The registration.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


@strawberry.input(description="A registration to delete.")
class RegistrationDeleteInput:
    id: GlobalId = strawberry.field(description="The registration.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


def _work_values(input: RegistrationWorkInput) -> tuple[RegistrationKind, dict[str, Any]]:
    """Return the kind and its values; a rate only if one was supplied."""
    if input.expense:
        expense = input.expense.value
        return RegistrationKind.EXPENSE, input_values(ExpenseFields, expense) | linked_ids(EXPENSE_LINK_TYPES, expense)
    if input.mileage:
        mileage = input.mileage.value
        return RegistrationKind.MILEAGE, input_values(MileageFields, mileage) | _rate_values(mileage.rate)
    time = input.time.value if input.time else RegistrationTimeInput()
    return RegistrationKind.TIME, input_values(TimeFields, time) | _rate_values(time.rate)


def _rate_values(rate: Decimal | None) -> dict[str, object]:
    return {} if rate is None else {"rate": rate}


def _work_patch(input: strawberry.Some[RegistrationWorkPatchInput] | None) -> tuple[RegistrationKind | None, dict[str, Any]]:
    """Return the kind and its changes."""
    if input is None:
        return None, {}
    if input.value.expense:
        expense = input.value.expense.value
        return RegistrationKind.EXPENSE, patch_values(ExpenseFields, expense) | linked_ids(EXPENSE_LINK_TYPES, expense)
    if input.value.mileage:
        mileage = input.value.mileage.value
        return RegistrationKind.MILEAGE, patch_values(MileageFields, mileage) | present_values({"rate": mileage.rate})
    if input.value.time:
        time = input.value.time.value
        return RegistrationKind.TIME, patch_values(TimeFields, time) | present_values({"rate": time.rate})
    return None, {}


async def create(scope: WriteScope, input: RegistrationCreateInput) -> UUID:
    general = input_values(RegistrationFields, input)
    return await registrations.create(
        scope, RegistrationForm(general, linked_ids(LINK_TYPES, input), to_uuids(input.label_ids, "Label"), *_work_values(input.work))
    )


async def update(scope: WriteScope, input: RegistrationUpdateInput) -> UUID:
    labels = present_lists(label_ids=input.label_ids).get("label_ids")
    form = RegistrationForm(
        patch_values(RegistrationFields, input),
        linked_ids(LINK_TYPES, input),
        None if labels is None else to_uuids(labels, "Label"),
        *_work_patch(input.work),
    )
    return await registrations.update(scope, to_uuid(input.id, "Registration"), form, expected_version=input.expected_version)


async def set_status(scope: WriteScope, input: RegistrationStatusUpdateInput) -> UUID:
    key = to_uuid(input.id, "Registration")
    return await registrations.set_status(scope, key, patch_values(StatusFields, input), expected_version=input.expected_version)


async def delete(scope: WriteScope, input: RegistrationDeleteInput) -> UUID:
    return await registrations.delete(scope, to_uuid(input.id, "Registration"), expected_version=input.expected_version)
