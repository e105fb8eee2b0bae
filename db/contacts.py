"""Queries of contacts."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Integer, Select, Text, and_, func, literal_column, select, true

from db.engine import Tx
from db.fetching import ByKey, Counts
from db.paging import Listing, Place, Slice, beyond, counted, ordered
from db.query import IDS, TENANT, Query, among, asked, col, columns, grouped, parameter, table_of
from db.rows import ClientContactRow, ContactRow
from db.search import Named
from db.tables import ClientContact, Contact

MINE = col(Contact.tenant_id) == TENANT
ALL = select(*columns(ContactRow, Contact)).where(MINE)
BY_ID = Query(ALL.where(among(col(Contact.id))), ContactRow).keeping("id")
BY_NAME = Named(Contact, Listing(ALL, ContactRow, Place(col(Contact.name_key), Text(), col(Contact.id), "name_key")))
OF_CLIENT = counted(ClientContact, "client_id")
page, counts, by_id, counts_of_clients = BY_NAME.page, BY_NAME.counts, ByKey(BY_ID), Counts(OF_CLIENT)
PLACE = (col(ClientContact.position), col(ClientContact.contact_id))
USUAL_LINKS = 8  # contacts of a client; beyond that, on the whole, those of each are looked up
OF_LINK = ("position", "department", "is_invoice_contact", "is_primary", "roles", "recipient")
LINK: dict[str, ColumnElement[Any]] = {
    **{name: col(getattr(ClientContact, name)) for name in OF_LINK},
    "link_is_active": col(ClientContact.is_active),
}


def _links(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select the links of clients that fulfil the condition."""
    shown: list[ColumnElement[Any]] = [column.label(name) for name, column in LINK.items()]
    links = select(col(ClientContact.contact_id), col(ClientContact.client_id), *shown)
    return links.where(col(ClientContact.tenant_id) == TENANT, condition)


def _with_contacts(source: FromClause, linked: FromClause, *, is_ascending: bool) -> Query[ClientContactRow]:
    """Join the contacts to the links that are in the source, in order of client and position."""
    same = and_(MINE, col(Contact.id) == linked.c.contact_id)
    rows = columns(ClientContactRow, Contact, client_id=linked.c.client_id, **{name: linked.c[name] for name in LINK})
    found = select(*rows).select_from(source).join(table_of(Contact), same).order_by(linked.c.client_id)
    in_order = ordered(found, linked.c.position, linked.c.contact_id, is_ascending=is_ascending)
    return Query(in_order, ClientContactRow).keeping("id", "client_id", "position")


@cache
def _of_clients(*, is_ascending: bool, is_next: bool) -> Query[ClientContactRow]:
    """The first links of each client, read off their index, then the contacts of those alone."""
    links = _links(col(ClientContact.client_id) == asked.c.id)
    if is_next:
        links = links.where(beyond(PLACE[0], Integer(), PLACE[1], is_ascending=is_ascending))
    linked = ordered(links, *PLACE, is_ascending=is_ascending).limit(parameter("count", Integer())).lateral("linked")
    return _with_contacts(asked.join(linked, true()), linked, is_ascending=is_ascending)


@cache
def _all_of_clients() -> Query[ClientContactRow]:
    """The links of all the clients together, as long as there are few, and their contacts: half the work of looking for those of each."""
    # The server counts the keys, since they may not be known yet when they are sent: a page leads its contacts (`db.batching`).
    most = literal_column(str(USUAL_LINKS), Integer()) * func.cardinality(IDS) + parameter("size", Integer())
    linked = _links(among(col(ClientContact.client_id))).limit(most).subquery("linked")
    return _with_contacts(linked, linked, is_ascending=True)


async def of_clients(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[ClientContactRow]]:
    """Contacts of each client by position.

    Where the clients together have so few that reading all takes less than looking for the first of each, all are read. Where they have
    more than that, which is only known afterwards, there is a second statement.
    """
    if part.is_ascending and part.after is None:
        found = await tx.fetch(_all_of_clients(), ids=ids, size=part.size)
        if len(found) < USUAL_LINKS * len(ids) + part.size:
            return [rows[: part.size + 1] for rows in grouped(found, ids, "client_id")]
    return await part.of_each(tx, _of_clients, ids, "client_id")
