"""Estimate the cost of an operation before it runs: one point for each object that it may return, plus the weights of its fields.

Weights and list sizes come from the directives `@cost` and `@listSize` of the schema, so a gateway computes the same cost.
Each operation is compiled once into a formula of `server.documents.cost_formula`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_composite_type,
)

from resolvers.execution.executor import SizedResult
from schema.core.directives import Cost, ListSize
from server.documents.cost_formula import CostCompiler, FieldCost, FieldCosts, SelectionCost, Variables

# A point is about 30 µs of the worker and PostgreSQL together, measured by `benchmarks.points`.
BASE_COST = 25  # fixed cost of a request: parsing, queueing and responding
INTROSPECTION_COST = 1500  # including all fields below, whose lists have no declared size; their depth is limited


ListWeights: TypeAlias = Mapping[tuple[str, ...], int]


class CostEstimate(NamedTuple):
    """Estimated cost of an operation.

    `maximum` is the highest possible cost, and `weights` the part of it that does not depend on the result. `list_weights` has the weights
    of fields below lists by their path in the response; each counts once for each returned entry.
    """

    maximum: int
    weights: int
    list_weights: ListWeights = MappingProxyType({})

    def actual_cost(self, result: ExecutionResult) -> int:
        """Return the cost of a result: the weights, and a point for each object but the root. Introspection has only its weight."""
        objects = result.object_count if isinstance(result, SizedResult) else _count_objects(result.data)
        below = (
            sum(weight * _count_occurrences(result.data, path) for path, weight in self.list_weights.items()) if self.list_weights else 0
        )
        return min(self.maximum, self.weights + below + max(objects - 1, 0))


def compute_field_costs(schema: GraphQLSchema) -> FieldCosts:
    """Return the cost of each field of each type."""
    kinds = (each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType | GraphQLInterfaceType))
    costs = {
        kind.name: {name: _compute_field_cost(field) for name, field in kind.fields.items()}
        for kind in kinds
        if not kind.name.startswith("__")
    }
    root = schema.query_type.name if schema.query_type else ""
    costs[root] |= {name: FieldCost(INTROSPECTION_COST, 0, "") for name in ("__schema", "__type")}
    return costs


def _compute_field_cost(field: GraphQLField) -> FieldCost:
    definition: Any = (field.extensions or {})["strawberry-definition"]
    weight = sum(int(each.weight) for each in definition.directives if isinstance(each, Cost))
    below = get_named_type(field.type)
    each = int(is_composite_type(below))
    for list_size in definition.directives:
        if isinstance(list_size, ListSize):
            return FieldCost(
                weight, each, below.name, list_size.assumed_size or 1, list_size.slicing_arguments or (), list_size.sized_fields or ()
            )
    return FieldCost(weight, each, below.name)


class CostAnalyzer:
    """Compile the cost formula of one operation at the first estimate, and evaluate it."""

    def __init__(
        self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], field_costs: FieldCosts, root: str
    ) -> None:
        self._operation = operation
        self._compiler = CostCompiler(fragments, field_costs)
        self._root = root

    @cached_property
    def _formula(self) -> "SelectionCost":
        return self._compiler.compile_selection(self._operation.selection_set, self._root, ())

    @cached_property
    def _list_weights(self) -> ListWeights:
        return dict(self._compiler.list_weights(self._operation.selection_set, self._root, (), is_below_list=False))

    def estimate(self, variables: Variables) -> CostEstimate:
        """Estimate the cost with these coerced variables."""
        maximum, weights = self._formula.evaluate(variables, 1)
        return CostEstimate(BASE_COST + maximum, BASE_COST + weights, self._list_weights)


def _count_occurrences(data: object, path: Sequence[str]) -> int:
    """Count how often a response has the field at a path. A null counts as well, since computing it took the same work."""
    *steps, last = path
    level: list[object] = [data]
    for step in steps:
        level = [value[step] for value in _flatten(level) if step in value]
    return sum([last in value for value in _flatten(level)])


def _flatten(values: Iterable[object]) -> list[Mapping[str, object]]:
    """Return the objects among the values, including those in nested lists."""
    objects = list[Mapping[str, object]]()
    for value in values:
        if value.__class__ is dict:
            objects.append(value)
        elif value.__class__ is list:
            objects += _flatten(value)
    return objects


def _count_objects(data: object) -> int:
    """Count the objects of a response, level by level instead of by recursion, because the client decides how deep it is."""
    count, level = 0, [data]
    while level:
        count += sum(isinstance(each, dict) for each in level)
        level = [below for each in level for below in _children(each)]
    return count


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
