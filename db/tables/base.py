"""Base classes of all tables, whose keys begin with the tenant, and functions for their checks and foreign keys."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import CheckConstraint, Constraint, ForeignKeyConstraint, MetaData, Text
from sqlalchemy import Table as SqlTable
from sqlalchemy.sql.schema import ColumnCollectionConstraint
from sqlmodel import Field as ColumnField
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig

from db.tables.keys import new_id
from db.tables.timestamps import now

SCHEMA = "relaties"
QUEUE_SCHEMA = "relaties_queue"  # the tables of the job queue, which belong to the library pgqueuer
QUEUE_ENTRYPOINT = "organization"  # the library's name for our one kind of messages


def _first_own_column(constraint: Constraint, _table: object) -> str:
    """Return the first column of a constraint after `tenant_id`, for the constraint's name."""
    tenant, *names = [column.name for column in constraint.columns] if isinstance(constraint, ColumnCollectionConstraint) else [""]
    return (names or [tenant])[0]


NAMING_CONVENTION: dict[str, str | Callable[[Constraint, Any], str]] = {
    "first_own": _first_own_column,
    "pk": "%(table_name)s_pk",
    "fk": "%(table_name)s_%(first_own)s_fk",
    "uq": "%(table_name)s_%(first_own)s_unique",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
CURRENCY = r"^[A-Z]{3}$"
COUNTRY = r"^[A-Z]{2}$"
LANGUAGE = r"^[a-z]{2}$"
# An enum is stored as text with a check (`enum_check`) instead of a PostgreSQL enum, so that a value can be added without a long lock.
ENUM_TEXT = ColumnField(sa_type=Text)
BYTE_ORDER_TEXT = Text(collation="C")  # of keys to sort and match by: the order is the same on every machine


class Fields(BaseModel, defer_build=True):
    """Fields that a user can fill in. The validator is built at its first use."""


class Table(SQLModel):
    """A table. All its keys begin with the tenant, so that no foreign key can refer to another tenant's row."""

    model_config = SQLModelConfig(defer_build=True)  # rules validate field sets, so the validators of tables are never needed
    metadata: ClassVar[MetaData] = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)
    tenant_id: UUID = ColumnField(primary_key=True)


class Entity(Table):
    """A table whose rows have an id of their own."""

    id: UUID = ColumnField(default_factory=new_id, primary_key=True)


class Versioned(SQLModel):
    """A row that users can change: the times of its creation and last update, and its version."""

    created_at: datetime = ColumnField(default_factory=now)
    updated_at: datetime = ColumnField(default_factory=now)
    version: int = ColumnField(default=1)


def table_of(entity: type[SQLModel]) -> SqlTable:
    """Return the SQLAlchemy table. Statements over it are faster to build and to compile than statements over the mapped class."""
    table: SqlTable = entity.__table__  # type: ignore[attr-defined]
    return table


def enum_check(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Return the check that a text column is null or has a value of the enum."""
    literals = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({literals})", name=column)


def check(name: str, condition: str) -> CheckConstraint:
    return CheckConstraint(condition, name=name)


def foreign_key(
    table: str,
    *columns: str,
    referenced_columns: tuple[str, ...] = ("id",),
    on_update_cascade: bool = False,
    use_alter: bool = False,
    on_delete_cascade: bool = False,
) -> ForeignKeyConstraint:
    """Return a foreign key to a row of the same tenant.

    `on_update_cascade`: the columns change with the referenced columns. `on_delete_cascade`: the row is deleted with the referenced row.
    `use_alter`: the constraint is created after both tables, for tables that refer to each other.
    """
    return ForeignKeyConstraint(
        ["tenant_id", *columns],
        [f"{SCHEMA}.{table}.{column}" for column in ("tenant_id", *referenced_columns)],
        onupdate="CASCADE" if on_update_cascade else None,
        ondelete="CASCADE" if on_delete_cascade else None,
        use_alter=use_alter,
    )


def organization_foreign_key() -> ForeignKeyConstraint:
    return foreign_key("organization", referenced_columns=())


@cache
def text_lengths() -> dict[str, int]:
    """Return the maximum lengths of text columns by column name; the longest where tables differ. Unlimited columns are left out."""
    lengths: dict[str, int] = {}
    for column in (column for table in Table.metadata.tables.values() for column in table.columns):
        length = getattr(column.type, "length", None)
        if length is not None:
            lengths[column.name] = max(length, lengths.get(column.name, 0))
    return lengths
