"""Statements over the tables: their constant SQL text, and the class of their rows.

The annotations of a row class become properties that read the record by position:

    class LabelRow(Row):
        id: UUID
        name: str

A statement is compiled when it is first used, because compiling all of them would be a large part of the start-up time. `Query` then
rejects a statement whose columns are not exactly those of its row class, in that order. The tests compile every statement.
"""

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeAlias, TypeVar

import asyncpg
from sqlalchemy import Delete, Insert, Select, Update, select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

MAX_PROJECTIONS = 32  # per statement; each takes about 8 kB
RESERVED_NAMES = frozenset({"get", "items", "keys", "values"})
R = TypeVar("R", bound="Row")


class UnselectedColumnError(AttributeError):
    """The code read a column that the operation did not request, so the statement does not select it."""


def _raise_unselected(row: "Row") -> NoReturn:
    raise UnselectedColumnError(type(row).__name__)


class Row(asyncpg.Record):
    """The driver's own record, with typed properties for its columns. Reading a row copies nothing.

    It uses `__init_subclass__`, because asyncpg accepts a record class only if its metaclass is exactly `type`.
    """

    __columns__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        names = tuple(inspect.get_annotations(cls))
        if reserved_names := RESERVED_NAMES.intersection(names):
            raise TypeError(f"{cls.__name__}: rename the columns {sorted(reserved_names)}, which are methods of asyncpg.Record")
        first = len(cls.__columns__)
        cls.__columns__ += names
        for position, column in enumerate(names, first):
            setattr(cls, column, property(itemgetter(position)))

    @classmethod
    def project_row(cls, names: tuple[str, ...]) -> type[Self]:
        """Return a row class with only these columns. Reading another one raises `UnselectedColumnError`."""
        return cls.with_positions({name: position for position, name in enumerate(names)})

    @classmethod
    def with_positions(cls, positions: Mapping[str, int]) -> type[Self]:
        """Return a row class with only these columns, at these positions of the record."""
        properties = {name: property(itemgetter(positions[name]) if name in positions else _raise_unselected) for name in cls.__columns__}

        def iterate(row: Row) -> Iterator[Any]:
            return iter([row[position] for position in positions.values()])

        return type(cls.__name__, (cls,), {**properties, "__columns__": tuple(positions), "__iter__": iterate})


Statement: TypeAlias = Select[Any] | Insert | Update | Delete


class Command:
    """A statement whose values are all named parameters. A plain command changes or locks rows; a `Query` returns them.

    It is compiled once, when it is first used. `description` names it in errors.
    """

    def __init__(self, statement: Statement, description: str) -> None:
        self._statement = statement
        self._description = description

    @cached_property
    def sql(self) -> str:
        return self._sql_and_parameters[0]

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, in their order (`$1`, `$2`, …)."""
        return self._sql_and_parameters[1]

    @cached_property
    def _sql_and_parameters(self) -> tuple[str, tuple[str, ...]]:
        sql, names = compile_statement(self._statement)
        if "tenant" not in names:
            raise TypeError(f"{self._description}: the statement has no parameter `tenant`; every statement must name its tenant")
        del self._statement  # free the memory: all statements together take some megabytes
        return sql, names

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """Return the values in the order of the statement's parameters. A value without a parameter must be None."""
        if unknown_names := [name for name, value in values.items() if value is not None and name not in self.parameter_names]:
            raise TypeError(f"{self._description}: the statement has no parameter {unknown_names}")
        return [values[name] for name in self.parameter_names]


class Query(Command, Generic[R]):
    """A statement that returns rows of one class."""

    _statement: Select[Any]

    def __init__(self, statement: Select[Any], row: type[R]) -> None:
        super().__init__(statement, row.__name__)
        self.row = row
        self._always_selected: tuple[str, ...] | None = None
        self._projections: dict[tuple[str, ...], Query[R]] = {}

    def always_select(self, *names: str) -> Self:
        """Name the columns to select always, such as those that rules read. Others are selected only if the operation requests them."""
        self._always_selected = names
        return self

    def project(self, requested_columns: frozenset[str] | None) -> "Query[R]":
        """Return the query with only the requested columns and those of `always_select`.

        A requested column is the name of a column of any row class, or `RowClass.column`. None requests all columns.
        There are at most `MAX_PROJECTIONS`; beyond that, all columns are read. Projections are kept for ever: a row class is a reference
        cycle, which only a full garbage collection frees, so dropping and building them again would fill the memory.
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
            raise TypeError(f"{self.row.__name__} has the columns {self.row.__columns__}, but its statement has {columns_of_statement}")
        return super()._sql_and_parameters


@lru_cache(maxsize=256)  # each document has one set of requested columns, of a few kilobytes, which its queries share
def _cached_projection(query: Query[R], requested_columns: frozenset[str]) -> Query[R]:
    return query.build_projection(requested_columns)


class _Projection(Query[R]):
    """A query for some of the columns. It wraps the whole statement: PostgreSQL keeps the order and skips columns that are not selected."""

    def __init__(self, row: type[R], source: tuple[str, tuple[str, ...]]) -> None:
        super().__init__(select(), row)
        self._source = source

    @cached_property
    def _sql_and_parameters(self) -> tuple[str, tuple[str, ...]]:
        sql, parameter_names = self._source
        names = ", ".join(f'"{name}"' for name in self.row.__columns__)
        return f"SELECT {names} FROM ({sql}) AS found", parameter_names  # noqa: S608 constants of ours


def compile_statement(statement: Statement) -> tuple[str, tuple[str, ...]]:
    """Return the SQL in the form that asyncpg accepts, and the names of its parameters in order. Rejects constants as parameters."""
    compilation = statement.compile(dialect=dialect(), compile_kwargs={"render_postcompile": True})  # type: ignore[no-untyped-call]
    if constants := [name for name, bind in compilation.binds.items() if not bind.required]:
        raise TypeError(f"Write {constants} as `enum_literal()` or `literal_column()`: constants must be part of the SQL.")
    return str(compilation), tuple(compilation.positiontup or ())
