"""Rows as entities, for a unit of work to change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import select

from db.engine import Work
from db.query import col
from db.tables import Row, Table

T = TypeVar("T", bound=Row)
E = TypeVar("E", bound=Table)


async def locked(work: Work, table: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """The rows there are, held until the unit of work ends, in the order of their ids, so that two that meet wait and never block."""
    return {row.id: row for row in await held(work, table, id=[*ids])}


async def shared(work: Work, table: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """The rows there are, which nobody removes or renames until the unit of work ends."""
    mine = select(table).where(col(table.tenant_id) == work.tenant, col(table.id).in_(ids)).order_by(col(table.id))
    return {row.id: row for row in await work.session.exec(mine.with_for_update(key_share=True, read=True))}


async def steady(work: Work, table: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """The rows there are, which nobody changes or removes until the unit of work ends; others may hold them so too."""
    mine = select(table).where(col(table.tenant_id) == work.tenant, col(table.id).in_(ids)).order_by(col(table.id))
    return {row.id: row for row in await work.session.exec(mine.with_for_update(read=True).execution_options(populate_existing=True))}


async def found(work: Work, table: type[E], **keys: object) -> list[E]:
    """The rows whose columns are equal to these, or among them where a list is given."""
    return [*await work.session.exec(select(table).where(*_those(work, table, keys)))]


async def held(work: Work, table: type[T], **keys: object) -> list[T]:
    """The same, held until the unit of work ends."""
    return [*await work.session.exec(select(table).where(*_those(work, table, keys)).order_by(col(table.id)).with_for_update())]


def _those(work: Work, table: type[Table], keys: Mapping[str, object]) -> Iterator[ColumnElement[bool]]:
    yield col(table.tenant_id) == work.tenant
    for name, wanted in keys.items():
        column = col(getattr(table, name))
        yield column.in_(wanted) if isinstance(wanted, list) else column == wanted
