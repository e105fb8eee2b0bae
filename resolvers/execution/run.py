"""Run a plan level by level: build a dict for each row, and load each relation by one call for all rows of its level."""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from graphql import GraphQLList, GraphQLNonNull

from resolvers.execution.codegen import generate
from resolvers.execution.operation import Execution, ResponseTooLargeError
from resolvers.execution.plan import AbstractLevel, BuildFunction, Content, FallbackError, Fetch, FetchedField, Level, Plan

Row = Any
Rows = Sequence[Any]
Results = list[Any]
MAX_OBJECTS_BEFORE_YIELD = 500  # objects built before yielding to the event loop
NULL_BYTES = 5  # `null` and a comma
CHUNK_ROWS = 50  # rows built at a time; the objects in lists of a row are not counted before it is built


class PlanRun:
    """Run a plan with the variables and the context of one request."""

    def __init__(self, plan: Plan, execution: Execution) -> None:
        self._plan = plan
        self._variable_values = execution.variable_values
        self._context = execution.context
        self._max_objects = execution.max_objects
        self.object_count = 0  # in the response so far
        self.max_bytes = 0  # of those objects as JSON
        self._objects_since_yield = 0  # objects built since the last yield to the event loop
        self._loaders: dict[int, Any] = {}  # by the `id` of their field

    async def execute(self) -> dict[str, Any]:
        if self._plan.has_many_queries:
            followers = [(sources, self._get_loader(field).prefetch) for sources, field in self._plan.followers]
            self._context.batch_queries(followers, has_only_followers=self._plan.has_only_followers)
        results: list[dict[str, Any]] = await self._run_level(self._plan.root, [None])
        return results[0]

    async def _run_level(self, level: Level | AbstractLevel, rows: Rows) -> Results:
        if isinstance(level, AbstractLevel):
            parts = level.partition(rows)
            return _merge(
                [(indexes, await self._run_level(part_level, [rows[index] for index in indexes])) for part_level, indexes in parts],
                len(rows),
            )
        build = level.build or generate(level)
        level.check(rows)
        self.count(len(rows), level.object_count, level.max_bytes)
        if not rows:
            return []
        return await self._build(build, rows, await _wait_for_all([self._fetch(each, rows) for each in level.fetches]))

    async def _fetch(self, fetch: Fetch, rows: Rows) -> Iterator[Any]:
        """Fetch a field for all rows of a level. Return an iterator over its values, in the order of the rows."""
        field = fetch.field
        for getter in fetch.path:
            rows = [*map(getter, rows)]
        values = await self._read_values(field, rows)
        return iter(values if field.inline else await self._complete(field.content, field.type, values))

    async def _build(self, build: BuildFunction, rows: Rows, iterators: Sequence[Iterator[Any]]) -> Results:
        """Build the rows of a level in chunks, and yield to the event loop in between: a row may have lists of a hundred objects each."""
        results: Results = []
        for first in range(0, len(rows), CHUNK_ROWS):
            count_before, chunk = self.object_count, rows[first : first + CHUNK_ROWS]
            results += build(chunk, self, *iterators)
            self._objects_since_yield += len(chunk) + self.object_count - count_before
            if self._objects_since_yield > MAX_OBJECTS_BEFORE_YIELD:
                self._objects_since_yield = 0
                await asyncio.sleep(0)
        return results

    def check_list(self, rows: Any, object_count: int, max_bytes: int) -> Rows:  # noqa: ANN401 any value of a row
        """Check that a nested list is a list, and count its rows. `object_count` and `max_bytes` are those of one row."""
        if rows.__class__ is not list and rows.__class__ is not tuple:
            raise FallbackError("not a list")
        self.count(len(rows), object_count, max_bytes)
        return rows

    def count(self, row_count: int, object_count: int, max_bytes: int) -> None:
        """Count rows that are about to be built. `object_count` and `max_bytes` are those of one row.

        Raises `ResponseTooLargeError` if the response then has too many objects.
        """
        self.object_count += row_count * object_count
        self.max_bytes += row_count * max_bytes
        if self.object_count > self._max_objects:
            raise ResponseTooLargeError

    async def _read_values(self, field: FetchedField, rows: Rows) -> Rows:
        if field.getter:
            return [*map(field.getter, rows)]
        if field.relation is None:
            info = SimpleNamespace(context=self._context)  # a resolver that needs more raises, and the operation falls back to graphql-core
            return await _await_values([field.call.resolve(row, info, self._variable_values) for row in rows])
        loader = self._get_loader(field)
        keys = [*map(attrgetter(field.relation.key), rows)]
        if all(keys):  # one loop in C; None is the only falsy key
            values: Rows = await loader.load_level(keys, is_exclusive=field.is_exclusive)
            return values
        indexes = [index for index, key in enumerate(keys) if key is not None]
        values = await loader.load_level([keys[index] for index in indexes], is_exclusive=field.is_exclusive) if indexes else []
        return _merge([(indexes, values)], len(keys))

    def _get_loader(self, field: FetchedField) -> Any:  # noqa: ANN401 any key and value
        loader = self._loaders.get(id(field))
        if loader is None:
            arguments = field.relation.convert(**field.call.arguments(self._variable_values))
            loader = self._loaders[id(field)] = self._context.loaders.of(field.relation.batch, **arguments)
        return loader

    async def _complete(self, content: Content, output_type: Any, values: Rows) -> Results:  # noqa: ANN401 graphql-core's own union of types
        indexes = [index for index, value in enumerate(values) if value is not None]
        if isinstance(output_type, GraphQLNonNull):
            if len(indexes) < len(values):
                raise FallbackError("null in a non-null place")
            output_type = output_type.of_type
        if len(indexes) < len(values):
            self.max_bytes += NULL_BYTES * (len(values) - len(indexes))  # for nulls in lists; `PUNCTUATION` includes the null of a field
            return _merge([(indexes, await self._complete(content, output_type, [values[index] for index in indexes]))], len(values))
        if isinstance(output_type, GraphQLList):
            if any(value.__class__ is not list and value.__class__ is not tuple for value in values):
                raise FallbackError("not a list")
            entries = iter(await self._complete(content, output_type.of_type, [entry for value in values for entry in value]))
            return [[*islice(entries, len(value))] for value in values]
        if callable(content):
            return [*map(content, values)]
        return await self._run_level(content, values)


