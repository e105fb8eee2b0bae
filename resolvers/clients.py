"""Inputs and resolvers of the queries for clients."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from db.rows import ClientRow
from db.tables import ClientFields
from domain.clients import reads as clients
from domain.clients.reads import MAX_FILTER_LABELS, Filter, Sort, Sorting
from domain.core.errors import BadInput
from domain.core.idempotency import Outcome
from domain.core.lookups import MAX_SEARCH_LENGTH
from domain.core.pagination import Page, PageRequest
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.limits import limit_hint
from resolvers.pagination import After, Before, First, Last, OrderDirection


class ClientStatus(StrEnum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    ALL = "ALL"


ARCHIVED_BY_STATUS = {ClientStatus.ACTIVE: False, ClientStatus.ARCHIVED: True, ClientStatus.ALL: None}
describe_enum(ClientStatus, "Clients to select.", ACTIVE="Active clients.", ARCHIVED="Archived clients.", ALL="All clients.")
describe_enum(
    Sort,
    "Field to sort clients by.",
    name="ClientOrderField",
    NAME="Name; case and accents are ignored.",
    NUMBER="Number, compared as text. In ascending order, clients without a number come last.",
    CREATED_AT="Time of creation.",
    UPDATED_AT="Time of the last change.",
)


MAX_LABELS_HINT = f"at most {MAX_FILTER_LABELS}."


@strawberry.input(description="Filter by labels. All given criteria must match; an omitted one matches every client.")
class LabelFilterInput:
    any: list[GlobalId] | None = strawberry.field(
        default=None, description=f"Ids of labels of which the clients have at least one, {MAX_LABELS_HINT}"
    )
    all: list[GlobalId] | None = strawberry.field(default=None, description=f"Ids of labels that the clients all have, {MAX_LABELS_HINT}")
    none: list[GlobalId] | None = strawberry.field(
        default=None, description=f"Ids of labels of which the clients have none, {MAX_LABELS_HINT}"
    )


@strawberry.input(description="Filter for clients. All given criteria must match; an omitted one matches every client.")
class ClientFilterInput:
    status: ClientStatus = strawberry.field(default=ClientStatus.ALL, description="Active, archived or all clients.")
    labels: LabelFilterInput | None = strawberry.field(default=None, description="Labels of the clients.")
    has_invoice_contact: bool | None = strawberry.field(default=None, description="Whether a contact receives the client's invoices.")
    country: str | None = strawberry.field(default=None, description="Country code (ISO 3166-1 alpha-2) of the primary address.")
    kvk_number: str | None = strawberry.field(default=None, description="Number in the Dutch business register (KVK), 8 digits.")
    vat_number: str | None = strawberry.field(
        default=None, description="VAT number with its country prefix." + limit_hint(ClientFields, "vat_number")
    )
    updated_since: datetime | None = strawberry.field(default=None, description="Earliest time of creation or last change.")


@strawberry.input(description="Sort order of clients. Clients with equal values are sorted by time of creation.")
class ClientOrderInput:
    field: Sort = strawberry.field(description="Field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Sort direction.")


@strawberry.input(one_of=True, description="Id or number of a client.")
class ClientLookupInput:
    id: strawberry.Maybe[GlobalId] = strawberry.field(description="Id of the client.")
    number: strawberry.Maybe[str] = strawberry.field(
        description="Number of the client. Case, width and invisible characters are ignored." + limit_hint(ClientFields, "number")
    )


ClientFilterArgument = Annotated[ClientFilterInput | None, strawberry.argument(description="Filter; all clients if omitted.")]
SEARCH_DESCRIPTION = (
    f"Text within the name or the number, at most {MAX_SEARCH_LENGTH} characters. Case is ignored, and so are accents in names. "
    "If omitted, every client matches."
)
ClientSearch = Annotated[str | None, strawberry.argument(description=SEARCH_DESCRIPTION)]
OrderByArgument = Annotated[ClientOrderInput | None, strawberry.argument(description="Sort order; by name if omitted.")]
LookupArgument = Annotated[ClientLookupInput, strawberry.argument(description="Id or number of the client.")]


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


async def load_changed(info: Info, root: strawberry.Parent[Outcome[list[UUID]]]) -> list[ClientRow] | None:
    """Return the clients that the mutation changed, or None if it was rejected.

    Leave out clients that were deleted since: another request may do so before the payload is read, or before the mutation is repeated.
    """
    if root.value is None:
        return None
    rows = await info.context.loaders.of(clients.by_id).load_many(root.value)
    return [row for row in rows if row is not None]


LabelIds: TypeAlias = tuple[UUID, ...] | None


def build_filter(
    filter: ClientFilterInput | None, search: str | None, to_label_ids: Callable[[Sequence[GlobalId] | None], LabelIds] | None = None
) -> Filter:
    """Build the filter. `to_label_ids` converts the ids of labels; by default it rejects ids of other types."""
    convert = to_label_ids or _label_ids
    filter_input = filter or ClientFilterInput()
    label_filter = filter_input.labels or LabelFilterInput()
    return Filter(
        search=search,
        is_archived=ARCHIVED_BY_STATUS[filter_input.status],
        labels_any=convert(label_filter.any),
        labels_all=convert(label_filter.all),
        labels_none=convert(label_filter.none),
        has_invoice_contact=filter_input.has_invoice_contact,
        country=filter_input.country,
        kvk_number=filter_input.kvk_number,
        vat_number=filter_input.vat_number,
        updated_since=filter_input.updated_since,
    )


def _label_ids(global_ids: Sequence[GlobalId] | None) -> LabelIds:
    """Return each id once, so that a repeated label does not count as two.

    Raises `BadInput` if an id is not that of a label.
    """
    if global_ids is None:
        return None
    keys = [label.key_of_type("Label") for label in global_ids]
    if None in keys:
        raise BadInput("`labels` takes only ids of labels. Send the `id` of each label.")
    return tuple(dict.fromkeys(key for key in keys if key))
