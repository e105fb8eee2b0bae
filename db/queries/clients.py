"""Queries of clients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.engine.protocols import Transaction
from db.engine.statement import Query
from db.queries.contacts import LINK_COLUMNS
from db.rows import AddressRow, ClientRow, ContactClientRow, CountRow, LabelClientRow, NumberKeyRow
from db.sql.expressions import TENANT, col, columns, enum_literal, id_in, parameter, reference, requested_ids
from db.sql.fetchers import CountFetcher, GroupFetcher, PagePerParentFetcher, RowFetcher
from db.sql.pagination import Listing, PageSlice, SortKey, count_per_parent, count_rows, in_order_of_names, page_per_parent
from db.sql.search import contains_pattern
from db.tables import AddressFields, AddressType, Client, ClientAddress, ClientContact, ClientLabel
from db.tables.base import table_of
from db.tables.clients import LAST_NUMBER_KEY
from db.tables.keys import name_key, number_key

PRIMARY = and_(
    col(ClientAddress.tenant_id) == TENANT,
    col(ClientAddress.client_id) == col(Client.id),
    col(ClientAddress.type) == enum_literal(AddressType.PRIMARY),
)
ADDRESS = {name: col(getattr(ClientAddress, name)) for name in AddressFields.model_fields}


class ClientSortField(StrEnum):
    """The field that clients are sorted by."""

    NAME = "NAME"
    NUMBER = "NUMBER"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


NUMBER = func.coalesce(col(Client.number_key), literal_column(f"'{LAST_NUMBER_KEY}'", Text()))
SORT_KEYS: dict[ClientSortField, SortKey] = {
    ClientSortField.NAME: in_order_of_names(Client),
    ClientSortField.NUMBER: SortKey(NUMBER, Text(), col(Client.id), "number_key"),
    ClientSortField.CREATED_AT: SortKey(col(Client.created_at), DateTime(timezone=True), col(Client.id), "created_at"),
    ClientSortField.UPDATED_AT: SortKey(col(Client.updated_at), DateTime(timezone=True), col(Client.id), "updated_at"),
}


@dataclass(frozen=True)
class ClientSorting:
    """The field to sort by, and the direction."""

    field: ClientSortField = ClientSortField.NAME
    is_ascending: bool = True


@dataclass(frozen=True)
class ClientFilter:
    """Criteria for clients. All criteria that are set must match. `search` is a part of the name or the number, ignoring case."""

    search: str | None = None
    is_archived: bool | None = None
    labels_any: tuple[UUID, ...] | None = None
    labels_all: tuple[UUID, ...] | None = None
    labels_none: tuple[UUID, ...] | None = None
    has_invoice_contact: bool | None = None
    country: str | None = None
    kvk_number: str | None = None
    vat_number: str | None = None
    updated_since: datetime | None = None

    @property
    def shape(self) -> tuple[str, ...]:
        """Return the names of the conditions in use. Filters with the same shape have the same SQL."""
        values = {name: getattr(self, name) for name in CONDITIONS if name in self.__dataclass_fields__}
        names = [name for name, value in values.items() if value is not None and value is not False]
        return tuple(names + [f"not_{name}" for name, value in values.items() if value is False])

    @property
    def values(self) -> dict[str, object]:
        values: dict[str, object] = {name: getattr(self, name) for name in self.shape if name in PARAMETER_FIELDS}
        if self.search is not None:
            values |= {"in_name": contains_pattern(name_key(self.search)), "in_number": contains_pattern(number_key(self.search))}
        return values


def _has_label_in(parameter_name: str) -> ColumnElement[bool]:
    """Return the condition on `client_label` that its row is of this client and has a label in the array parameter."""
    labels_of_client = and_(col(ClientLabel.tenant_id) == TENANT, col(ClientLabel.client_id) == col(Client.id))
    return and_(labels_of_client, col(ClientLabel.label_id) == func.any(parameter(parameter_name, ARRAY(Uuid()))))


def _has_all_labels() -> ColumnElement[bool]:
    count = (
        select(func.count())
        .select_from(table_of(ClientLabel))
        .where(_has_label_in("labels_all"))
        .correlate(table_of(Client))
        .scalar_subquery()
    )
    return count == func.cardinality(parameter("labels_all", ARRAY(Uuid())))


def _has_invoice_contact() -> ColumnElement[bool]:
    contacts_of_client = and_(col(ClientContact.tenant_id) == TENANT, col(ClientContact.client_id) == col(Client.id))
    return exists().where(contacts_of_client, col(ClientContact.is_invoice_contact).is_(True))


CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "search": lambda: or_(
        col(Client.name_key).like(parameter("in_name", Text())), col(Client.number_key).like(parameter("in_number", Text()))
    ),
    "is_archived": lambda: col(Client.archived_at).is_not(None),
    "not_is_archived": lambda: col(Client.archived_at).is_(None),
    "labels_any": lambda: exists().where(_has_label_in("labels_any")),
    "labels_all": _has_all_labels,
    "labels_none": lambda: ~exists().where(_has_label_in("labels_none")),
    "has_invoice_contact": _has_invoice_contact,
    "not_has_invoice_contact": lambda: ~_has_invoice_contact(),
    "country": lambda: exists().where(PRIMARY, col(ClientAddress.country) == parameter("country", Text())),
    "kvk_number": lambda: col(Client.kvk_number) == parameter("kvk_number", Text()),
    "vat_number": lambda: col(Client.vat_number) == parameter("vat_number", Text()),
    "updated_since": lambda: col(Client.updated_at) >= parameter("updated_since", DateTime(timezone=True)),
}
INDEXED_SHAPES = {(ClientSortField.NAME, ("not_is_archived",))}  # sort fields and shapes that a partial index serves
PARAMETER_FIELDS = {"labels_any", "labels_all", "labels_none", "country", "kvk_number", "vat_number", "updated_since"}


def filter_conditions(shape: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [col(Client.tenant_id) == TENANT, *(CONDITIONS[name]() for name in shape)]


def client_columns(row: type[ClientRow], **extra_columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return the columns of a client with its primary address, and those of `extra_columns` that the row class has."""
    return columns(row, Client, has_address=col(ClientAddress.client_id).is_not(None), **ADDRESS, **extra_columns)


