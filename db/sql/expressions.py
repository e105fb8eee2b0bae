"""Parameters, columns and conditions that statements are built from."""

from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, Column, ColumnElement, Numeric, Text, Uuid, and_, any_, bindparam, cast, func, literal_column, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from db.engine.statement import Row
from db.tables.base import Entity, table_of

T = TypeVar("T")
TENANT: BindParameter[UUID] = bindparam("tenant", type_=Uuid())


def columns(row: type[Row], table: type[SQLModel], **expressions: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return the columns that a row class declares: the expression of that name if there is one, or else the table's column."""
    table_columns = table_of(table).c
    return [_output_column(expressions[name] if name in expressions else table_columns[name]).label(name) for name in row.__columns__]


def _output_column(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Cast numbers and JSON to text, so that read transactions and units of work return the same type."""
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
    """Return an enum value as a constant in the SQL. The values are a closed set, so no parameter is needed."""
    return literal_column(f"'{value}'", Text())


def reference(table: type[Entity], foreign_key: ColumnElement[Any]) -> tuple[SqlTable, ColumnElement[bool]]:
    """Return the arguments of a join: the table, and the condition that its row is the one that the foreign key refers to."""
    return table_of(table), and_(col(table.tenant_id) == TENANT, col(table.id) == foreign_key)


IDS = parameter("ids", ARRAY(Uuid()))
requested_ids = func.unnest(IDS).table_valued("id").render_derived(name="asked")  # the requested ids as rows, for joins


def id_in(column: ColumnElement[UUID], *, is_planned_once: bool = False) -> ColumnElement[bool]:
    """Return the condition that the column has one of the requested ids. `in_()` compiles to a placeholder that asyncpg cannot run.

    `is_planned_once` hides the number of ids from the planner. In a large table, the plan for one id looks so much cheaper than the
    generic plan that PostgreSQL plans the statement again at each execution, which takes longer than it saves.
    """
    return column == any_(cast(select(IDS.label("ids")).scalar_subquery(), IDS.type) if is_planned_once else IDS)
