"""The compiled executor: an operation is compiled once into a plan, which completes one level at a time.

graphql-core walks an answer object by object and field by field, and decides each time what it decided for the object before. A plan has
decided all that beforehand, from the document and the values of the variables of its @skip and @include: `compiler` makes it, of what
`plans` has; `leaves` has the expressions for scalars. `run` then takes the rows of a whole level at once: one generated comprehension makes
their dicts, and each relation is one call of its loader with the keys of all of them. A field's loader stands in its metadata (`by`).

Only queries are compiled, and only their way without errors. Whatever is unusual (null where a value is due, an exception, a class that
is of no type, a mutation, introspection, a directive that we do not know) runs on graphql-core's own executor, from the beginning, which
gives the exact errors. Queries have no side effects to lose, and what the loaders have read they do not read again.
"""

from collections import OrderedDict
from collections.abc import Awaitable
from typing import Any
from weakref import finalize

from graphql import ExecutionResult

from db.reads import SecondStatementError
from resolvers.core import CoreExecutor, ResponseTooLargeError
from resolvers.executor.compiler import Compiler, deciding
from resolvers.executor.plans import Plan, UncompiledError
from resolvers.executor.run import Run

KEPT_PLANS = 4  # of each operation, by what its deciding variables say
ROOM = 20_000  # for all plans, in what a level or a field takes: about a kilobyte


class Plans:
    """Those of one operation, which they do not hold: no plan outlives its document."""

    def __init__(self, names: list[str], at_end: finalize) -> None:  # type: ignore[type-arg]
        self.names = names
        self.at_end = at_end
        self.by_flags: OrderedDict[tuple[Any, ...], Plan | None] = OrderedDict()

    @property
    def size(self) -> int:
        return sum(plan.size for plan in self.by_flags.values() if plan)


class Library:
    """The plans of the operations that were asked last, as many as there is room for."""

    def __init__(self) -> None:
        self.taken = 0
        self._kept: OrderedDict[int, Plans] = OrderedDict()

    def plan(self, core: "LevelExecutor") -> Plan | None:
        """None for an operation that is not compiled."""
        plans, values = self._of(core), core.variable_values.coerced
        flags = {name: values.get(name) for name in plans.names}
        key = tuple(flags.values())
        if key not in plans.by_flags:
            self.taken -= plans.size
            plans.by_flags[key] = _compiled(core, flags)
            if len(plans.by_flags) > KEPT_PLANS:
                plans.by_flags.popitem(last=False)
            self.taken += plans.size
            while self.taken > ROOM and len(self._kept) > 1:
                self._forget(next(iter(self._kept)))
        return plans.by_flags[key]

    def _of(self, core: "LevelExecutor") -> Plans:
        """By the operation itself, not by what it says."""
        key = id(core.operation)
        if key not in self._kept:
            sets = [core.operation.selection_set, *(fragment.selection_set for fragment in core.fragment_definitions.values())]
            self._kept[key] = Plans(sorted({*deciding(sets)}), finalize(core.operation, self._forget, key))
        self._kept.move_to_end(key)
        return self._kept[key]

    def _forget(self, key: int) -> None:
        gone = self._kept.pop(key)
        gone.at_end.detach()
        self.taken -= gone.size


def _compiled(core: "LevelExecutor", flags: dict[str, Any]) -> Plan | None:
    try:
        return Compiler(core.schema, core.fragment_definitions, flags).plan(core.operation)
    except UncompiledError as why:
        core.gives_way(why)
        return None


library = Library()


class Counted(ExecutionResult):
    """The result of a compiled run, which knows how many objects its data has, and how many bytes it has at most as JSON."""

    def __init__(self, data: dict[str, Any], objects: int, most_bytes: int) -> None:
        super().__init__(data, None)
        self.objects = objects
        self.most_bytes = most_bytes


class LevelExecutor(CoreExecutor):
    """graphql-core's executor, with the way without errors of queries compiled."""

    def gives_way(self, why: Exception) -> None:
        """For whoever wants to know; graphql-core answers."""

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: ANN401, FBT001 graphql-core's signature
        plan = None if self.middleware_manager and self.middleware_manager.middlewares else library.plan(self)
        return super().execute_operation(serially) if plan is None else self._run(plan)

    async def _run(self, plan: Plan) -> ExecutionResult:
        if plan.asks_once:
            self.context_value.expect_one_statement()
        try:
            try:
                return await self._built(plan)
            except SecondStatementError:  # the plan did not show it
                await self.context_value.restart_reads()
                return await self._built(plan)
        except ResponseTooLargeError:
            raise
        except Exception as why:  # noqa: BLE001 graphql-core meets it again, and gives the exact error
            self.gives_way(why)
            if plan.asks_once:
                await self.context_value.restart_reads()
            result = super().execute_operation(None)
            found: ExecutionResult = await result if isinstance(result, Awaitable) else result  # type: ignore[assignment]
            return found

    async def _built(self, plan: Plan) -> ExecutionResult:
        run = Run(self, plan)
        return Counted(await run.data(), run.objects, run.most_bytes)
