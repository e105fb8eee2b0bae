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

from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode

from resolvers.core import CoreExecutor
from resolvers.executor.compiler import Compiler, deciding
from resolvers.executor.plans import Plan, UncompiledError
from resolvers.executor.run import Run

KEPT_OPERATIONS, KEPT_PLANS = 512, 16  # and of each so many, by what its deciding variables say


class Plans:
    """Those of one operation, which they hold, so that its `id` is nobody else's meanwhile."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, names: list[str]) -> None:
        self.held = schema, operation
        self.names = names
        self._by_flags: OrderedDict[tuple[Any, ...], Plan | None] = OrderedDict()

    def of(self, core: "LevelExecutor") -> Plan | None:
        """None for an operation that is not compiled."""
        values = core.variable_values.coerced
        flags = {name: values.get(name) for name in self.names}
        key = tuple(flags.values())
        if key not in self._by_flags:
            self._by_flags[key] = _compiled(core, flags)
            if len(self._by_flags) > KEPT_PLANS:
                self._by_flags.popitem(last=False)
        return self._by_flags[key]


_kept: OrderedDict[tuple[int, int], Plans] = OrderedDict()


def _compiled(core: "LevelExecutor", flags: dict[str, Any]) -> Plan | None:
    try:
        return Compiler(core.schema, core.fragment_definitions, flags).plan(core.operation)
    except UncompiledError as why:
        core.gives_way(why)
        return None


def _plans_of(core: "LevelExecutor") -> Plans:
    key = id(core.schema), id(core.operation)
    if key not in _kept:
        sets = [core.operation.selection_set, *(fragment.selection_set for fragment in core.fragment_definitions.values())]
        _kept[key] = Plans(core.schema, core.operation, sorted({*deciding(sets)}))
        if len(_kept) > KEPT_OPERATIONS:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key]


class Counted(ExecutionResult):
    """The result of a compiled run, which knows how many objects its data has."""

    def __init__(self, data: dict[str, Any], objects: int) -> None:
        super().__init__(data, None)
        self.objects = objects


class LevelExecutor(CoreExecutor):
    """graphql-core's executor, with the way without errors of queries compiled."""

    def gives_way(self, why: Exception) -> None:
        """For whoever wants to know; graphql-core answers."""

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: ANN401, FBT001 graphql-core's signature
        plan = None if self.middleware_manager and self.middleware_manager.middlewares else _plans_of(self).of(self)
        return super().execute_operation(serially) if plan is None else self._run(plan)

    async def _run(self, plan: Plan) -> ExecutionResult:
        run = Run(self, plan)
        try:
            return Counted(await run.data(), run.objects)
        except Exception as why:  # noqa: BLE001 graphql-core meets it again, and gives the exact error
            self.gives_way(why)
            result = super().execute_operation(None)
            found: ExecutionResult = await result if isinstance(result, Awaitable) else result  # type: ignore[assignment]
            return found
