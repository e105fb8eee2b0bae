"""Inputs of clients, and the resolvers of their fields."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import strawberry

from db.rows import ClientRow
from domain.clients import reads as clients
from domain.clients.reads import Filter, Sort, Sorting
from domain.core.errors import BadInput
from domain.core.idempotency import Outcome
from domain.core.pagination import Page, PageRequest
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.pagination import After, Before, First, Last, OrderDirection


class ClientStatus(StrEnum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    ALL = "ALL"


ARCHIVED_BY_STATUS = {ClientStatus.ACTIVE: False, ClientStatus.ARCHIVED: True, ClientStatus.ALL: None}
describe_enum(
    ClientStatus,
    "Which clients by their state.",
    ACTIVE="Those that are not archived.",
    ARCHIVED="Those that are archived.",
    ALL="Both.",
)
describe_enum(
    Sort,
    "What clients are put in order by.",
    name="ClientOrderField",
    NAME="Name, without regard to capitals and accents.",
    NUMBER="Number, as text; clients without one come after those with one.",
    CREATED_AT="When they were made.",
    UPDATED_AT="When they were last changed.",
)


@strawberry.input(description="Labels that a client has or has not. All that is given holds.")
class LabelFilterInput:
    any: list[GlobalId] | None = strawberry.field(default=None, description="At least one of these.")
    all: list[GlobalId] | None = strawberry.field(default=None, description="Every one of these.")
    none: list[GlobalId] | None = strawberry.field(default=None, description="Not one of these.")


@strawberry.input(description="Which clients. All that is given holds.")
class ClientFilterInput:
    status: ClientStatus = strawberry.field(default=ClientStatus.ALL, description="Active, archived or all.")
    labels: LabelFilterInput | None = strawberry.field(default=None, description="By label.")
    has_invoice_contact: bool | None = strawberry.field(default=None, description="With, or without, a contact for its invoices.")
    country: str | None = strawberry.field(
        default=None, description="Country of the primary address, of ISO 3166-1, as `NL`. Rejected unless it exists."
    )
    kvk_number: str | None = strawberry.field(default=None, description="Number in the Dutch register. Several clients may share one.")
    vat_number: str | None = strawberry.field(default=None, description="VAT number with its country. Several clients may share one.")
    updated_since: datetime | None = strawberry.field(default=None, description="Made or changed at this moment or later.")


@strawberry.input(description="An order of clients. Equal ones are in order of their making.")
class ClientOrderInput:
    field: Sort = strawberry.field(description="What to sort by. Clients without a number come after those with one.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@strawberry.input(one_of=True, description="One client, by what is known of it.")
class ClientLookupInput:
    id: strawberry.Maybe[GlobalId] = strawberry.field(description="Its id.")
    number: strawberry.Maybe[str] = strawberry.field(
        description="Its number. Capitals, full width and invisible characters make no difference."
    )


ClientFilterArgument = Annotated[ClientFilterInput | None, strawberry.argument(description="Which clients; all unless given.")]
SEARCH_DESCRIPTION = "Found within the name, without regard to capitals and accents, or within the number."
ClientSearch = Annotated[str | None, strawberry.argument(description=SEARCH_DESCRIPTION)]
OrderByArgument = Annotated[ClientOrderInput | None, strawberry.argument(description="In which order; by name unless given.")]
LookupArgument = Annotated[ClientLookupInput, strawberry.argument(description="The id or the number.")]


async def page(
    info: Info,
    filter: ClientFilterArgument = None,
    search: ClientSearch = None,
    order_by: OrderByArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[ClientRow]:
    order = order_by or ClientOrderInput(field=Sort.NAME)
    sorting = Sorting(order.field, order.direction is OrderDirection.ASC)
    return await clients.page(info.context.read_scope(), build_filter(filter, search), sorting, PageRequest(first, after, last, before))


async def find_one(info: Info, by: LookupArgument) -> ClientRow | None:
    if by.number is not None:
        return await clients.by_number(info.context.read_scope(), by.number.value)
    key = by.id.value.key_of_type("Client") if by.id is not None else None
    return await info.context.loaders.of(clients.by_id).load(key) if key else None


async def load_changed(info: Info, root: strawberry.Parent[Outcome[list[UUID]]]) -> list[ClientRow | None] | None:
    return None if root.value is None else await info.context.loaders.of(clients.by_id).load_many(root.value)


def build_filter(filter: ClientFilterInput | None, search: str | None) -> Filter:
    filter_input = filter or ClientFilterInput()
    label_filter = filter_input.labels or LabelFilterInput()
    return Filter(
        search=search,
        is_archived=ARCHIVED_BY_STATUS[filter_input.status],
        labels_any=_label_ids(label_filter.any),
        labels_all=_label_ids(label_filter.all),
        labels_none=_label_ids(label_filter.none),
        has_invoice_contact=filter_input.has_invoice_contact,
        country=filter_input.country,
        kvk_number=filter_input.kvk_number,
        vat_number=filter_input.vat_number,
        updated_since=filter_input.updated_since,
    )


def _label_ids(global_ids: Sequence[GlobalId] | None) -> tuple[UUID, ...] | None:
    """Return each id once: a repeated label is no second label to have."""
    if global_ids is None:
        return None
    keys = [label.key_of_type("Label") for label in global_ids]
    if None in keys:
        raise BadInput("`labels` takes ids of labels.")
    return tuple(dict.fromkeys(key for key in keys if key))
