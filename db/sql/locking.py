"""Find and lock entities for a unit of work to change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

from db.engine.protocols import UnitOfWork
from db.sql.expressions import col
from db.tables import Entity, Table

T = TypeVar("T", bound=Entity)
E = TypeVar("E", bound=Table)


async def lock_for_update(work: UnitOfWork, entity: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """Lock the existing rows FOR UPDATE, in the order of their ids, so that concurrent units of work do not deadlock."""
    return {row.id: row for row in await find_for_update(work, entity, id=[*ids])}


async def lock_for_key_share(work: UnitOfWork, entity: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """Lock the existing rows FOR KEY SHARE: no other transaction can delete them or change their keys until this one ends."""
    statement = _select_in_order(work, entity, {"id": [*ids]}).with_for_update(key_share=True, read=True)
    return {row.id: row for row in await work.session.exec(statement)}


async def lock_for_share(work: UnitOfWork, entity: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    """Lock the existing rows FOR SHARE: no other transaction can change or delete them until this one ends."""
    statement = _select_in_order(work, entity, {"id": [*ids]}).with_for_update(read=True)
    # Overwrite entities that the session has loaded already: they may have changed before the lock.
    return {row.id: row for row in await work.session.exec(statement.execution_options(populate_existing=True))}


async def find(work: UnitOfWork, entity: type[E], **keys: object) -> list[E]:
    """Return the rows whose columns have these values. A list as a value matches each of its elements."""
    return [*await work.session.exec(select(entity).where(*_conditions(work, entity, keys)))]


async def find_for_update(work: UnitOfWork, entity: type[T], **keys: object) -> list[T]:
    """Return the rows that `find` returns, locked FOR UPDATE until the unit of work ends."""
    return [*await work.session.exec(_select_in_order(work, entity, keys).with_for_update())]


def _select_in_order(work: UnitOfWork, entity: type[T], keys: Mapping[str, object]) -> SelectOfScalar[T]:
    return select(entity).where(*_conditions(work, entity, keys)).order_by(col(entity.id))


def _conditions(work: UnitOfWork, entity: type[Table], keys: Mapping[str, object]) -> Iterator[ColumnElement[bool]]:
    yield col(entity.tenant_id) == work.tenant
    for name, value in keys.items():
        column = col(getattr(entity, name))
        yield column.in_(value) if isinstance(value, list) else column == value
