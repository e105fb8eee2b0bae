"""A statement over the tables, its constant SQL text, and the class of its rows.

A row class is declared once, by annotations; they become properties that read the record by position:

    class LabelRow(Row):
        id: UUID
        name: str

`Query` refuses a statement whose columns are not exactly those of its row class, in that order. It does so when it is
first used, and compiled: doing that for all of them is a large part of a start. The tests compile every one.
"""

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeAlias, TypeVar

import asyncpg
from sqlalchemy import Delete, Insert, Select, Update, select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

MAX_PROJECTIONS = 32  # projections of one statement, of about 8 kB each
RESERVED_NAMES = frozenset({"get", "items", "keys", "values"})
R = TypeVar("R", bound="Row")


class UnselectedColumnError(AttributeError):
    """A column was read that the operation had not requested, so the statement does not select it."""


def _raise_unselected(row: "Row") -> NoReturn:
    raise UnselectedColumnError(type(row).__name__)


class Row(asyncpg.Record):
    """A database record whose columns have names and types: no entity, no copy.

    `__init_subclass__` and no metaclass: asyncpg takes nothing but a class of `type` itself.
    """

    __columns__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        names = tuple(inspect.get_annotations(cls))
        if reserved_names := RESERVED_NAMES.intersection(names):
            raise TypeError(f"{cls.__name__}: asyncpg.Record keeps {sorted(reserved_names)} for itself")
        first = len(cls.__columns__)
        cls.__columns__ += names
        for position, column in enumerate(names, first):
            setattr(cls, column, property(itemgetter(position)))

    @classmethod
    def project_row(cls, names: tuple[str, ...]) -> type[Self]:
        """Return the row class with these columns alone; reading another raises `UnselectedColumnError`."""
        return cls.with_positions({name: position for position, name in enumerate(names)})

    @classmethod
    def with_positions(cls, positions: Mapping[str, int]) -> type[Self]:
        """Return the row class whose columns are at these positions of the record, without others."""
        properties = {name: property(itemgetter(positions[name]) if name in positions else _raise_unselected) for name in cls.__columns__}

        def iterate(row: Row) -> Iterator[Any]:
            return iter([row[position] for position in positions.values()])

        return type(cls.__name__, (cls,), {**properties, "__columns__": tuple(positions), "__iter__": iterate})


Statement: TypeAlias = Select[Any] | Insert | Update | Delete


class Command:
    """A statement, compiled once, when it is first used; every value is a parameter with a name.

    It changes rows where they are, or locks them.
    """

    def __init__(self, statement: Statement, description: str) -> None:
        self._statement = statement
        self._description = description

    @cached_property
    def sql(self) -> str:
        return self._sql_and_parameters[0]

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, `$1` first."""
        return self._sql_and_parameters[1]

    @cached_property
    def _sql_and_parameters(self) -> tuple[str, tuple[str, ...]]:
        sql, names = compile_statement(self._statement)
        if "tenant" not in names:
            raise TypeError(f"{self._description}: a statement without its tenant")
        del self._statement  # all of them together are some megabytes
        return sql, names

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """Return the values in the order of the statement's parameters. None is allowed for a parameter that the statement lacks."""
        if unknown_names := [name for name, value in values.items() if value is not None and name not in self.parameter_names]:
            raise TypeError(f"{self._description}: no parameter {unknown_names}")
        return [values[name] for name in self.parameter_names]


class Query(Command, Generic[R]):
    """A statement whose rows are read."""

    _statement: Select[Any]

    def __init__(self, statement: Select[Any], row: type[R]) -> None:
        super().__init__(statement, row.__name__)
        self.row = row
        self._always_selected: tuple[str, ...] | None = None
        self._projections: dict[tuple[str, ...], Query[R]] = {}

    def always_select(self, *names: str) -> Self:
        """Name the columns that rules read. They are always selected; other columns are left out unless the operation requests them."""
        self._always_selected = names
        return self

    def project(self, requested_columns: frozenset[str] | None) -> "Query[R]":
        """Return the query with the requested columns, of any row class or of its own, and those that rules read.

        There are at most `MAX_PROJECTIONS`; beyond that all columns are read. A projection is never dropped: its row class is a reference
        cycle, which only a full collection frees, and callers who vary their columns would fill the memory.
        """
        return self if requested_columns is None or self._always_selected is None else _cached_projection(self, requested_columns)

    def build_projection(self, requested_columns: frozenset[str]) -> "Query[R]":
        always_selected, classes = self._always_selected or (), [each.__name__ for each in self.row.__mro__]
        requested_names = {
            name
            for name in self.row.__columns__
            if name in requested_columns or any(f"{each}.{name}" in requested_columns for each in classes)
        }
        names = tuple(name for name in self.row.__columns__ if name in requested_names or name in always_selected)
        if projection := self._projections.get(names):
            return projection
        if len(self._projections) >= MAX_PROJECTIONS:
            return self
        self._projections[names] = _Projection(self.row.project_row(names), self._sql_and_parameters)
        return self._projections[names]

    @cached_property
    def _sql_and_parameters(self) -> tuple[str, tuple[str, ...]]:
        if (columns_of_statement := tuple(column.key for column in self._statement.selected_columns)) != self.row.__columns__:
            raise TypeError(f"{self.row.__name__} has columns {self.row.__columns__}, its statement {columns_of_statement}")
        return super()._sql_and_parameters


@lru_cache(maxsize=256)  # the sets are those of documents: of a few kilobytes each, shared by the queries of a document
def _cached_projection(query: Query[R], requested_columns: frozenset[str]) -> Query[R]:
    return query.build_projection(requested_columns)


class _Projection(Query[R]):
    """Wrap the whole statement, since text costs nothing: PostgreSQL keeps its order, and skips the columns that it need not read."""

    def __init__(self, row: type[R], source: tuple[str, tuple[str, ...]]) -> None:
        super().__init__(select(), row)
        self._source = source

    @cached_property
    def _sql_and_parameters(self) -> tuple[str, tuple[str, ...]]:
        sql, parameter_names = self._source
        names = ", ".join(f'"{name}"' for name in self.row.__columns__)
        return f"SELECT {names} FROM ({sql}) AS found", parameter_names  # noqa: S608 our own words


def compile_statement(statement: Statement) -> tuple[str, tuple[str, ...]]:
    """Return the SQL as asyncpg accepts it, and the names of its parameters in order. Constants are part of the SQL."""
    compilation = statement.compile(dialect=dialect(), compile_kwargs={"render_postcompile": True})  # type: ignore[no-untyped-call]
    if constants := [name for name, bind in compilation.binds.items() if not bind.required]:
        raise TypeError(f"write {constants} as enum_literal() or literal_column(): constants are part of the SQL")
    return str(compilation), tuple(compilation.positiontup or ())
