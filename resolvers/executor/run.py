"""One operation in progress: level by level, each row a dict, each relation one call for all rows of its level."""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from graphql import GraphQLList, GraphQLNonNull

from resolvers.core import Execution, ResponseTooLargeError
from resolvers.executor.plans import Build, Fetch, Kinds, Level, Plan, Step, UnusualError
from resolvers.executor.writing import write

Row = Any
Rows = Sequence[Any]
Built = list[Any]
AT_A_STRETCH = 500  # objects built before others have a turn
NULL_BYTES = 5  # of JSON: null and a comma
PIECE = 50  # rows built before that is looked at: a row has its lists within it, which its level does not count


class Run:
    """Of a plan, for the variables and the context of one request."""

    def __init__(self, plan: Plan, execution: Execution) -> None:
        self._plan = plan
        self._variables = execution.values
        self._context = execution.context
        self._max_objects = execution.max_objects
        self.objects = 0  # that the answer has so far
        self.most_bytes = 0  # that they take as JSON
        self._at_a_stretch = 0  # objects built since others had a turn
        self._loaders: dict[int, Any] = {}  # by the id of their step

    async def data(self) -> dict[str, Any]:
        if self._plan.gathers:
            followers = [(rows, self._loader(step).prefetch) for rows, step in self._plan.followers]
            self._context.gather(followers, is_led=self._plan.is_led)
        found: list[dict[str, Any]] = await self._level(self._plan.root, [None])
        return found[0]

    async def _level(self, level: Level | Kinds, rows: Rows) -> Built:
        if isinstance(level, Kinds):
            parts = level.parts(rows)
            return _merged([(places, await self._level(of, [rows[place] for place in places])) for of, places in parts], len(rows))
        build = level.build or write(level)
        level.check(rows)
        self.count(len(rows), level.objects, level.most_bytes)
        if not rows:
            return []
        return await self._build(build, rows, await _all([self._fetch(each, rows) for each in level.fetches]))

    async def _fetch(self, fetch: Fetch, rows: Rows) -> Iterator[Any]:
        """Fetch a field for all rows of a level: an iterator over its values, in the order of the rows."""
        step = fetch.step
        for get in fetch.path:
            rows = [*map(get, rows)]
        values = await self._values(step, rows)
        return iter(values if step.in_place else await self._completed(step, step.type, values))

    async def _build(self, build: Build, rows: Rows, fetched: Sequence[Iterator[Any]]) -> Built:
        """Build a level piece by piece, and let others run once that took long: a row may have lists of a hundred objects each."""
        built: Built = []
        for first in range(0, len(rows), PIECE):
            before, piece = self.objects, rows[first : first + PIECE]
            built += build(piece, self, *fetched)
            self._at_a_stretch += len(piece) + self.objects - before
            if self._at_a_stretch > AT_A_STRETCH:
                self._at_a_stretch = 0
                await asyncio.sleep(0)
        return built

    def listed(self, rows: Any, objects: int, most_bytes: int) -> Rows:  # noqa: ANN401 whatever the row has
        """The rows of a list that is built with its parent, each of so many objects."""
        if rows.__class__ is not list and rows.__class__ is not tuple:
            raise UnusualError("not a list")
        self.count(len(rows), objects, most_bytes)
        return rows

    def count(self, rows: int, objects: int, most_bytes: int) -> None:
        """Add rows that are about to be built, each of so many objects and at most so many bytes.

        Raises `ResponseTooLargeError` if there are too many objects then.
        """
        self.objects += rows * objects
        self.most_bytes += rows * most_bytes
        if self.objects > self._max_objects:
            raise ResponseTooLargeError

    async def _values(self, step: Step, rows: Rows) -> Rows:
        if step.get:
            return [step.get(row) for row in rows]
        if step.relation is None:
            info = SimpleNamespace(context=self._context)  # who looks for more fails: graphql-core, which answers then, has it all
            return await _awaited([step.call.of(row, info, self._variables) for row in rows])
        loader = self._loader(step)
        keys = [*map(attrgetter(step.relation.key), rows)]
        if all(keys):  # in C: no key is false but None
            loaded: Rows = await loader.load_level(keys, is_alone=step.is_alone)
            return loaded
        places = [place for place, key in enumerate(keys) if key is not None]
        loaded = await loader.load_level([keys[place] for place in places], is_alone=step.is_alone) if places else []
        return _merged([(places, loaded)], len(keys))

    def _loader(self, step: Step) -> Any:  # noqa: ANN401 of any key and value
        loader = self._loaders.get(id(step))
        if loader is None:
            arguments = step.relation.convert(**step.call.arguments(self._variables))
            loader = self._loaders[id(step)] = self._context.loaders.of(step.relation.batch, **arguments)
        return loader

    async def _completed(self, step: Step, of: Any, values: Rows) -> Built:  # noqa: ANN401 graphql-core's own union of types
        places = [place for place, value in enumerate(values) if value is not None]
        if isinstance(of, GraphQLNonNull):
            if len(places) < len(values):
                raise UnusualError("null in a non-null place")
            of = of.of_type
        if len(places) < len(values):
            self.most_bytes += NULL_BYTES * (len(values) - len(places))  # as entries of a list; in a field a null is counted with its key
            return _merged([(places, await self._completed(step, of, [values[place] for place in places]))], len(values))
        if isinstance(of, GraphQLList):
            if any(value.__class__ is not list and value.__class__ is not tuple for value in values):
                raise UnusualError("not a list")
            entries = iter(await self._completed(step, of.of_type, [entry for value in values for entry in value]))
            return [[*islice(entries, len(value))] for value in values]
        if step.below is None:
            return [step.leaf(value) for value in values]  # type: ignore[misc]
        return await self._level(step.below, values)


async def _all(waiting: Sequence[Coroutine[Any, Any, Iterator[Any]]]) -> list[Iterator[Any]]:
    """Wait for all of them, whatever becomes of one: no statement is left under way when the operation is run again."""
    if len(waiting) <= 1:
        return [await each for each in waiting]
    found = list[Iterator[Any]]()
    for each in await asyncio.gather(*waiting, return_exceptions=True):
        if isinstance(each, BaseException):
            raise each
        found.append(each)
    return found


async def _awaited(values: Rows) -> Rows:
    """What there is already as it is; all others at once, so that their loaders have one batch."""
    places = [place for place, value in enumerate(values) if isinstance(value, Awaitable)]
    if len(places) == len(values) == 1:
        return [await values[0]]
    found = list(values)
    for place, value in zip(places, await asyncio.gather(*(values[place] for place in places), return_exceptions=True), strict=True):
        if isinstance(value, BaseException):
            raise value
        found[place] = value
    return found


def _merged(parts: Sequence[tuple[list[int], Rows]], size: int) -> Built:
    """What became of the rows at those places; None at all others."""
    found: Built = [None] * size
    for places, done in parts:
        for place, value in zip(places, done, strict=True):
            found[place] = value
    return found
