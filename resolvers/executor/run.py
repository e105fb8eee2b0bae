"""One operation in progress: level by level, each row a dict, each relation one call for all rows of its level."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from graphql import GraphQLList, GraphQLNonNull
from graphql.pyutils import Path

from resolvers.core import CoreExecutor, ResponseTooLargeError
from resolvers.executor.plans import Kinds, Level, Plan, Step, UnusualError

Row = Any
Rows = Sequence[Any]
Built = list[Any]
AT_A_STRETCH = 500  # rows built before others have a turn


class Run:
    """Of a plan, for the variables and the context of one request."""

    def __init__(self, core: CoreExecutor, plan: Plan) -> None:
        self._core = core
        self._max_objects = core.max_objects
        self._plan = plan
        self.objects = 0  # that the answer has so far
        self.most_bytes = 0  # that they take as JSON

    async def data(self) -> dict[str, Any]:
        (found,) = await self._level(self._plan.root, [self._core.root_value])
        shown: dict[str, Any] = found
        return shown

    async def _level(self, level: Level | Kinds, rows: Rows) -> Built:
        if isinstance(level, Kinds):
            parts = level.parts(rows)
            return _merged([(places, await self._level(of, [rows[place] for place in places])) for of, places in parts], len(rows))
        level.check(rows)
        self.count(len(rows), level.objects, level.most_bytes)
        built = level.build(rows, self)
        if built and level.steps:
            for step in level.steps:
                if not step.waits:
                    await self._step(step, rows, built)
            await _all([self._step(step, rows, built) for step in level.steps if step.waits])
        return built

    def listed(self, rows: Any, objects: int, most_bytes: int) -> Rows:  # noqa: ANN401 whatever the row has
        """The rows of a list that is built with its parent, each of so many objects."""
        if rows.__class__ is not list and rows.__class__ is not tuple:
            raise UnusualError("not a list")
        count = len(rows)  # as `count`, without a call: there are many lists
        self.objects += count * objects
        self.most_bytes += count * most_bytes
        if self.objects > self._max_objects:
            raise ResponseTooLargeError
        return rows

    def count(self, rows: int, objects: int, most_bytes: int) -> None:
        """Add rows that are about to be built, each of so many objects and at most so many bytes.

        Raises `ResponseTooLargeError` if there are too many objects then.
        """
        self.objects += rows * objects
        self.most_bytes += rows * most_bytes
        if self.objects > self._max_objects:
            raise ResponseTooLargeError

    async def _step(self, step: Step, rows: Rows, built: Built) -> None:
        values = await self._completed(step, step.type, await self._values(step, rows))
        for row, value in zip(built, values, strict=True):
            row[step.key] = value
        if len(rows) > AT_A_STRETCH:
            await asyncio.sleep(0)

    async def _values(self, step: Step, rows: Rows) -> Rows:
        if step.get:
            return [step.get(row) for row in rows]
        if step.relation is None:
            return await _awaited([self._called(step, row) for row in rows])
        loader = step.relation.loader(self._core.context_value.loaders, **step.call.arguments(self._core.variable_values))
        keys = [getattr(row, step.relation.key) for row in rows]
        places = [place for place, key in enumerate(keys) if key is not None]
        loaded: list[Any] = await loader.load_level([keys[place] for place in places]) if places else []
        return loaded if len(places) == len(keys) else _merged([(places, loaded)], len(keys))

    def _called(self, step: Step, row: Row) -> Any:  # noqa: ANN401 whatever the resolver gives
        path = Path(None, step.key, step.parent.name)
        info = self._core.build_resolve_info(step.definition, step.nodes, step.parent, path)
        return step.call.of(row, info, self._core.variable_values)

    async def _completed(self, step: Step, of: Any, values: Rows) -> Built:  # noqa: ANN401 graphql-core's own union of types
        inner, present, back = _present(of, values)
        if isinstance(inner, GraphQLList):
            flat, split = _flattened(present)
            return back(split(await self._completed(step, inner.of_type, flat)))
        if step.below is None:
            return back([step.leaf(value) for value in present])  # type: ignore[misc]
        return back(await self._level(step.below, present))


async def _all(waiting: Sequence[Coroutine[Any, Any, None]]) -> None:
    """All of them, whatever becomes of one: no statement is left under way when the operation is run again."""
    if len(waiting) == 1:
        await waiting[0]
        return
    for found in await asyncio.gather(*waiting, return_exceptions=True):
        if found is not None:
            raise found


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


def _present(of: Any, values: Rows) -> tuple[Any, Rows, Callable[[Built], Built]]:  # noqa: ANN401
    """The type without its `!`, the values that are not null, and how to put what they become back in their places."""
    places = [place for place, value in enumerate(values) if value is not None]
    is_required = isinstance(of, GraphQLNonNull)
    if len(places) == len(values):
        return of.of_type if is_required else of, values, list
    if is_required:
        raise UnusualError("null in a non-null place")
    return of, [values[place] for place in places], lambda done: _merged([(places, done)], len(values))


def _flattened(values: Rows) -> tuple[Rows, Callable[[Built], Built]]:
    """All rows of all lists, and how to make lists of what they become."""
    if any(value.__class__ is not list and value.__class__ is not tuple for value in values):
        raise UnusualError("not a list")

    def split(done: Built) -> Built:
        rest = iter(done)
        return [[next(rest) for _ in value] for value in values]

    return [item for value in values for item in value], split
