"""The compiled executor: an operation is compiled once into a plan, which completes one level at a time.

graphql-core walks an answer object by object and field by field, and decides each time what it decided for the object before. A plan has
decided all that beforehand, from the document and the values of the variables of its @skip and @include: `compiler` makes it, of what
`plans` has; `writing` generates the functions of its levels, with the expressions for scalars that `leaves` has. `run` then takes the rows
of a whole level at once: each relation is one call of its loader with the keys of all of them, and one generated comprehension makes their
dicts, fed by an iterator over what each relation brought. A field's batch function is in its metadata (`by`).

Only queries are compiled, and only their way without errors. Whatever is unusual (null where a value is due, an exception, a class that
is of no type, a mutation, introspection, a directive that we do not know) runs on graphql-core's own executor, from the beginning, which
gives the exact errors. Queries have no side effects to lose, and what the loaders have read they do not read again.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import finalize

from graphql import ExecutionResult

from db.reads import SecondStatementError
from resolvers.core import CoreExecutor, Execution, Known, ResponseTooLargeError
from resolvers.executor.compiler import Compiler
from resolvers.executor.plans import Plan
from resolvers.executor.run import Run
from resolvers.selections import UncompiledError, deciding

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

    def plan(self, execution: Execution, give_way: Callable[[Exception], None]) -> Plan | None:
        """Return the plan; None for an operation that is not compiled, whose reason is passed to `give_way` when it is found."""
        plans, values = self._of(execution.known), execution.values.coerced
        key = tuple([values.get(name) for name in plans.names])
        if key not in plans.by_flags:
            self.taken -= plans.size
            flags = dict(zip(plans.names, key, strict=True))
            try:
                plans.by_flags[key] = Compiler(execution.schema, execution.known.fragments, flags).plan(execution.known.operation)
            except UncompiledError as why:
                give_way(why)
                plans.by_flags[key] = None
            if len(plans.by_flags) > KEPT_PLANS:
                plans.by_flags.popitem(last=False)
            self.taken += plans.size
            while self.taken > ROOM and len(self._kept) > 1:
                self._forget(next(iter(self._kept)))
        return plans.by_flags[key]

    def _of(self, known: Known) -> Plans:
        """By the operation itself, not by what it says."""
        key = id(known.operation)
        if key not in self._kept:
            sets = [known.operation.selection_set, *(fragment.selection_set for fragment in known.fragments.values())]
            self._kept[key] = Plans(sorted({*deciding(sets)}), finalize(known.operation, self._forget, key))
        self._kept.move_to_end(key)
        return self._kept[key]

    def _forget(self, key: int) -> None:
        gone = self._kept.pop(key)
        gone.at_end.detach()
        self.taken -= gone.size


library = Library()


class Counted(ExecutionResult):
    """The result of a compiled run, which knows how many objects its data has, and how many bytes it has at most as JSON."""

    def __init__(self, data: dict[str, Any], objects: int, most_bytes: int) -> None:
        super().__init__(data, None)
        self.objects = objects
        self.most_bytes = most_bytes


class LevelExecutor(CoreExecutor):
    """Runs queries by their plans, and is graphql-core's executor where a plan gives way: only then is one made, which took 6 to 12 µs."""

    @classmethod
    def gives_way(cls, why: Exception) -> None:
        """For whoever wants to know; graphql-core answers."""

    @classmethod
    async def execute(cls, execution: Execution) -> ExecutionResult:
        plan = library.plan(execution, cls.gives_way)
        return (plan and await cls._run(plan, execution)) or await super().execute(execution)

    @classmethod
    async def _run(cls, plan: Plan, execution: Execution) -> ExecutionResult | None:
        """Run a plan; return None where graphql-core has to answer, which meets the failure again and gives the exact error."""
        context = execution.context
        if plan.asks_once:
            context.expect_one_statement()
        try:
            try:
                return await cls._counted(plan, execution)
            except SecondStatementError:  # the plan did not show it
                await context.restart_reads()
                return await cls._counted(plan, execution)
        except ResponseTooLargeError:
            raise
        except Exception as why:  # noqa: BLE001 whatever it is
            cls.gives_way(why)
            await context.ask_one_by_one()  # so that one field's failure is its own
            return None

    @classmethod
    async def _counted(cls, plan: Plan, execution: Execution) -> ExecutionResult:
        run = Run(plan, execution)
        return Counted(await run.data(), run.objects, run.most_bytes)
