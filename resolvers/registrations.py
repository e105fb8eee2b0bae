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
    RateFields,
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
from domain.registrations.rules import MAX_LABELS, RegistrationFilter, RegistrationForm
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import (
    VERSION_DESCRIPTION,
    VersionedInput,
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
from resolvers.limits import limit_hint
from resolvers.pagination import After, Before, First, Last
from resolvers.periods import PeriodInput, to_period

describe_enum(RegistrationKind, "Kind of registration.", TIME="Time worked.", EXPENSE="An expense.", MILEAGE="A trip.")
describe_enum(
    RegistrationStatus,
    "Status of a registration.",
    OPEN="Open: it can change.",
    PENDING="Submitted for approval: it can change.",
    APPROVED="Approved: it cannot change.",
    INVOICED="On an invoice: it cannot change, and neither can its status.",
    WRITTEN_OFF="Written off, so it will not be invoiced: it cannot change.",
    REJECTED="Rejected: it can change, to be submitted again.",
)
describe_enum(TripType, "Purpose of a trip.", PRIVATE="Private.", BUSINESS="Business.", COMMUTE="Between home and work.")
LINK_TYPES = {"client_id": "Client", "project_id": "Project", "member_id": "Member"}
EXPENSE_LINK_TYPES = {"vat_rate_id": "VatRate"}
RATE_LIMITS = limit_hint(RateFields, "rate")
HOURLY_RATE_DESCRIPTION = f"Price of an hour, excluding VAT.{RATE_LIMITS} Defaults to the rate of the project or the client."
MILEAGE_RATE_DESCRIPTION = f"Price of a kilometre, excluding VAT.{RATE_LIMITS} Defaults to the rate of the client."
RATE_PERMISSION_HINT = "Requires `FINANCE_WRITE`."
PATCH_RATE_HINT = f"Null restores the default. {RATE_PERMISSION_HINT}"
PRICE_DESCRIPTION = "Price per unit, excluding VAT." + limit_hint(ExpenseFields, "unit_price")
VAT_RATE_DESCRIPTION = "Id of the VAT rate. If null, the client's VAT rate applies, or otherwise the organization's `defaultVatRate`."


@strawberry.input(description="Filter for registrations. All given criteria must match; an omitted one matches every registration.")
class RegistrationFilterInput:
    kind: RegistrationKind | None = strawberry.field(default=None, description="Kind of the registrations.")
    status: RegistrationStatus | None = strawberry.field(default=None, description="Status of the registrations.")
    is_billable: bool | None = strawberry.field(default=None, description="Whether the client is charged for them.")
    period: PeriodInput | None = strawberry.field(default=None, description="Range of `registeredOn`.")
    member_id: GlobalId | None = strawberry.field(default=None, description="Id of the member who did the work.")


RegistrationFilterArgument = Annotated[
    RegistrationFilterInput | None, strawberry.argument(description="Filter; all registrations if omitted.")
]
IdArgument = Annotated[GlobalId, strawberry.argument(description="Id of the registration.")]


def build_filter(filter: RegistrationFilterInput | None) -> RegistrationFilter:
    filter_input = filter or RegistrationFilterInput()
    period, member = to_period(filter_input.period), filter_input.member_id
    if member:
        member.require_type()
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
    key = id.key_of_type("Registration")
    return await info.context.loaders.of(registrations.by_id).load(key) if key else None


def select_registrations(
    filter: RegistrationFilterArgument = None, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Mapping[str, object]:
    """Convert the arguments of a relation to those of its batch function."""
    return {"criteria": build_filter(filter), "page_request": PageRequest(first, after, last, before)}


@input_of(TimeFields, description="Time worked: `minutes`, or both `startedAt` and `endedAt`.")
class RegistrationTimeInput:
    rate: Decimal | None = strawberry.field(default=None, description=f"{HOURLY_RATE_DESCRIPTION} {RATE_PERMISSION_HINT}")


@input_of(ExpenseFields, description="An expense for the client.")
class RegistrationExpenseInput:
    unit_price: Decimal = strawberry.field(description=PRICE_DESCRIPTION)
    vat_rate_id: GlobalId | None = strawberry.field(default=None, description=VAT_RATE_DESCRIPTION)


@input_of(MileageFields, description="A trip.")
class RegistrationMileageInput:
    rate: Decimal | None = strawberry.field(default=None, description=f"{MILEAGE_RATE_DESCRIPTION} {RATE_PERMISSION_HINT}")


@strawberry.input(one_of=True, description="What to register: time, an expense or a trip.")
class RegistrationWorkInput:
    time: strawberry.Maybe[RegistrationTimeInput] = strawberry.field(description="Time worked.")
    expense: strawberry.Maybe[RegistrationExpenseInput] = strawberry.field(description="An expense.")
    mileage: strawberry.Maybe[RegistrationMileageInput] = strawberry.field(description="A trip.")


@patch_of(
    TimeFields,
    description="Changes to time worked. Omitted fields stay unchanged, but a new start or end recomputes omitted `minutes`.",
)
class RegistrationTimePatchInput:
    rate: strawberry.Maybe[Decimal | None] = strawberry.field(description=f"{HOURLY_RATE_DESCRIPTION} {PATCH_RATE_HINT}")


@patch_of(ExpenseFields, description="Changes to an expense. Omitted fields stay unchanged.")
class RegistrationExpensePatchInput:
    unit_price: strawberry.Maybe[Decimal | None] = strawberry.field(description=PRICE_DESCRIPTION)
    vat_rate_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=VAT_RATE_DESCRIPTION)


@patch_of(MileageFields, description="Changes to a trip. Omitted fields stay unchanged; null clears a field.")
class RegistrationMileagePatchInput:
    rate: strawberry.Maybe[Decimal | None] = strawberry.field(description=f"{MILEAGE_RATE_DESCRIPTION} {PATCH_RATE_HINT}")


@strawberry.input(one_of=True, description="Changes to the time, the expense or the trip. The kind of a registration cannot change.")
class RegistrationWorkPatchInput:
    time: strawberry.Maybe[RegistrationTimePatchInput] = strawberry.field(description="Changes to time worked.")
    expense: strawberry.Maybe[RegistrationExpensePatchInput] = strawberry.field(description="Changes to an expense.")
    mileage: strawberry.Maybe[RegistrationMileagePatchInput] = strawberry.field(description="Changes to a trip.")


@input_of(RegistrationFields, description="A new registration of time, an expense or a trip.")
class RegistrationCreateInput:
    client_id: GlobalId | None = strawberry.field(default=None, description="Id of the client; the client of the project if omitted.")
    project_id: GlobalId | None = strawberry.field(default=None, description="Id of a project of the client.")
    member_id: GlobalId | None = strawberry.field(
        default=None, description="Id of the member; the caller if omitted. Required for a machine token."
    )
    is_billable: bool | None = strawberry.field(
        default=None, description="Whether the client is charged for it. Defaults to true, unless the project's `invoiceMethod` is `NONE`."
    )
    label_ids: list[GlobalId] = strawberry.field(default_factory=list, description=f"Ids of the labels, at most {MAX_LABELS}.")
    work: RegistrationWorkInput = strawberry.field(description="The time, the expense or the trip.")


@patch_of(RegistrationFields, description="Changes to a registration. Omitted fields stay unchanged; null clears a field.")
class RegistrationUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the registration.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    client_id: strawberry.Maybe[GlobalId | None] = strawberry.field(
        description="Id of the client to move to. If `projectId` is omitted, the registration leaves its project."
    )
    project_id: strawberry.Maybe[GlobalId | None] = strawberry.field(
        description="Id of the project to move to; its client becomes the client too. Null removes the project."
    )
    member_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description="Id of the member who did the work.")
    label_ids: strawberry.Maybe[list[GlobalId] | None] = strawberry.field(
        description=f"Ids of the new list of labels, at most {MAX_LABELS}."
    )
    work: strawberry.Maybe[RegistrationWorkPatchInput] = strawberry.field(description="Changes to the time, the expense or the trip.")


@patch_of(StatusFields, description="New status of a registration. Omitted fields stay unchanged.")
class RegistrationStatusUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the registration.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


@strawberry.input(description="A registration to delete.")
class RegistrationDeleteInput(VersionedInput): ...


def _work_values(input: RegistrationWorkInput) -> tuple[RegistrationKind, dict[str, Any]]:
    """Return the kind and the values of the work. They include a rate only if the input has one."""
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
    """Return the kind and the changes of the work, or no kind if the work stays unchanged."""
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
