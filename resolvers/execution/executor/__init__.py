"""The compiled executor: compile an operation once into a plan, and complete it one level at a time.

graphql-core walks a response object by object and field by field, and repeats the same decisions for each object. A plan makes
them once, from the document and the values of the variables of its @skip and @include: `compiler` creates it from the classes of
`plan`; `codegen` generates the functions of its levels, with the expressions for scalars of `leaves`. `run` then takes the rows
of a whole level at once: each relation is one call of its loader with the keys of all of them, and one generated comprehension makes their
dicts, fed by an iterator over what each relation brought. A field's batch function is in its metadata (`by`).

Only queries are compiled, and only their path without errors. Anything else (null in a non-null place, an exception, a class that
has no type, a mutation, introspection, an unknown directive) runs on graphql-core's own executor, from the beginning, which
reports the exact errors. Queries have no side effects, and loaders do not load again what they have loaded.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import finalize

from graphql import ExecutionResult

from db.engine.read_transaction import SecondStatementError
from resolvers.execution.compiler import Compiler
from resolvers.execution.operation import Execution, OperationExecutor, PreparedOperation, ResponseTooLargeError
from resolvers.execution.plan import Plan
from resolvers.execution.run import PlanRun
from resolvers.execution.selections import UncompiledError, find_condition_variables

MAX_PLANS_PER_OPERATION = 4  # of each operation, by the values of its conditional variables
MAX_CACHED_FIELDS = 20_000  # of all plans; a field takes about a kilobyte


class OperationPlans:
    """The plans of one operation. They hold no reference to it: no plan outlives its document."""

    def __init__(self, variable_names: list[str], finalizer: finalize) -> None:  # type: ignore[type-arg]
        self.variable_names = variable_names
        self.finalizer = finalizer
        self.plans_by_flags: OrderedDict[tuple[Any, ...], Plan | None] = OrderedDict()

    @property
    def size(self) -> int:
        return sum(plan.size for plan in self.plans_by_flags.values() if plan)


class PlanCache:
    """Cache the plans of the most recent operations, up to a total size."""

    def __init__(self) -> None:
        self.size = 0
        self._plans_by_operation: OrderedDict[int, OperationPlans] = OrderedDict()

    def get_or_compile(self, execution: Execution, on_fallback: Callable[[Exception], None]) -> Plan | None:
        """Return the plan; None for an operation that cannot be compiled, whose reason is passed to `on_fallback` once."""
        plans, values = self._get_or_add(execution.prepared_operation), execution.variable_values.coerced
        key = tuple([values.get(name) for name in plans.variable_names])
        if key not in plans.plans_by_flags:
            self.size -= plans.size
            flags = dict(zip(plans.variable_names, key, strict=True))
            try:
                plans.plans_by_flags[key] = Compiler(execution.schema, execution.prepared_operation.fragments, flags).compile_plan(
                    execution.prepared_operation.operation
                )
            except UncompiledError as reason:
                on_fallback(reason)
                plans.plans_by_flags[key] = None
            if len(plans.plans_by_flags) > MAX_PLANS_PER_OPERATION:
                plans.plans_by_flags.popitem(last=False)
            self.size += plans.size
            while self.size > MAX_CACHED_FIELDS and len(self._plans_by_operation) > 1:
                self._discard(next(iter(self._plans_by_operation)))
        return plans.plans_by_flags[key]

    def _get_or_add(self, prepared_operation: PreparedOperation) -> OperationPlans:
        """Identify the operation by object identity, not by its text."""
        key = id(prepared_operation.operation)
        if key not in self._plans_by_operation:
            sets = [
                prepared_operation.operation.selection_set,
                *(fragment.selection_set for fragment in prepared_operation.fragments.values()),
            ]
            self._plans_by_operation[key] = OperationPlans(
                sorted({*find_condition_variables(sets)}), finalize(prepared_operation.operation, self._discard, key)
            )
        self._plans_by_operation.move_to_end(key)
        return self._plans_by_operation[key]

    def _discard(self, key: int) -> None:
        plans = self._plans_by_operation.pop(key)
        plans.finalizer.detach()
        self.size -= plans.size


plan_cache = PlanCache()


class SizedResult(ExecutionResult):
    """The result of a compiled run, with the number of its objects and the maximum of its bytes as JSON."""

    def __init__(self, data: dict[str, Any], object_count: int, max_bytes: int) -> None:
        super().__init__(data, None)
        self.object_count = object_count
        self.max_bytes = max_bytes


class CompiledExecutor(OperationExecutor):
    """Run queries by their plans, and fall back to graphql-core. Its executor is created only then, since that takes 6 to 12 µs."""

    @classmethod
    def on_fallback(cls, reason: Exception) -> None:
        """Report a fallback; override it to observe the reasons."""

    @classmethod
    async def execute(cls, execution: Execution) -> ExecutionResult:
        plan = plan_cache.get_or_compile(execution, cls.on_fallback)
        return (plan and await cls._run_plan(plan, execution)) or await super().execute(execution)

    @classmethod
    async def _run_plan(cls, plan: Plan, execution: Execution) -> ExecutionResult | None:
        """Run a plan; return None to fall back to graphql-core, which meets the failure again and reports the exact error."""
        context = execution.context
        if plan.has_one_query:
            context.expect_one_statement()
        try:
            try:
                return await cls._execute(plan, execution)
            except SecondStatementError:  # the plan could not tell
                await context.restart_reads()
                return await cls._execute(plan, execution)
        except ResponseTooLargeError:
            raise
        except Exception as reason:  # noqa: BLE001 whatever it is
            cls.on_fallback(reason)
            await context.disable_batching()  # so that one failing field does not fail others
            return None

    @classmethod
    async def _execute(cls, plan: Plan, execution: Execution) -> ExecutionResult:
        run = PlanRun(plan, execution)
        return SizedResult(await run.execute(), run.object_count, run.max_bytes)
