"""Queries of contacts."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Integer, and_, select, true
from sqlmodel import col

from db.engine import Tx
from db.paging import Key, beyond, ordered
from db.query import TENANT, Query, among, asked, by_key, columns, grouped, parameter
from db.rows import ClientContactRow, ContactRow
from db.tables import ClientContact, Contact

BY_ID = Query(select(*columns(ContactRow, Contact)).where(col(Contact.tenant_id) == TENANT, among(col(Contact.id))), ContactRow)
PLACE = (col(ClientContact.position), col(ClientContact.contact_id))
LINK = ("client_id", "position", "department", "is_invoice_contact", "is_primary")


@cache
def _of_clients(*, is_ascending: bool, is_next: bool) -> Query[ClientContactRow]:
    """The first links of each client, read off their index, then the contacts of those alone."""
    links = select(*(getattr(ClientContact, name) for name in ("contact_id", *LINK))).where(
        col(ClientContact.tenant_id) == TENANT, col(ClientContact.client_id) == asked.c.id
    )
    if is_next:
        links = links.where(beyond(PLACE[0], Integer(), PLACE[1], is_ascending=is_ascending))
    linked = ordered(links, *PLACE, is_ascending=is_ascending).limit(parameter("count", Integer())).lateral("linked")
    same = and_(col(Contact.tenant_id) == TENANT, col(Contact.id) == linked.c.contact_id)
    shown = columns(ClientContactRow, Contact, **{name: linked.c[name] for name in LINK})
    found = select(*shown).select_from(asked).join(linked, true()).join(Contact, same)
    by_client = found.order_by(linked.c.client_id)
    return Query(ordered(by_client, linked.c.position, linked.c.contact_id, is_ascending=is_ascending), ClientContactRow)


async def of_clients(tx: Tx, ids: Sequence[UUID], *, is_ascending: bool, after: Key | None, size: int) -> list[list[ClientContactRow]]:
    """Contacts of each client by position; one more than `size` where there are more."""
    after_key, after_id = after or (None, None)
    query = _of_clients(is_ascending=is_ascending, is_next=after is not None)
    found = await tx.fetch(query, ids=ids, after_key=after_key, after_id=after_id, count=size + 1)
    return grouped(found, ids, "client_id")


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[ContactRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
