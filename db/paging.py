"""A place in an order of rows: the value sorted by, and the id that breaks ties."""

from datetime import datetime
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Uuid, tuple_
from sqlalchemy.types import TypeEngine

from db.query import parameter

Key: TypeAlias = tuple[str | int | datetime, UUID]
S = TypeVar("S", bound=Select[*tuple[Any, ...]])


def beyond(
    key: SQLColumnExpression[Any], kind: TypeEngine[Any], id_: SQLColumnExpression[UUID], *, is_ascending: bool
) -> ColumnElement[bool]:
    """What comes after the place `after_key`, `after_id`: one comparison of both, which an index on both answers."""
    here, after = tuple_(key, id_), tuple_(parameter("after_key", kind), parameter("after_id", Uuid()))
    return here > after if is_ascending else here < after


def ordered(statement: S, key: SQLColumnExpression[Any], id_: SQLColumnExpression[UUID], *, is_ascending: bool) -> S:
    return statement.order_by(key, id_) if is_ascending else statement.order_by(key.desc(), id_.desc())
