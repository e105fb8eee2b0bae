"""What all tables share: the key that begins with the tenant, moments, checks and links."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import CheckConstraint, Constraint, ForeignKeyConstraint, MetaData, Text
from sqlalchemy.sql.schema import ColumnCollectionConstraint
from sqlmodel import Field as Stored
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig

from db.keys import new_id
from db.moments import now

SCHEMA = "relaties"


def _first_own(constraint: Constraint, _table: object) -> str:
    """What a constraint is about: its first column after the tenant's."""
    tenant, *own = [column.name for column in constraint.columns] if isinstance(constraint, ColumnCollectionConstraint) else [""]
    return (own or [tenant])[0]


NAMES: dict[str, str | Callable[[Constraint, Any], str]] = {
    "first_own": _first_own,
    "pk": "%(table_name)s_pk",
    "fk": "%(table_name)s_%(first_own)s_fk",
    "uq": "%(table_name)s_%(first_own)s_unique",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
CURRENCY = r"^[A-Z]{3}$"
COUNTRY = r"^[A-Z]{2}$"
LANGUAGE = r"^[a-z]{2}$"
CHOICE = Stored(sa_type=Text)  # a closed set of words is text with a check (`one_of`), so that a word can be added without a lock
SORTED = Text(collation="C")  # keys to order and match by, the same on every machine


class Fields(BaseModel, defer_build=True):
    """What a user can fill in. What validates it is made when it is first used."""


class Table(SQLModel):
    """The tenant comes first in every key, so that no link can cross tenants."""

    model_config = SQLModelConfig(defer_build=True)  # rules check field sets; what would validate entities is never made
    metadata: ClassVar[MetaData] = MetaData(schema=SCHEMA, naming_convention=NAMES)
    tenant_id: UUID = Stored(primary_key=True)


class Row(Table):
    """A row with an identifier of its own."""

    id: UUID = Stored(default_factory=new_id, primary_key=True)


class Changing(SQLModel):
    """A row that people change: since when, when last, and how often."""

    created_at: datetime = Stored(default_factory=now)
    updated_at: datetime = Stored(default_factory=now)
    version: int = Stored(default=1)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """A text that is one of a closed set; null where the column allows it."""
    known = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({known})", name=column)


def check(name: str, condition: str) -> CheckConstraint:
    return CheckConstraint(condition, name=name)


def link(
    table: str, *columns: str, to: tuple[str, ...] = ("id",), follows: bool = False, later: bool = False, goes: bool = False
) -> ForeignKeyConstraint:
    """A link to a row of the same tenant.

    `follows`: the columns change with those they point at; `goes`: the row goes with the one it points at; `later`: made after both tables.
    """
    return ForeignKeyConstraint(
        ["tenant_id", *columns],
        [f"{SCHEMA}.{table}.{column}" for column in ("tenant_id", *to)],
        onupdate="CASCADE" if follows else None,
        ondelete="CASCADE" if goes else None,
        use_alter=later,
    )


def of_organization() -> ForeignKeyConstraint:
    return link("organization", to=())


@cache
def text_lengths() -> dict[str, int]:
    """Return the most characters that a column of each name holds, of all tables; without those that have no limit."""
    found: dict[str, int] = {}
    for column in (column for table in Table.metadata.tables.values() for column in table.columns):
        length = getattr(column.type, "length", None)
        if length is not None:
            found[column.name] = max(length, found.get(column.name, 0))
    return found
