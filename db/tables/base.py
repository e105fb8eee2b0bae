"""What all tables share: the key that begins with the tenant, timestamps, checks and foreign keys."""

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


def _first_own_column(constraint: Constraint, _table: object) -> str:
    """Return the first column of a constraint after the tenant's, for its name."""
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
# A closed set of words is text with a check (`enum_check`), so that a word can be added without a lock.
ENUM_TEXT = ColumnField(sa_type=Text)
BYTE_ORDER_TEXT = Text(collation="C")  # keys to sort and match by, the same on every machine


class Fields(BaseModel, defer_build=True):
    """Fields that a user can fill in. The validator is built on first use."""


class Table(SQLModel):
    """A table whose keys all begin with the tenant, so that no foreign key can cross tenants."""

    model_config = SQLModelConfig(defer_build=True)  # rules validate field sets; validators of entities are never built
    metadata: ClassVar[MetaData] = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)
    tenant_id: UUID = ColumnField(primary_key=True)


class Entity(Table):
    """A table whose rows have an identifier of their own."""

    id: UUID = ColumnField(default_factory=new_id, primary_key=True)


class Versioned(SQLModel):
    """A row that users change: when it was created and last updated, and its version."""

    created_at: datetime = ColumnField(default_factory=now)
    updated_at: datetime = ColumnField(default_factory=now)
    version: int = ColumnField(default=1)


def table_of(entity: type[SQLModel]) -> SqlTable:
    """Return the SQLAlchemy table: statements over the ORM mapper take longer to build and to compile."""
    table: SqlTable = entity.__table__  # type: ignore[attr-defined]
    return table


def enum_check(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Return the check that a text column has a value of the enum; null passes."""
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

    `on_update_cascade`: the columns change with those they point at; `on_delete_cascade`: the row goes with the one it points at;
    `use_alter`: it is created after both tables.
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
    """Return the maximum length of the text columns of all tables by name, without those that have no limit."""
    lengths: dict[str, int] = {}
    for column in (column for table in Table.metadata.tables.values() for column in table.columns):
        length = getattr(column.type, "length", None)
        if length is not None:
            lengths[column.name] = max(length, lengths.get(column.name, 0))
    return lengths
