"""Cache the plans of operations as long as their documents exist, up to a total size."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import finalize

from resolvers.execution.compiler import Compiler
from resolvers.execution.operation import Execution, PreparedOperation
from resolvers.execution.plan import Plan
from resolvers.execution.selections import UncompiledError, find_condition_variables

MAX_PLANS_PER_OPERATION = 4  # one for each set of values of the variables of its @skip and @include
MAX_CACHED_FIELDS = 20_000  # of all plans; a field takes about a kilobyte


class OperationPlans:
    """The plans of one operation. They hold no reference to the operation, so that they are freed with its document."""

    def __init__(self, variable_names: list[str], finalizer: finalize) -> None:  # type: ignore[type-arg]
        self.variable_names = variable_names
        self.finalizer = finalizer
        self.plans_by_flags: OrderedDict[tuple[Any, ...], Plan | None] = OrderedDict()

    @property
    def size(self) -> int:
        return sum(plan.size for plan in self.plans_by_flags.values() if plan)


class PlanCache:
    """Cache of the plans of the most recently used operations, up to a total size."""

    def __init__(self) -> None:
        self.size = 0
        self._plans_by_operation: OrderedDict[int, OperationPlans] = OrderedDict()

    def get_or_compile(self, execution: Execution, on_fallback: Callable[[Exception], None]) -> Plan | None:
        """Return the plan. For an operation that cannot be compiled, return None and, the first time, pass the reason to `on_fallback`."""
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
        """Return the plans of an operation as the most recently used. An operation is identified by object identity, not by its text."""
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
