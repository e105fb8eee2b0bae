"""Queries of contacts."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, Text, and_, func, select, true
from sqlmodel import col

from db.clients import within
from db.engine import Tx
from db.keys import name_key
from db.paging import Place, Slice, beyond, ordered
from db.query import TENANT, Query, among, asked, by_key, columns, parameter
from db.rows import ClientContactRow, ContactRow, CountRow
from db.tables import ClientContact, Contact

MINE = col(Contact.tenant_id) == TENANT
BY_ID = Query(select(*columns(ContactRow, Contact)).where(MINE, among(col(Contact.id))), ContactRow)
BY_NAME = Place(col(Contact.name_key), Text(), col(Contact.id), "name_key")
FOUND = col(Contact.name_key).like(parameter("in_name", Text()))
PLACE = (col(ClientContact.position), col(ClientContact.contact_id))
LINK = ("client_id", "position", "department", "is_invoice_contact", "is_primary")


@cache
def _of_clients(*, is_ascending: bool, is_next: bool) -> Query[ClientContactRow]:
    """The first links of each client, read off their index, then the contacts of those alone."""
    shown = (getattr(ClientContact, name) for name in ("contact_id", *LINK))
    links = select(*shown).where(col(ClientContact.tenant_id) == TENANT, col(ClientContact.client_id) == asked.c.id)
    if is_next:
        links = links.where(beyond(PLACE[0], Integer(), PLACE[1], is_ascending=is_ascending))
    linked = ordered(links, *PLACE, is_ascending=is_ascending).limit(parameter("count", Integer())).lateral("linked")
    same = and_(MINE, col(Contact.id) == linked.c.contact_id)
    rows = columns(ClientContactRow, Contact, **{name: linked.c[name] for name in LINK})
    found = select(*rows).select_from(asked).join(linked, true()).join(Contact, same).order_by(linked.c.client_id)
    return Query(ordered(found, linked.c.position, linked.c.contact_id, is_ascending=is_ascending), ClientContactRow)


async def of_clients(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[ClientContactRow]]:
    """Contacts of each client by position."""
    return await part.fetch(tx, _of_clients, ids, "client_id")


@cache
def _page(*, is_ascending: bool, is_next: bool, is_searched: bool) -> Query[ContactRow]:
    """The keys of the page are found in the index of names; only then are its rows read."""
    found: Select[*tuple[Any, ...]] = select(BY_NAME.id.label("id"), BY_NAME.key.label("key")).where(
        MINE, *([FOUND] if is_searched else [])
    )
    if is_next:
        found = found.where(beyond(BY_NAME.key, BY_NAME.kind, BY_NAME.id, is_ascending=is_ascending))
    page = ordered(found, BY_NAME.key, BY_NAME.id, is_ascending=is_ascending).limit(parameter("count", Integer())).subquery("page")
    rows = select(*columns(ContactRow, Contact)).select_from(page).join(Contact, and_(MINE, col(Contact.id) == page.c.id))
    return Query(ordered(rows, page.c.key, page.c.id, is_ascending=is_ascending), ContactRow)


async def page(tx: Tx, search: str | None, part: Slice) -> list[ContactRow]:
    """Contacts by name, those with the text in it where one is given."""
    query = _page(is_ascending=part.is_ascending, is_next=part.after is not None, is_searched=search is not None)
    after_key, after_id = part.after or (None, None)
    return await tx.fetch(query, in_name=_pattern(search), after_key=after_key, after_id=after_id, count=part.size + 1)


@cache
def _count(*, is_searched: bool) -> Query[CountRow]:
    return Query(select(func.count().label("count")).select_from(Contact).where(MINE, *([FOUND] if is_searched else [])), CountRow)


async def count(tx: Tx, search: str | None) -> int:
    (found,) = await tx.fetch(_count(is_searched=search is not None), in_name=_pattern(search))
    return found.count


def _pattern(search: str | None) -> str | None:
    return None if search is None else within(name_key(search))


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[ContactRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
