"""Queries of contacts."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Integer, Select, Text, and_, func, literal_column, select, true

from db.engine.protocols import Transaction
from db.engine.statement import Query
from db.rows import ClientContactRow, ContactRow
from db.sql.expressions import IDS, TENANT, col, columns, id_in, parameter, requested_ids
from db.sql.fetchers import CountFetcher, RowFetcher
from db.sql.grouping import group_by_key
from db.sql.pagination import Listing, PageSlice, SortKey, after_cursor, apply_order, count_per_parent
from db.sql.search import NameListing
from db.tables import ClientContact, Contact
from db.tables.base import table_of

IN_TENANT = col(Contact.tenant_id) == TENANT
ALL = select(*columns(ContactRow, Contact)).where(IN_TENANT)
BY_ID = Query(ALL.where(id_in(col(Contact.id))), ContactRow).always_select("id")
BY_NAME = NameListing(Contact, Listing(ALL, ContactRow, SortKey(col(Contact.name_key), Text(), col(Contact.id), "name_key")))
OF_CLIENT = count_per_parent(ClientContact, "client_id")
page, counts, by_id, counts_of_clients = BY_NAME.page, BY_NAME.counts, RowFetcher(BY_ID), CountFetcher(OF_CLIENT)
POSITION = (col(ClientContact.position), col(ClientContact.contact_id))
EXPECTED_LINKS = 8  # contacts of a client on average; beyond that, those of each client are looked up separately
LINK_FIELDS = ("position", "department", "is_invoice_contact", "is_primary", "roles", "recipient")
LINK_COLUMNS: dict[str, ColumnElement[Any]] = {
    **{name: col(getattr(ClientContact, name)) for name in LINK_FIELDS},
    "link_is_active": col(ClientContact.is_active),
}


def _select_links(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select the links of clients that fulfil the condition."""
    output: list[ColumnElement[Any]] = [column.label(name) for name, column in LINK_COLUMNS.items()]
    links = select(col(ClientContact.contact_id), col(ClientContact.client_id), *output)
    return links.where(col(ClientContact.tenant_id) == TENANT, condition)


def _join_contacts(source: FromClause, links: FromClause, *, is_ascending: bool) -> Query[ClientContactRow]:
    """Join the contacts to the links that are in the source, in order of client and position."""
    contact_of_link = and_(IN_TENANT, col(Contact.id) == links.c.contact_id)
    rows = columns(ClientContactRow, Contact, client_id=links.c.client_id, **{name: links.c[name] for name in LINK_COLUMNS})
    statement = select(*rows).select_from(source).join(table_of(Contact), contact_of_link).order_by(links.c.client_id)
    in_order = apply_order(statement, links.c.position, links.c.contact_id, is_ascending=is_ascending)
    return Query(in_order, ClientContactRow).always_select("id", "client_id", "position")


@cache
def _page_per_client(*, is_ascending: bool, is_next: bool) -> Query[ClientContactRow]:
    """The first links of each client, read off their index, then the contacts of those alone."""
    links = _select_links(col(ClientContact.client_id) == requested_ids.c.id)
    if is_next:
        links = links.where(after_cursor(POSITION[0], Integer(), POSITION[1], is_ascending=is_ascending))
    limited_links = apply_order(links, *POSITION, is_ascending=is_ascending).limit(parameter("count", Integer())).lateral("linked")
    return _join_contacts(requested_ids.join(limited_links, true()), limited_links, is_ascending=is_ascending)


@cache
def _all_per_client() -> Query[ClientContactRow]:
    """The links of all the clients together, as long as there are few, and their contacts: half the work of looking for those of each."""
    # The server counts the keys, since they may not be known yet when they are sent: a page leads its contacts (`db.engine.batching`).
    limit = literal_column(str(EXPECTED_LINKS), Integer()) * func.cardinality(IDS) + parameter("size", Integer())
    links = _select_links(id_in(col(ClientContact.client_id))).limit(limit).subquery("linked")
    return _join_contacts(links, links, is_ascending=True)


async def of_clients(tx: Transaction, ids: Sequence[UUID], page_slice: PageSlice) -> list[list[ClientContactRow]]:
    """Contacts of each client by position.

    Where the clients together have so few that reading all takes less than looking for the first of each, all are read. Where they have
    more than that, which is only known afterwards, there is a second statement.
    """
    if page_slice.is_ascending and page_slice.after is None:
        contact_rows = await tx.fetch(_all_per_client(), ids=ids, size=page_slice.size)
        if len(contact_rows) < EXPECTED_LINKS * len(ids) + page_slice.size:
            return [rows[: page_slice.size + 1] for rows in group_by_key(contact_rows, ids, "client_id")]
    return await page_slice.fetch_per_parent(tx, _page_per_client, ids, "client_id")
