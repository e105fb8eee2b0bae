"""A statement over the tables, its constant SQL text, and the class of its rows.

A row class is declared once, by annotations; they become properties that read the record by position:

    class LabelRow(Row):
        id: UUID
        name: str

`Query` refuses a statement whose columns are not exactly those of its row class, in that order. It does so when it is
first used, and compiled: doing that for all of them is a large part of a start. The tests compile every one.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    Insert,
    Numeric,
    Select,
    Table,
    Text,
    Update,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

MOST_NARROWED = 32  # forms of one statement, of about 8 kB each
RESERVED = frozenset({"get", "items", "keys", "values"})
R = TypeVar("R", bound="Row")
T = TypeVar("T")

_bytes = attrgetter("bytes")
TENANT: BindParameter[UUID] = bindparam("tenant", type_=Uuid())


class UnaskedError(AttributeError):
    """A column that was left out of a statement, since nobody was to read it."""


def _unasked(row: "Row") -> NoReturn:
    raise UnaskedError(type(row).__name__)


class Row(asyncpg.Record):
    """A record whose columns have names and types: no entity, no copy.

    `__init_subclass__` and no metaclass: asyncpg takes nothing but a class of `type` itself.
    """

    __columns__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = tuple(inspect.get_annotations(cls))
        if taken := RESERVED.intersection(own):
            raise TypeError(f"{cls.__name__}: asyncpg.Record keeps {sorted(taken)} for itself")
        first = len(cls.__columns__)
        cls.__columns__ += own
        for place, column in enumerate(own, first):
            setattr(cls, column, property(itemgetter(place)))

    @classmethod
    def narrowed(cls, names: tuple[str, ...]) -> type[Self]:
        """The same with these columns alone: to read another is a mistake, and told."""
        return cls.placed({name: place for place, name in enumerate(names)})

    @classmethod
    def placed(cls, places: Mapping[str, int]) -> type[Self]:
        """Return the class of records in which these columns, and no others, stand at these places."""
        shown = {name: property(itemgetter(places[name]) if name in places else _unasked) for name in cls.__columns__}

        def iterate(row: Row) -> Iterator[Any]:
            return iter([row[place] for place in places.values()])

        return type(cls.__name__, (cls,), {**shown, "__columns__": tuple(places), "__iter__": iterate})


Statement: TypeAlias = Select[Any] | Insert | Update | Delete


class Command:
    """A statement, compiled once, when it is first used; every value is a parameter with a name.

    It changes rows where they are, or locks them.
    """

    def __init__(self, statement: Statement, what: str) -> None:
        self._statement = statement
        self._what = what

    @cached_property
    def sql(self) -> str:
        return self._compiled[0]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The names of the parameters, `$1` first."""
        return self._compiled[1]

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...]]:
        sql, order = compiled(self._statement)
        if "tenant" not in order:
            raise TypeError(f"{self._what}: a statement without its tenant")
        del self._statement  # all of them together are some megabytes
        return sql, order

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """The values in the order of the text. None is allowed for a parameter that this shape does not use."""
        if surplus := [name for name, value in values.items() if value is not None and name not in self.order]:
            raise TypeError(f"{self._what}: no parameter {surplus}")
        return [values[name] for name in self.order]


class Query(Command, Generic[R]):
    """A statement whose rows are read."""

    _statement: Select[Any]

    def __init__(self, statement: Select[Any], row: type[R]) -> None:
        super().__init__(statement, row.__name__)
        self.row = row
        self._kept: tuple[str, ...] | None = None
        self._narrowed: dict[tuple[str, ...], Query[R]] = {}

    def keeping(self, *names: str) -> Self:
        """These are the columns that rules read, and the only ones: who reads the rows may leave out others that nobody asks for."""
        self._kept = names
        return self

    def of(self, asked: frozenset[str] | None) -> "Query[R]":
        """Return the query with the columns that are asked for, of whichever rows or of those of its class, and those that rules read.

        There are so many forms at most; then all columns are read. A form is never dropped: its row class is a reference cycle, which
        would wait for the collector's seldom look at what is old, and callers who vary their columns would fill the memory.
        """
        return self if asked is None or self._kept is None else _narrowed(self, asked)

    def narrowed(self, asked: frozenset[str]) -> "Query[R]":
        kept, classes = self._kept or (), [each.__name__ for each in self.row.__mro__]
        is_asked = {name for name in self.row.__columns__ if name in asked or any(f"{each}.{name}" in asked for each in classes)}
        names = tuple(name for name in self.row.__columns__ if name in is_asked or name in kept)
        if narrowed := self._narrowed.get(names):
            return narrowed
        if len(self._narrowed) >= MOST_NARROWED:
            return self
        self._narrowed[names] = _Narrowed(self.row.narrowed(names), self._compiled)
        return self._narrowed[names]

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...]]:
        if (found := tuple(column.key for column in self._statement.selected_columns)) != self.row.__columns__:
            raise TypeError(f"{self.row.__name__} has columns {self.row.__columns__}, its statement {found}")
        return super()._compiled


