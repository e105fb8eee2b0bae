"""Queries of what happened."""

from collections.abc import Sequence
from functools import cache, partial
from uuid import UUID

from sqlalchemy import Uuid, select

from db.engine import Tx
from db.paging import Place, Slice, counted, counts_of, per_parent
from db.query import TENANT, Query, among, asked, by_key, col, columns
from db.rows import EventRow
from db.tables import AuditEvent

ALL = select(*columns(EventRow, AuditEvent)).where(col(AuditEvent.tenant_id) == TENANT)
BY_ID = Query(ALL.where(among(col(AuditEvent.id))), EventRow)
NEWEST = Place(col(AuditEvent.id), Uuid(), col(AuditEvent.id), "id")
OF_CLIENT = counted(AuditEvent, "client_id")
OF_CONTACT = counted(AuditEvent, "contact_id")


@cache
def _of_each(parent: str, *, is_ascending: bool, is_next: bool) -> Query[EventRow]:
    each = ALL.where(col(getattr(AuditEvent, parent)) == asked.c.id)
    return per_parent(each, EventRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


async def of_clients(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[EventRow]]:
    """Events of each client in the order of their making."""
    return await part.of_each(tx, partial(_of_each, "client_id"), ids, "client_id")


async def of_contacts(tx: Tx, ids: Sequence[UUID], part: Slice) -> list[list[EventRow]]:
    """Events of each contact in the order of their making."""
    return await part.of_each(tx, partial(_of_each, "contact_id"), ids, "contact_id")


async def counts_of_clients(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_CLIENT, ids)


async def counts_of_contacts(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_CONTACT, ids)


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[EventRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
