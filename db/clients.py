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

from db.contacts import LINK
from db.engine import Tx
from db.fetching import ByKey, Counts, GroupsByKey, PagesOfEach
from db.keys import name_key, number_key
from db.paging import Listing, Place, Slice, counted, per_parent
from db.query import TENANT, Query, among, asked, col, columns, parameter, table_of, word
from db.rows import AddressRow, ClientRow, ContactClientRow, CountRow, LabelClientRow, NumberRow
from db.search import within
from db.tables import AddressFields, AddressType, Client, ClientAddress, ClientContact, ClientLabel
from db.tables.clients import LAST

PRIMARY = and_(
    col(ClientAddress.tenant_id) == TENANT,
    col(ClientAddress.client_id) == col(Client.id),
    col(ClientAddress.type) == word(AddressType.PRIMARY),
)
ADDRESS = {name: col(getattr(ClientAddress, name)) for name in AddressFields.model_fields}


class Sort(StrEnum):
    """What clients are put in order by."""

    NAME = "NAME"
    NUMBER = "NUMBER"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


NUMBER = func.coalesce(col(Client.number_key), literal_column(f"'{LAST}'", Text()))
SORTED: dict[Sort, Place] = {
    Sort.NAME: Place(col(Client.name_key), Text(), col(Client.id), "name_key"),
    Sort.NUMBER: Place(NUMBER, Text(), col(Client.id), "number_key"),
    Sort.CREATED_AT: Place(col(Client.created_at), DateTime(timezone=True), col(Client.id), "created_at"),
    Sort.UPDATED_AT: Place(col(Client.updated_at), DateTime(timezone=True), col(Client.id), "updated_at"),
}


@dataclass(frozen=True)
class Sorting:
    """By what, and which way."""

    by: Sort = Sort.NAME
    is_ascending: bool = True


@dataclass(frozen=True)
class Filter:
    """Which clients: all that is given holds. A text is found within the name or the number, as text and without regard to capitals."""

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
        """Which conditions are in use: one text of SQL a shape."""
        given = {name: getattr(self, name) for name in CONDITIONS if name in self.__dataclass_fields__}
        chosen = [name for name, value in given.items() if value is not None and value is not False]
        return tuple(chosen + [f"not_{name}" for name, value in given.items() if value is False])

    @property
    def values(self) -> dict[str, object]:
        given: dict[str, object] = {name: getattr(self, name) for name in self.shape if name in VALUES}
        if self.search is not None:
            given |= {"in_name": within(name_key(self.search)), "in_number": within(number_key(self.search))}
        return given


def _worn(parameter_: str) -> ColumnElement[bool]:
    """A label of the client that is among those of the parameter."""
    mine = and_(col(ClientLabel.tenant_id) == TENANT, col(ClientLabel.client_id) == col(Client.id))
    return and_(mine, col(ClientLabel.label_id) == func.any(parameter(parameter_, ARRAY(Uuid()))))


def _all_labels() -> ColumnElement[bool]:
    count = select(func.count()).select_from(table_of(ClientLabel)).where(_worn("labels_all")).correlate(table_of(Client)).scalar_subquery()
    return count == func.cardinality(parameter("labels_all", ARRAY(Uuid())))


def _invoice_contact() -> ColumnElement[bool]:
    mine = and_(col(ClientContact.tenant_id) == TENANT, col(ClientContact.client_id) == col(Client.id))
    return exists().where(mine, col(ClientContact.is_invoice_contact).is_(True))


CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "search": lambda: or_(
        col(Client.name_key).like(parameter("in_name", Text())), col(Client.number_key).like(parameter("in_number", Text()))
    ),
    "is_archived": lambda: col(Client.archived_at).is_not(None),
    "not_is_archived": lambda: col(Client.archived_at).is_(None),
    "labels_any": lambda: exists().where(_worn("labels_any")),
    "labels_all": _all_labels,
    "labels_none": lambda: ~exists().where(_worn("labels_none")),
    "has_invoice_contact": _invoice_contact,
    "not_has_invoice_contact": lambda: ~_invoice_contact(),
    "country": lambda: exists().where(PRIMARY, col(ClientAddress.country) == parameter("country", Text())),
    "kvk_number": lambda: col(Client.kvk_number) == parameter("kvk_number", Text()),
    "vat_number": lambda: col(Client.vat_number) == parameter("vat_number", Text()),
    "updated_since": lambda: col(Client.updated_at) >= parameter("updated_since", DateTime(timezone=True)),
}
INDEXED = {(Sort.NAME, ("not_is_archived",))}  # orders and conditions that have an index of their own
VALUES = {"labels_any", "labels_all", "labels_none", "country", "kvk_number", "vat_number", "updated_since"}