CLIENT_COLUMNS = client_columns(ClientRow)
ALL = (
    select(*CLIENT_COLUMNS).select_from(table_of(Client)).outerjoin(table_of(ClientAddress), PRIMARY).where(col(Client.tenant_id) == TENANT)
)
BY_ID = Query(ALL.where(id_in(col(Client.id), is_planned_once=True)), ClientRow).always_select("id")
BY_NUMBER = Query(ALL.where(col(Client.number_key) == parameter("number", Text())), ClientRow)

by_id = RowFetcher(BY_ID)


@cache
def _page(sort: ClientSortField, shape: tuple[str, ...], *, is_ascending: bool, is_next: bool) -> Query[ClientRow]:
    is_indexed = not shape or (sort, shape) in INDEXED_SHAPES
    return Listing(ALL, ClientRow, SORT_KEYS[sort]).page(
        filter_conditions(shape), is_ascending=is_ascending, is_next=is_next, is_indexed=is_indexed
    )


async def page(tx: Transaction, criteria: ClientFilter, sort: ClientSortField, page_slice: PageSlice) -> list[ClientRow]:
    """Return a page of clients, with one more row than requested if there are more."""
    return await page_slice.fetch(tx, partial(_page, sort, criteria.shape), **criteria.values)


@cache
def _count(shape: tuple[str, ...]) -> Query[CountRow]:
    return count_rows(Client, filter_conditions(shape))


async def counts(tx: Transaction, filters: Sequence[ClientFilter]) -> list[int]:
    """Return the number of clients that each filter finds."""
    results = [await tx.fetch(_count(each.shape), **each.values) for each in filters]
    return [row.count for (row,) in results]


async def by_number(tx: Transaction, number: str) -> ClientRow | None:
    return next(iter(await tx.fetch(BY_NUMBER, number=number_key(number))), None)


NUMBERS = Query(
    select(*columns(NumberKeyRow, Client)).where(
        col(Client.tenant_id) == TENANT, col(Client.number_key) == func.any(parameter("numbers", ARRAY(Text())))
    ),
    NumberKeyRow,
)


async def existing_number_keys(tx: Transaction, numbers: Sequence[str]) -> set[str]:
    """Return the number keys that clients already have, out of `numbers`."""
    return {row.number_key for row in await tx.fetch(NUMBERS, numbers=numbers)}


def _page_per_link(
    row: type[ClientRow], link: type[ClientContact | ClientLabel], parent: str, *, is_ascending: bool, is_next: bool
) -> Query[Any]:
    """Return the query of a page of clients by name for each contact or label, over the links between them."""
    rows = select(*client_columns(row, **{parent: requested_ids.c.id}, **LINK_COLUMNS)).select_from(table_of(link))
    statement = rows.join(*reference(Client, col(link.client_id))).outerjoin(table_of(ClientAddress), PRIMARY)
    links_of_parent = col(link.tenant_id) == TENANT, col(getattr(link, parent)) == requested_ids.c.id
    sort_key = SORT_KEYS[ClientSortField.NAME]
    query = page_per_parent(statement.where(*links_of_parent), row, sort_key, is_ascending=is_ascending, is_next=is_next)
    return query.always_select("id", "name_key", parent)


OF_CONTACT = count_per_parent(ClientContact, "contact_id")
OF_LABEL = count_per_parent(ClientLabel, "label_id")
counts_of_contacts, counts_of_labels = CountFetcher(OF_CONTACT), CountFetcher(OF_LABEL)
of_contacts: PagePerParentFetcher[ContactClientRow] = PagePerParentFetcher(
    cache(partial(_page_per_link, ContactClientRow, ClientContact, "contact_id")), "contact_id"
)
"""Clients of each contact by name."""
of_labels: PagePerParentFetcher[LabelClientRow] = PagePerParentFetcher(
    cache(partial(_page_per_link, LabelClientRow, ClientLabel, "label_id")), "label_id"
)
"""Clients of each label by name."""

ADDRESSES = Query(
    select(*columns(AddressRow, ClientAddress))
    .where(col(ClientAddress.tenant_id) == TENANT, id_in(col(ClientAddress.client_id)))
    .order_by(col(ClientAddress.client_id), col(ClientAddress.type)),
    AddressRow,
)
addresses = GroupFetcher(ADDRESSES, "client_id")
"""Addresses of each client, at most one of each type."""
