"""Queries of clients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    SQLColumnExpression,
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
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from db.engine import Tx
from db.keys import name_key, number_key
from db.paging import Place, Slice, beyond, ordered, per_parent
from db.query import TENANT, Query, among, asked, by_key, columns, grouped, parameter, word
from db.rows import AddressRow, ClientRow, ContactClientRow, CountRow, LabelClientRow
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


SORTED: dict[Sort, tuple[SQLColumnExpression[Any], TypeEngine[Any]]] = {
    Sort.NAME: (col(Client.name_key), Text()),
    Sort.NUMBER: (func.coalesce(col(Client.number_key), literal_column(f"'{LAST}'", Text())), Text()),
    Sort.CREATED_AT: (col(Client.created_at), DateTime(timezone=True)),
    Sort.UPDATED_AT: (col(Client.updated_at), DateTime(timezone=True)),
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


def within(text: str) -> str:
    """A pattern that finds the text anywhere; what LIKE takes for more than itself is taken for itself."""
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return f"%{text}%"


def _worn(parameter_: str) -> ColumnElement[bool]:
    """A label of the client that is among those of the parameter."""
    mine = and_(col(ClientLabel.tenant_id) == TENANT, col(ClientLabel.client_id) == col(Client.id))
    return and_(mine, col(ClientLabel.label_id) == func.any(parameter(parameter_, ARRAY(Uuid()))))


def _all_labels() -> ColumnElement[bool]:
    count = select(func.count()).select_from(ClientLabel).where(_worn("labels_all")).correlate(Client).scalar_subquery()
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
VALUES = {"labels_any", "labels_all", "labels_none", "country", "kvk_number", "vat_number", "updated_since"}


def _those(shape: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [col(Client.tenant_id) == TENANT, *(CONDITIONS[name]() for name in shape)]


def shown(row: type[ClientRow], **more: SQLColumnExpression[Any]) -> list[ColumnElement[Any]]:
    """A client with its primary address, and what the row has beside."""
    return columns(row, Client, has_address=col(ClientAddress.client_id).is_not(None), **ADDRESS, **more)


SHOWN = shown(ClientRow)
BY_ID = Query(
    select(*SHOWN).select_from(Client).outerjoin(ClientAddress, PRIMARY).where(col(Client.tenant_id) == TENANT, among(col(Client.id))),
    ClientRow,
)
BY_NUMBER = Query(
    select(*SHOWN)
    .select_from(Client)
    .outerjoin(ClientAddress, PRIMARY)
    .where(col(Client.tenant_id) == TENANT, col(Client.number_key) == parameter("number", Text())),
    ClientRow,
)


@cache
def _page(sorting: Sorting, shape: tuple[str, ...], *, is_next: bool) -> Query[ClientRow]:
    """The keys of the page are found in an index that holds all that is asked of it; only then are its rows read."""
    (key, kind), is_ascending = SORTED[sorting.by], sorting.is_ascending
    found: Select[*tuple[Any, ...]] = select(col(Client.id).label("id"), key.label("key")).where(*_those(shape))
    if is_next:
        found = found.where(beyond(key, kind, col(Client.id), is_ascending=is_ascending))
    page = ordered(found, key, col(Client.id), is_ascending=is_ascending).limit(parameter("count", Integer())).subquery("page")
    same = and_(col(Client.tenant_id) == TENANT, col(Client.id) == page.c.id)
    rows = select(*SHOWN).select_from(page).join(Client, same).outerjoin(ClientAddress, PRIMARY)
    return Query(ordered(rows, page.c.key, page.c.id, is_ascending=is_ascending), ClientRow)


async def page(tx: Tx, wanted: Filter, sort: Sort, part: Slice) -> list[ClientRow]:
    """Clients in an order; one more than asked for when there are more."""
    query = _page(Sorting(sort, part.is_ascending), wanted.shape, is_next=part.after is not None)
    after_key, after_id = part.after or (None, None)
    return await tx.fetch(query, **wanted.values, after_key=after_key, after_id=after_id, count=part.size + 1)


@cache
def _count(shape: tuple[str, ...]) -> Query[CountRow]:
    return Query(select(func.count().label("count")).select_from(Client).where(*_those(shape)), CountRow)


async def count(tx: Tx, wanted: Filter) -> int:
    (found,) = await tx.fetch(_count(wanted.shape), **wanted.values)
    return found.count


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[ClientRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)


async def by_number(tx: Tx, number: str) -> ClientRow | None:
    return next(iter(await tx.fetch(BY_NUMBER, number=number_key(number))), None)


BY_NAME = Place(col(Client.name_key), Text(), col(Client.id), "name_key")
LINK = ("position", "department", "is_invoice_contact", "is_primary")


@cache
def _of_contacts(*, is_ascending: bool, is_next: bool) -> Query[ContactClientRow]:
    linked = and_(col(ClientContact.tenant_id) == TENANT, col(ClientContact.contact_id) == asked.c.id)
    mine = and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(ClientContact.client_id))
    link = {name: col(getattr(ClientContact, name)) for name in LINK}
    rows = select(*shown(ContactClientRow, contact_id=asked.c.id, **link)).select_from(ClientContact).join(Client, mine)
    each = rows.outerjoin(ClientAddress, PRIMARY).where(linked)
    return per_parent(each, ContactClientRow, BY_NAME, is_ascending=is_ascending, is_next=is_next)


@cache
def _of_labels(*, is_ascending: bool, is_next: bool) -> Query[LabelClientRow]:
    worn = and_(col(ClientLabel.tenant_id) == TENANT, col(ClientLabel.label_id) == asked.c.id)
    mine = and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(ClientLabel.client_id))
    rows = select(*shown(LabelClientRow, label_id=asked.c.id)).select_from(ClientLabel).join(Client, mine)
    return per_parent(
        rows.outerjoin(ClientAddress, PRIMARY).where(worn), LabelClientRow, BY_NAME, is_ascending=is_ascending, is_next=is_next
    )


async def of_contacts(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[ContactClientRow]]:
    """Clients of each contact by name."""
    return await part.fetch(tx, _of_contacts, ids, "contact_id")


async def of_labels(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[LabelClientRow]]:
    """Clients of each label by name."""
    return await part.fetch(tx, _of_labels, ids, "label_id")


ADDRESSES = Query(
    select(*columns(AddressRow, ClientAddress))
    .where(col(ClientAddress.tenant_id) == TENANT, among(col(ClientAddress.client_id)))
    .order_by(col(ClientAddress.client_id), col(ClientAddress.type)),
    AddressRow,
)


async def addresses(tx: Tx, ids: Sequence[UUID]) -> list[list[AddressRow]]:
    """Addresses of each client, one of a type at most."""
    return grouped(await tx.fetch(ADDRESSES, ids=ids), ids, "client_id")
