"""Queries of labels."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Integer, Text, and_, func, select
from sqlmodel import col

from db.engine import Tx
from db.paging import Slice, beyond, ordered
from db.query import TENANT, Query, among, by_key, columns, grouped, parameter
from db.rows import ClientLabelRow, CountRow, LabelRow
from db.tables import ClientLabel, Label

BY_ID = Query(select(*columns(LabelRow, Label)).where(col(Label.tenant_id) == TENANT, among(col(Label.id))), LabelRow)
OF_CLIENTS = Query(
    select(*columns(ClientLabelRow, Label, client_id=col(ClientLabel.client_id)))
    .select_from(ClientLabel)
    .join(Label, and_(col(Label.tenant_id) == TENANT, col(Label.id) == col(ClientLabel.label_id)))
    .where(col(ClientLabel.tenant_id) == TENANT, among(col(ClientLabel.client_id)))
    .order_by(col(ClientLabel.client_id), col(Label.name_key), col(Label.id)),
    ClientLabelRow,
)


@cache
def _page(*, is_ascending: bool, is_next: bool) -> Query[LabelRow]:
    page = select(*columns(LabelRow, Label)).where(col(Label.tenant_id) == TENANT)
    if is_next:
        page = page.where(beyond(col(Label.name_key), Text(), col(Label.id), is_ascending=is_ascending))
    page = ordered(page, col(Label.name_key), col(Label.id), is_ascending=is_ascending)
    return Query(page.limit(parameter("count", Integer())), LabelRow)


COUNT = Query(select(func.count().label("count")).select_from(Label).where(col(Label.tenant_id) == TENANT), CountRow)


async def page(tx: Tx, part: Slice) -> list[LabelRow]:
    """Labels by name."""
    after_key, after_id = part.after or (None, None)
    query = _page(is_ascending=part.is_ascending, is_next=part.after is not None)
    return await tx.fetch(query, after_key=after_key, after_id=after_id, count=part.size + 1)


async def count(tx: Tx) -> int:
    (found,) = await tx.fetch(COUNT)
    return found.count


async def of_clients(tx: Tx, ids: Sequence[UUID]) -> list[list[ClientLabelRow]]:
    """Labels of each client by name."""
    return grouped(await tx.fetch(OF_CLIENTS, ids=ids), ids, "client_id")


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[LabelRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