def those(shape: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [col(Client.tenant_id) == TENANT, *(CONDITIONS[name]() for name in shape)]


def shown(row: type[ClientRow], **more: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """A client with its primary address, and what the row has beside."""
    return columns(row, Client, has_address=col(ClientAddress.client_id).is_not(None), **ADDRESS, **more)


SHOWN = shown(ClientRow)
ALL = select(*SHOWN).select_from(table_of(Client)).outerjoin(table_of(ClientAddress), PRIMARY).where(col(Client.tenant_id) == TENANT)
BY_ID = Query(ALL.where(among(col(Client.id), is_planned_once=True)), ClientRow).keeping("id")
BY_NUMBER = Query(ALL.where(col(Client.number_key) == parameter("number", Text())), ClientRow)

by_id = ByKey(BY_ID)


@cache
def _page(sort: Sort, shape: tuple[str, ...], *, is_ascending: bool, is_next: bool) -> Query[ClientRow]:
    is_indexed = not shape or (sort, shape) in INDEXED
    return Listing(ALL, ClientRow, SORTED[sort]).page(those(shape), is_ascending=is_ascending, is_next=is_next, is_indexed=is_indexed)


async def page(tx: Tx, wanted: Filter, sort: Sort, part: Slice) -> list[ClientRow]:
    """Clients in an order; one more than asked for when there are more."""
    return await part.fetch(tx, partial(_page, sort, wanted.shape), **wanted.values)


@cache
def _count(shape: tuple[str, ...]) -> Query[CountRow]:
    return Query(select(func.count().label("count")).select_from(table_of(Client)).where(*those(shape)), CountRow)


async def counts(tx: Tx, wanted: Sequence[Filter]) -> list[int]:
    """Return how many clients each filter finds."""
    found = [await tx.fetch(_count(each.shape), **each.values) for each in wanted]
    return [row.count for (row,) in found]


async def by_number(tx: Tx, number: str) -> ClientRow | None:
    return next(iter(await tx.fetch(BY_NUMBER, number=number_key(number))), None)


NUMBERS = Query(
    select(*columns(NumberRow, Client)).where(
        col(Client.tenant_id) == TENANT, col(Client.number_key) == func.any(parameter("numbers", ARRAY(Text())))
    ),
    NumberRow,
)


async def numbers_taken(tx: Tx, numbers: Sequence[str]) -> set[str]:
    """Those of the keys that a client has."""
    return {row.number_key for row in await tx.fetch(NUMBERS, numbers=numbers)}


BY_NAME = SORTED[Sort.NAME]


@cache
def _of_contacts(*, is_ascending: bool, is_next: bool) -> Query[ContactClientRow]:
    linked = and_(col(ClientContact.tenant_id) == TENANT, col(ClientContact.contact_id) == asked.c.id)
    mine = and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(ClientContact.client_id))
    rows = select(*shown(ContactClientRow, contact_id=asked.c.id, **LINK)).select_from(table_of(ClientContact)).join(table_of(Client), mine)
    each = rows.outerjoin(table_of(ClientAddress), PRIMARY).where(linked)
    return per_parent(each, ContactClientRow, BY_NAME, is_ascending=is_ascending, is_next=is_next).keeping("id", "name_key", "contact_id")


@cache
def _of_labels(*, is_ascending: bool, is_next: bool) -> Query[LabelClientRow]:
    worn = and_(col(ClientLabel.tenant_id) == TENANT, col(ClientLabel.label_id) == asked.c.id)
    mine = and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(ClientLabel.client_id))
    rows = select(*shown(LabelClientRow, label_id=asked.c.id)).select_from(table_of(ClientLabel)).join(table_of(Client), mine)
    each = rows.outerjoin(table_of(ClientAddress), PRIMARY).where(worn)
    return per_parent(each, LabelClientRow, BY_NAME, is_ascending=is_ascending, is_next=is_next).keeping("id", "name_key", "label_id")


OF_CONTACT = counted(ClientContact, "contact_id")
OF_LABEL = counted(ClientLabel, "label_id")
counts_of_contacts, counts_of_labels = Counts(OF_CONTACT), Counts(OF_LABEL)
of_contacts = PagesOfEach(_of_contacts, "contact_id")
"""Clients of each contact by name."""
of_labels = PagesOfEach(_of_labels, "label_id")
"""Clients of each label by name."""

ADDRESSES = Query(
    select(*columns(AddressRow, ClientAddress))
    .where(col(ClientAddress.tenant_id) == TENANT, among(col(ClientAddress.client_id)))
    .order_by(col(ClientAddress.client_id), col(ClientAddress.type)),
    AddressRow,
)
addresses = GroupsByKey(ADDRESSES, "client_id")
"""Addresses of each client, one of a type at most."""