async def _wait_for_all(coroutines: Sequence[Coroutine[Any, Any, Iterator[Any]]]) -> list[Iterator[Any]]:
    """Wait for all coroutines, even if one fails: no statement may be in progress when the operation falls back to graphql-core."""
    if len(coroutines) <= 1:
        return [await each for each in coroutines]
    iterators = list[Iterator[Any]]()
    for each in await asyncio.gather(*coroutines, return_exceptions=True):
        if isinstance(each, BaseException):
            raise each
        iterators.append(each)
    return iterators


async def _await_values(values: Rows) -> Rows:
    """Return the values. Await all awaitables among them together, so that their loaders need one batch."""
    indexes = [index for index, value in enumerate(values) if isinstance(value, Awaitable)]
    if len(indexes) == len(values) == 1:
        return [await values[0]]
    results = list(values)
    for index, value in zip(indexes, await asyncio.gather(*(values[index] for index in indexes), return_exceptions=True), strict=True):
        if isinstance(value, BaseException):
            raise value
        results[index] = value
    return results


def _merge(parts: Sequence[tuple[list[int], Rows]], size: int) -> Results:
    """Return a list of `size` with the values at their indexes, and None everywhere else."""
    results: Results = [None] * size
    for indexes, values in parts:
        for index, value in zip(indexes, values, strict=True):
            results[index] = value
    return results
