"""Inject random faults into loaders, row columns and resolvers. The same seed causes the same faults for the same requests."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import pytest
from graphql import GraphQLError, GraphQLSchema
from strawberry.types.fields.resolver import StrawberryResolver

from db.engine.statement import Query, Row
from domain.core.errors import BadInput, ForbiddenError
from resolvers.dataloader import Loader

FAILURES: list[Callable[[], BaseException]] = [
    lambda: ValueError("broken"),
    lambda: BadInput("Refused by chance."),
    lambda: ForbiddenError("Forbidden by chance."),
    lambda: GraphQLError("Of the resolver's own.", extensions={"code": "OWN"}),
    lambda: KeyError("broken too"),
]


class WrongType:
    """A value that no field accepts. Its text is always the same, so that messages can be compared."""

    def __repr__(self) -> str:
        return "of no type"


@dataclass(frozen=True)
class FaultInjector:
    """Decide by a hash of the seed and of the requested data which calls fail: one in `one_in`."""

    seed: int
    one_in: int

    def hash_number(self, *what: object) -> int:
        # `hash` of a text differs between processes.
        return crc32(repr((self.seed, what)).encode())

    def should_fail(self, *what: object) -> bool:
        return self.hash_number("strikes", *what) % self.one_in == 0

    def choose_failure(self, *what: object) -> BaseException:
        return FAILURES[self.hash_number("failure", *what) % len(FAILURES)]()

    def choose_kind(self, kinds: Sequence[str], *what: object) -> str:
        return kinds[self.hash_number("kind", *what) % len(kinds)]

    async def load_batch(self, ask: "partial[Awaitable[Sequence[Any]]]", keys: Sequence[Any]) -> Sequence[Any]:
        """Load the batch late, fail, or cancel it as a whole; or return a null, an error or a value of the wrong type for a key."""
        function = inspect.unwrap(ask.func)
        name = (*_stable_name(function if inspect.isroutine(function) else type(function)), ask.keywords)
        if self.should_fail(name):
            kind = self.choose_kind(["late", "late", "failed", "cancelled"], name)
            if kind == "failed":
                raise self.choose_failure(name)
            if kind == "cancelled":
                raise asyncio.CancelledError
            for _ in range(self.hash_number(name) % 20):
                await asyncio.sleep(0)
        return [self._change_value((name, key), value) for key, value in zip(keys, await ask(keys), strict=True)]

    def _change_value(self, what: object, value: object) -> object:
        if not self.should_fail(what):
            return value
        kind = self.choose_kind(["null", "failed", "of no type"], what)
        return None if kind == "null" else self.choose_failure(what) if kind == "failed" else WrongType()

    def read_column(self, row_class: type[Row], name: str, row: Any) -> Any:  # noqa: ANN401
        """Read a column by its name in the original row class, since its position depends on the statement."""
        key = column_getter(row_class, "id")(row) if "id" in row_class.__columns__ else tuple(row)
        what = type(row).__name__, name, key
        if not self.should_fail(what):
            return column_getter(row_class, name)(row)
        kind = self.choose_kind(["null", "null", "failed", "of no type"], what)
        if kind == "failed":
            raise self.choose_failure(what)
        return None if kind == "null" else WrongType()

    def resolve(self, name: str, inner: Callable[..., Any], *positional: Any, **arguments: Any) -> Any:  # noqa: ANN401
        what = name, [(name, arguments[name]) for name in sorted(arguments) if name != "info"]
        if not self.should_fail(what):
            return inner(*positional, **arguments)
        kind = self.choose_kind(["null", "failed", "failed late"], what)
        if kind == "failed":
            raise self.choose_failure(what)
        return None if kind == "null" else self._fail_late(what)

    async def _fail_late(self, what: object) -> None:
        await asyncio.sleep(0)
        raise self.choose_failure(what)

    def failing_row_class(self, row_class: type[Row]) -> type[Row]:
        """Return a subclass whose columns may fail."""
        failing: dict[str, object] = {column: property(partial(self.read_column, row_class, column)) for column in row_class.__columns__}
        return type(
            row_class.__name__,
            (row_class,),
            failing | {"with_positions": lambda positions: self.failing_row_class(row_class.with_positions(positions))},
        )


def column_getter(row_class: type[Row], column: str) -> Callable[[Row], Any]:
    """Return the function that reads the column of a record."""
    get: Callable[[Row], Any] = getattr(row_class, column).fget
    return get


def _stable_name(named: Any) -> tuple[str, str]:  # noqa: ANN401 a function or a class
    """Return a name that is the same in every process. A batch can be an object without a name; its class is passed then."""
    return named.__module__, named.__qualname__


@contextmanager
def inject_faults(faults: FaultInjector, schema: GraphQLSchema) -> Iterator[None]:
    """Inject faults during the block."""
    make, narrow, call, projected_queries = Loader.__init__, Query.project, StrawberryResolver.__call__, dict[Query[Any], Query[Any]]()
    assert schema.query_type
    roots = {field.extensions["strawberry-definition"].base_resolver: name for name, field in schema.query_type.fields.items()}

    def project(query: Query[Any], columns: frozenset[str] | None) -> Query[Any]:
        projected = narrow(query, columns)
        # One row class for each statement, so that prepared statements are reused.
        if projected not in projected_queries:
            projected_queries[projected] = copy(projected)
            projected_queries[projected].row = faults.failing_row_class(projected.row)
        return projected_queries[projected]

    def call_resolver(resolver: StrawberryResolver[Any], *positional: Any, **arguments: Any) -> Any:  # noqa: ANN401 any result
        inner = partial(call, resolver)
        return faults.resolve(roots[resolver], inner, *positional, **arguments) if resolver in roots else inner(*positional, **arguments)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Loader, "__init__", lambda loader, batch: make(loader, partial(faults.load_batch, batch)))
        monkeypatch.setattr(Query, "project", project)
        monkeypatch.setattr(StrawberryResolver, "__call__", call_resolver)
        yield
