"""Parameters, columns and conditions that statements are built of."""

from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, Column, ColumnElement, Numeric, Text, Uuid, any_, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from db.engine.statement import Row
from db.tables.base import table_of

T = TypeVar("T")
TENANT: BindParameter[UUID] = bindparam("tenant", type_=Uuid())


def columns(row: type[Row], table: type[SQLModel], **expressions: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return the columns of a row class: the table's by name, or the expressions of the same name."""
    table_columns = table_of(table).c
    return [_output_column(expressions[name] if name in expressions else table_columns[name]).label(name) for name in row.__columns__]


def _output_column(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Cast money and JSON to text, so that reads and units of work return the same type."""
    return cast(column, Text) if isinstance(column.type, Numeric | JSONB) else column


def col(attribute: T) -> Column[T]:
    """Return the table column of a class attribute, with the attribute's type."""
    mapper_attribute: Any = attribute
    key: str = mapper_attribute.key
    return table_of(mapper_attribute.class_).c[key]


def parameter(name: str, kind: TypeEngine[T]) -> BindParameter[T]:
    """Return a named parameter of a query."""
    return bindparam(name, type_=kind)


def enum_literal(value: StrEnum) -> ColumnElement[str]:
    """Return an enum value as a constant in the SQL; it is one of a closed set, so it needs no parameter."""
    return literal_column(f"'{value}'", Text())


IDS = parameter("ids", ARRAY(Uuid()))
requested_ids = func.unnest(IDS).table_valued("id").render_derived(name="asked")  # the requested ids as rows, to join what each has


def id_in(column: ColumnElement[UUID], *, is_planned_once: bool = False) -> ColumnElement[bool]:
    """Match the ids of the array parameter. `in_()` would give one SQL text per number of values, which asyncpg cannot run.

    With `is_planned_once` PostgreSQL does not see how many keys there are when it plans. Where it sees one, in a large table, a plan for
    one looks so much cheaper than the plan for any number that it plans the statement at each execution, which takes longer than that.
    """
    return column == any_(cast(select(IDS.label("ids")).scalar_subquery(), IDS.type) if is_planned_once else IDS)
