"""Queries of contacts."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Integer, Select, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from db.engine.protocols import Transaction
from db.engine.statement import Query
from db.rows import ClientContactRow, ContactRow
from db.sql.expressions import IDS, TENANT, col, columns, id_in, parameter, reference, requested_ids
from db.sql.fetchers import CountFetcher, RowFetcher
from db.sql.grouping import group_by_key
from db.sql.pagination import Listing, PageSlice, after_cursor, apply_order, count_per_parent, in_order_of_names
from db.sql.search import NameListing
from db.tables import ClientContact, Contact
from db.tables.base import table_of

ALL = select(*columns(ContactRow, Contact)).where(col(Contact.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Contact.id))), ContactRow).always_select("id")
BY_NAME = NameListing(Contact, Listing(ALL, ContactRow, in_order_of_names(Contact)))
OF_CLIENT = count_per_parent(ClientContact, "client_id")
page, counts, by_id, counts_of_clients = BY_NAME.page, BY_NAME.counts, RowFetcher(BY_ID), CountFetcher(OF_CLIENT)
POSITION = (col(ClientContact.position), col(ClientContact.contact_id))
EXPECTED_LINKS = 8  # contacts per client on average: with more, the contacts of each client are looked up separately
LINK_FIELDS = ("position", "department", "is_invoice_contact", "is_primary", "roles", "recipient")
LINK_COLUMNS: dict[str, ColumnElement[Any]] = {
    **{name: col(getattr(ClientContact, name)) for name in LINK_FIELDS},
    "link_is_active": col(ClientContact.is_active),
    "link_version": col(ClientContact.version),
}


def _select_links(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select the links between clients and contacts that match the condition."""
    output: list[ColumnElement[Any]] = [column.label(name) for name, column in LINK_COLUMNS.items()]
    links = select(col(ClientContact.contact_id), col(ClientContact.client_id), *output)
    return links.where(col(ClientContact.tenant_id) == TENANT, condition)


def _join_contacts(source: FromClause, links: FromClause, *, is_ascending: bool) -> Query[ClientContactRow]:
    """Return the query of the contacts of the links in `source`, in order of client and position."""
    rows = columns(ClientContactRow, Contact, client_id=links.c.client_id, **{name: links.c[name] for name in LINK_COLUMNS})
    statement = select(*rows).select_from(source).join(*reference(Contact, links.c.contact_id)).order_by(links.c.client_id)
    in_order = apply_order(statement, links.c.position, links.c.contact_id, is_ascending=is_ascending)
    return Query(in_order, ClientContactRow).always_select("id", "client_id", "position")


@cache
def _page_per_client(*, is_ascending: bool, is_next: bool) -> Query[ClientContactRow]:
    """Return the query of a page of contacts per client. It reads the links of the page from their index, then the contacts of those."""
    links = _select_links(col(ClientContact.client_id) == requested_ids.c.id)
    if is_next:
        links = links.where(after_cursor(POSITION[0], Integer(), POSITION[1], is_ascending=is_ascending))
    limited_links = apply_order(links, *POSITION, is_ascending=is_ascending).limit(parameter("count", Integer())).lateral("linked")
    return _join_contacts(requested_ids.join(limited_links, true()), limited_links, is_ascending=is_ascending)


@cache
def _all_per_client() -> Query[ClientContactRow]:
    """Return the query of all contacts of the clients together, up to a limit: half the work of a lookup for each client."""
    # PostgreSQL counts the ids, since they may be unknown when the query is sent: a page leads its contacts (see `db.engine.batching`).
    limit = literal_column(str(EXPECTED_LINKS), Integer()) * func.cardinality(IDS) + parameter("size", Integer())
    links = _select_links(id_in(col(ClientContact.client_id))).limit(limit).subquery("linked")
    return _join_contacts(links, links, is_ascending=True)


async def of_clients(tx: Transaction, ids: Sequence[UUID], page_slice: PageSlice) -> list[list[ClientContactRow]]:
    """Return a page of contacts of each client, by position.

    If the clients together have few contacts, reading all of them takes less time than a lookup of the first of each client, so the first
    page tries that. Only its result shows whether there are more; if so, a second statement reads the pages.
    """
    if page_slice.is_ascending and page_slice.after is None:
        contact_rows = await tx.fetch(_all_per_client(), ids=ids, size=page_slice.size)
        if len(contact_rows) < EXPECTED_LINKS * len(ids) + page_slice.size:
            return [rows[: page_slice.size + 1] for rows in group_by_key(contact_rows, ids, "client_id")]
    return await page_slice.fetch_per_parent(tx, _page_per_client, ids, "client_id")


INVOICE_CONTACTS = Query(
    select(*columns(ClientContactRow, Contact, client_id=col(ClientContact.client_id), **LINK_COLUMNS))
    .ext(distinct_on(col(ClientContact.client_id)))
    .select_from(table_of(ClientContact))
    .join(*reference(Contact, col(ClientContact.contact_id)))
    .where(
        col(ClientContact.tenant_id) == TENANT,
        id_in(col(ClientContact.client_id), is_planned_once=True),
        col(ClientContact.is_invoice_contact).is_(True),
    )
    .order_by(col(ClientContact.client_id), *POSITION),
    ClientContactRow,
).always_select("id", "client_id")
invoice_contacts = RowFetcher(INVOICE_CONTACTS, "client_id")
"""The first contact of each client, by position, that receives its invoices."""