@lru_cache(maxsize=256)  # the sets are those of documents: of a few kilobytes each, shared by the queries of a document
def _narrowed(query: Query[R], asked: frozenset[str]) -> Query[R]:
    return query.narrowed(asked)


class _Narrowed(Query[R]):
    """Around the whole statement, since a text costs nothing: PostgreSQL keeps its order, and leaves out what it need not read."""

    def __init__(self, row: type[R], whole: tuple[str, tuple[str, ...]]) -> None:
        super().__init__(select(), row)
        self._whole = whole

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...]]:
        sql, order = self._whole
        names = ", ".join(f'"{name}"' for name in self.row.__columns__)
        return f"SELECT {names} FROM ({sql}) AS found", order  # noqa: S608 our own words


def compiled(statement: Statement) -> tuple[str, tuple[str, ...]]:
    """The text as asyncpg takes it, and the names of its parameters in order. What is fixed stands in the text."""
    made = statement.compile(dialect=dialect(), compile_kwargs={"render_postcompile": True})  # type: ignore[no-untyped-call]
    if fixed := [name for name, bind in made.binds.items() if not bind.required]:
        raise TypeError(f"write {fixed} as word() or literal_column(): constants stand in the text")
    return str(made), tuple(made.positiontup or ())


def columns(row: type[Row], table: type[SQLModel], **expressions: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """The columns of a row: those of the table by name, and the given expressions."""
    own = table_of(table).c
    return [_shown(expressions[name] if name in expressions else own[name]).label(name) for name in row.__columns__]


def _shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Money leaves SQL as text, and so does JSON, which readers and units of work would each be given otherwise."""
    return cast(column, Text) if isinstance(column.type, Numeric | JSONB) else column


def table_of(entity: type[SQLModel]) -> Table:
    """The table itself: what is read is no business of the mapper, whose statements take longer to make and to compile."""
    table: Table = entity.__table__  # type: ignore[attr-defined]
    return table


def col(attribute: T) -> Column[T]:
    """The column of a table, of which the class has the name and the type."""
    mapped: Any = attribute
    key: str = mapped.key
    return table_of(mapped.class_).c[key]


def parameter(name: str, kind: TypeEngine[T]) -> BindParameter[T]:
    """A value that a query is asked with."""
    return bindparam(name, type_=kind)


def word(value: StrEnum) -> ColumnElement[str]:
    """A constant of a statement: one of a closed set, so it can stand in the text."""
    return literal_column(f"'{value}'", Text())


IDS = parameter("ids", ARRAY(Uuid()))
asked = func.unnest(IDS).table_valued("id").render_derived(name="asked")  # the keys as rows, to join what each has


def among(column: ColumnElement[UUID], *, is_planned_once: bool = False) -> ColumnElement[bool]:
    """`in_()` would give a text per number of values, which asyncpg cannot run.

    With `is_planned_once` PostgreSQL does not see how many keys there are when it plans. Where it sees one, in a large table, a plan for
    one looks so much cheaper than the plan for any number that it plans the statement at each execution, which takes longer than that.
    """
    return column == any_(cast(select(IDS.label("ids")).scalar_subquery(), IDS.type) if is_planned_once else IDS)


def grouped(rows: Sequence[R], keys: Sequence[UUID], column: str) -> list[list[R]]:
    """The rows of each key, in the order of the keys."""
    groups: dict[bytes, list[R]] = {key: [] for key in map(_bytes, keys)}
    for key, row in zip(_keys(rows, column), rows, strict=True):
        groups[key].append(row)
    return list(groups.values())


def by_key(rows: Sequence[R], keys: Sequence[UUID], column: str = "id") -> list[R | None]:
    """The row of each key, or None, in the order of the keys."""
    found = dict(zip(_keys(rows, column), rows, strict=True))
    return [found.get(key) for key in map(_bytes, keys)]


def _keys(rows: Sequence[Row], column: str) -> Iterable[bytes]:
    """Read a column of rows of one class in C. To hash the bytes of a UUID takes a third of the time of the UUID itself."""
    return map(_bytes, map(getattr(type(rows[0]), column).fget, rows)) if rows else ()
