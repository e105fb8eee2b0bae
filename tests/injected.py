"""Faults by chance, the same for all who ask the same: in the batches of loaders, in the columns of rows, in resolvers."""

import asyncio
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


class OfNoType:
    """What no field expects; the same words each time."""

    def __repr__(self) -> str:
        return "of no type"


@dataclass(frozen=True)
class Faults:
    """One in so many of what happens fails, which the seed and what is asked alone decide."""

    seed: int
    one_in: int

    def number(self, *what: object) -> int:
        return crc32(repr((self.seed, what)).encode())

    def strikes(self, *what: object) -> bool:
        return self.number("strikes", *what) % self.one_in == 0

    def failure(self, *what: object) -> BaseException:
        return FAILURES[self.number("failure", *what) % len(FAILURES)]()

    def kind(self, kinds: Sequence[str], *what: object) -> str:
        return kinds[self.number("kind", *what) % len(kinds)]

    async def batch(self, ask: "partial[Awaitable[Sequence[Any]]]", keys: Sequence[Any]) -> Sequence[Any]:
        """As the domain has it, but late, failed as a whole or cancelled; or with the value of a key gone, failed or of no type."""
        name = ask.func.__module__, ask.func.__qualname__, ask.keywords
        if self.strikes(name):
            kind = self.kind(["late", "late", "failed", "cancelled"], name)
            if kind == "failed":
                raise self.failure(name)
            if kind == "cancelled":
                raise asyncio.CancelledError
            for _ in range(self.number(name) % 20):
                await asyncio.sleep(0)
        return [self._value((name, key), value) for key, value in zip(keys, await ask(keys), strict=True)]

    def _value(self, what: object, value: object) -> object:
        if not self.strikes(what):
            return value
        kind = self.kind(["null", "failed", "of no type"], what)
        return None if kind == "null" else self.failure(what) if kind == "failed" else OfNoType()

    def column(self, of: type[Row], name: str, row: Any) -> Any:  # noqa: ANN401
        """The place of a column depends on what the statement has besides, so its own class reads it."""
        key = getter(of, "id")(row) if "id" in of.__columns__ else tuple(row)
        what = type(row).__name__, name, key
        if not self.strikes(what):
            return getter(of, name)(row)
        kind = self.kind(["null", "null", "failed", "of no type"], what)
        if kind == "failed":
            raise self.failure(what)
        return None if kind == "null" else OfNoType()

    def resolve(self, name: str, inner: Callable[..., Any], *given: Any, **arguments: Any) -> Any:  # noqa: ANN401
        what = name, [(name, arguments[name]) for name in sorted(arguments) if name != "info"]
        if not self.strikes(what):
            return inner(*given, **arguments)
        kind = self.kind(["null", "failed", "failed late"], what)
        if kind == "failed":
            raise self.failure(what)
        return None if kind == "null" else self._late(what)

    async def _late(self, what: object) -> None:
        await asyncio.sleep(0)
        raise self.failure(what)

    def row(self, of: type[Row]) -> type[Row]:
        """The same class, whose columns may fail."""
        failing: dict[str, object] = {column: property(partial(self.column, of, column)) for column in of.__columns__}
        return type(of.__name__, (of,), failing | {"placed": lambda places: self.row(of.with_positions(places))})


def getter(of: type[Row], column: str) -> Callable[[Row], Any]:
    """Return what reads the column of a record."""
    get: Callable[[Row], Any] = getattr(of, column).fget
    return get


@contextmanager
def injected(faults: Faults, schema: GraphQLSchema) -> Iterator[None]:
    """While it lasts. A statement has one class of rows, so that what is prepared for it is of use again."""
    make, narrow, call, made = Loader.__init__, Query.project, StrawberryResolver.__call__, dict[Query[Any], Query[Any]]()
    assert schema.query_type
    roots = {field.extensions["strawberry-definition"].base_resolver: name for name, field in schema.query_type.fields.items()}

    def narrowed(query: Query[Any], asked: frozenset[str] | None) -> Query[Any]:
        found = narrow(query, asked)
        if found not in made:
            made[found] = copy(found)
            made[found].row = faults.row(found.row)
        return made[found]

    def called(resolver: StrawberryResolver[Any], *given: Any, **arguments: Any) -> Any:  # noqa: ANN401 whatever it gives
        inner = partial(call, resolver)
        return faults.resolve(roots[resolver], inner, *given, **arguments) if resolver in roots else inner(*given, **arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loader, "__init__", lambda loader, batch: make(loader, partial(faults.batch, batch)))
        patched.setattr(Query, "project", narrowed)
        patched.setattr(StrawberryResolver, "__call__", called)
        yield
