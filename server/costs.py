"""Estimate what an operation costs before it runs: a point for each object that it may return, more where the schema says so.

Weights and list sizes are those of the schema's directives `@cost` and `@listSize`, so that a gateway computes the same cost.

An operation is compiled once into the formula of `cost_formula`.
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

from resolvers.executor import SizedResult
from schema.directives import Cost, ListSize
from server.cost_formula import CostCompiler, Price, Prices, SelectionCost, Variables

# A point is about 30 µs of the worker and of PostgreSQL together, measured by `benchmarks.points`.
OPERATION = 25  # the fixed cost of a request: to read it, to queue it, to answer it
INTROSPECTION = 1500  # for all that is below: its lists have no lengths, and its depth is bounded


Weighted: TypeAlias = Mapping[tuple[str, ...], int]


class Bill(NamedTuple):
    """The most that an operation can cost, the part of it that is due whatever the operation returns, and the weights below lists.

    A weight below a list is due for each entry that was returned: `weighted` has them by the path of the field in the response.
    """

    requested: int
    weights: int
    weighted: Weighted = MappingProxyType({})

    def actual(self, result: ExecutionResult) -> int:
        """Return the cost of what was returned: its objects without the root, and the weights; of introspection the weight alone."""
        objects = result.object_count if isinstance(result, SizedResult) else _objects(result.data)
        below = sum(weight * _occurrences(result.data, path) for path, weight in self.weighted.items()) if self.weighted else 0
        return min(self.requested, self.weights + below + max(objects - 1, 0))


def prices(schema: GraphQLSchema) -> Prices:
    """Return the price of every field of every type."""
    kinds = (each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType | GraphQLInterfaceType))
    found = {kind.name: {name: _price(field) for name, field in kind.fields.items()} for kind in kinds if not kind.name.startswith("__")}
    root = schema.query_type.name if schema.query_type else ""
    found[root] |= {name: Price(INTROSPECTION, 0, "") for name in ("__schema", "__type")}
    return found


def _price(field: GraphQLField) -> Price:
    declared: Any = (field.extensions or {})["strawberry-definition"]
    weight = sum(int(each.weight) for each in declared.directives if isinstance(each, Cost))
    below = get_named_type(field.type)
    each = int(is_composite_type(below))
    for listed in declared.directives:
        if isinstance(listed, ListSize):
            return Price(weight, each, below.name, listed.assumed_size or 1, listed.slicing_arguments or (), listed.sized_fields or ())
    return Price(weight, each, below.name)


class Costing:
    """Compile one operation into the formula of its cost, when it is first estimated, and evaluate it."""

    def __init__(
        self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], prices: Prices, root: str
    ) -> None:
        self._operation = operation
        self._compiler = CostCompiler(fragments, prices)
        self._root = root

    @cached_property
    def _formula(self) -> "SelectionCost":
        return self._compiler.selection(self._operation.selection_set, self._root, ())

    @cached_property
    def _weighted(self) -> Weighted:
        return dict(self._compiler.weighted(self._operation.selection_set, self._root, (), is_below_list=False))

    def bill(self, variables: Variables) -> Bill:
        """Estimate the cost with these coerced variables."""
        requested, weights = self._formula.evaluate(variables, 1)
        return Bill(OPERATION + requested, OPERATION + weights, self._weighted)


def _occurrences(data: object, path: Sequence[str]) -> int:
    """Count how often a response has the field at a path, null or not: it was computed."""
    *steps, last = path
    level: list[object] = [data]
    for step in steps:
        level = [value[step] for value in _flat(level) if step in value]
    return sum([last in value for value in _flat(level)])


def _flat(values: Iterable[object]) -> list[Mapping[str, object]]:
    """Return the objects among values and in lists of them."""
    found = list[Mapping[str, object]]()
    for value in values:
        if value.__class__ is dict:
            found.append(value)
        elif value.__class__ is list:
            found += _flat(value)
    return found


def _objects(data: object) -> int:
    """Count the objects of an answer, without recursion: its depth is the caller's."""
    count, level = 0, [data]
    while level:
        count += sum(isinstance(each, dict) for each in level)
        level = [below for each in level for below in _parts(each)]
    return count


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
