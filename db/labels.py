"""Queries of labels."""

from collections.abc import Sequence
from functools import cache, partial
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, func, select
from sqlmodel import col

from db.engine import Tx
from db.paging import Listing, Place, Slice
from db.query import TENANT, Query, among, by_key, columns, grouped, parameter
from db.rows import ClientLabelRow, CountRow, LabelRow
from db.search import Search
from db.tables import ClientLabel, Label

MINE = col(Label.tenant_id) == TENANT
ALL = select(*columns(LabelRow, Label)).where(MINE)
BY_ID = Query(ALL.where(among(col(Label.id))), LabelRow)
BY_NAME = Listing(ALL, LabelRow, Place(col(Label.name_key), Text(), col(Label.id), "name_key"))
OF_CLIENTS = Query(
    select(*columns(ClientLabelRow, Label, client_id=col(ClientLabel.client_id)))
    .select_from(ClientLabel)
    .join(Label, and_(col(Label.tenant_id) == TENANT, col(Label.id) == col(ClientLabel.label_id)))
    .where(col(ClientLabel.tenant_id) == TENANT, among(col(ClientLabel.client_id)))
    .order_by(col(ClientLabel.client_id), col(Label.name_key), col(Label.id)),
    ClientLabelRow,
)


def _those(*, is_searched: bool) -> list[ColumnElement[bool]]:
    return [MINE, col(Label.name_key).like(parameter("in_name", Text()))] if is_searched else [MINE]


@cache
def _page(*, is_searched: bool, is_ascending: bool, is_next: bool) -> Query[LabelRow]:
    return BY_NAME.page(_those(is_searched=is_searched), is_ascending=is_ascending, is_next=is_next)


async def page(tx: Tx, wanted: Search, part: Slice) -> list[LabelRow]:
    """Labels by name, those with the text in it where one is given."""
    return await part.fetch(tx, partial(_page, is_searched=wanted.text is not None), in_name=wanted.pattern)


@cache
def _count(*, is_searched: bool) -> Query[CountRow]:
    return Query(select(func.count().label("count")).select_from(Label).where(*_those(is_searched=is_searched)), CountRow)


async def count(tx: Tx, wanted: Search) -> int:
    (found,) = await tx.fetch(_count(is_searched=wanted.text is not None), in_name=wanted.pattern)
    return found.count


async def of_clients(tx: Tx, ids: Sequence[UUID]) -> list[list[ClientLabelRow]]:
    """Labels of each client by name."""
    return grouped(await tx.fetch(OF_CLIENTS, ids=ids), ids, "client_id")


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[LabelRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
