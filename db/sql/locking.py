"""Find and lock entities for a unit of work to change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import select

from db.engine.protocols import UnitOfWork
from db.sql.expressions import col
from db.tables import Entity, Table

T = TypeVar("T", bound=Entity)
E = TypeVar("E", bound=Table)


async def lock_for_update(work: UnitOfWork, entity: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """Lock the existing rows FOR UPDATE in the order of their ids, so that concurrent units of work never deadlock."""
    return {row.id: row for row in await find_for_update(work, entity, id=[*ids])}


async def lock_for_key_share(work: UnitOfWork, entity: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """Lock the existing rows FOR KEY SHARE: nobody deletes them or changes their keys until the unit of work ends."""
    statement = select(entity).where(col(entity.tenant_id) == work.tenant, col(entity.id).in_(ids)).order_by(col(entity.id))
    return {row.id: row for row in await work.session.exec(statement.with_for_update(key_share=True, read=True))}


async def lock_for_share(work: UnitOfWork, entity: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """Lock the existing rows FOR SHARE: nobody changes or deletes them until the unit of work ends; others may share the lock."""
    statement = select(entity).where(col(entity.tenant_id) == work.tenant, col(entity.id).in_(ids)).order_by(col(entity.id))
    return {row.id: row for row in await work.session.exec(statement.with_for_update(read=True).execution_options(populate_existing=True))}


async def find(work: UnitOfWork, entity: type[E], **keys: object) -> list[E]:
    """Return the rows whose columns equal these values, or are in the list where a value is a list."""
    return [*await work.session.exec(select(entity).where(*_conditions(work, entity, keys)))]


async def find_for_update(work: UnitOfWork, entity: type[T], **keys: object) -> list[T]:
    """Return the same rows, locked FOR UPDATE until the unit of work ends."""
    return [*await work.session.exec(select(entity).where(*_conditions(work, entity, keys)).order_by(col(entity.id)).with_for_update())]


def _conditions(work: UnitOfWork, entity: type[Table], keys: Mapping[str, object]) -> Iterator[ColumnElement[bool]]:
    yield col(entity.tenant_id) == work.tenant
    for name, value in keys.items():
        column = col(getattr(entity, name))
        yield column.in_(value) if isinstance(value, list) else column == value
