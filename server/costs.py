"""What an operation costs: one for each object that it may have to bring, by the pages that it asks for; more where the schema says so.

The weights and lengths are those of the schema's own directives `@cost` and `@listSize`, so that a gateway reckons the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    ArgumentNode,
    DirectiveNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

from domain.pages import LARGEST
from resolvers.executor import Counted
from schema.directives import Cost, ListSize

Variables: TypeAlias = Mapping[str, Any]
# A point is about 30 µs of the worker and of PostgreSQL together, measured by `benchmarks.points`.
OPERATION = 25  # whatever it asks: a request to be read, a turn, an answer
INTROSPECTION = 1500  # for all that is below: its lists have no lengths, and its depth is bounded
KEPT = 64


@dataclass(frozen=True)
class Price:
    """Of a field: its own weight, what an object costs, how many entries, and the type of an entry.

    The weight counts for each entry; so does all below, but where only some fields are `sized`: a page is one object, its nodes are many.
    """

    weight: int
    each: int
    kind: str
    size: int = 1
    slicing: Sequence[str] = ()
    sized: Sequence[str] = ()


@dataclass(frozen=True)
class Bill:
    """What may come of it at most; and the part that is due whatever comes."""

    requested: int
    weights: int

    def actual(self, result: ExecutionResult) -> int:
        """What did come: its objects, and the weights; of introspection the weight alone. The root itself is none."""
        objects = result.objects if isinstance(result, Counted) else _objects(result.data)
        return min(self.requested, self.weights + max(objects - 1, 0))


Prices: TypeAlias = Mapping[str, Mapping[str, Price]]


def prices(schema: GraphQLSchema) -> Prices:
    """Of every field of every type."""
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
    """The costs of one operation, kept by the variables that they can depend on.

    A document of more than some hundred fields, its fragments filled in, is refused before this; so a walk over it is short.
    """

    def __init__(
        self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], prices: Prices, root: str
    ) -> None:
        self.fragments = fragments
        self.prices = prices
        self._selections = operation.selection_set
        self._root = root
        variables = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
        self._names = [*variables]
        self._defaults = {name: value_from_ast_untyped(value) for name, value in variables.items() if value}
        self._kept: dict[tuple[object, ...], Bill] = {}

    def bill(self, variables: Variables) -> Bill:
        """With the variables as they were sent, right or wrong."""
        known = {**self._defaults, **variables}
        key = tuple(_distinct(known.get(name)) for name in self._names)
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            requested, weights = _Walk(known, self).selection(self._selections, self._root, (), 1)
            self._kept[key] = Bill(OPERATION + requested, OPERATION + weights)
        return self._kept[key]


def _distinct(said: object) -> object:
    """What of a value can make a cost another: numbers, yes and no, and how many a list has, of an object too."""
    if isinstance(said, dict):
        return tuple(sorted((name, len(value)) for name, value in said.items() if isinstance(value, list)))
    return len(said) if isinstance(said, list) else (type(said), said if isinstance(said, int) else None)


class _Walk:
    """One walk over an operation with these variables."""

    def __init__(self, variables: dict[str, Any], of: Costing) -> None:
        self.variables = variables
        self._of = of

    def selection(self, selections: SelectionSetNode | None, kind: str, sized: Sequence[str], entries: int) -> tuple[int, int]:
        """Of what is selected on a type; the fields of a page that are `sized` come as often as it has entries."""
        requested = weights = 0
        for node in selections.selections if selections else ():
            if not self._is_included(node):
                continue
            match node:
                case FieldNode():
                    more = self._field(node, kind, entries if node.name.value in sized else 1)
                case InlineFragmentNode():
                    on = node.type_condition.name.value if node.type_condition else kind
                    more = self.selection(node.selection_set, on, sized, entries)
                case FragmentSpreadNode():
                    fragment = self._of.fragments[node.name.value]
                    more = self.selection(fragment.selection_set, fragment.type_condition.name.value, sized, entries)
            requested, weights = requested + more[0], weights + more[1]
        return requested, weights

    def _field(self, node: FieldNode, kind: str, times: int) -> tuple[int, int]:
        price = self._of.prices.get(kind, {}).get(node.name.value)
        if price is None or not (price.each or price.weight):
            return 0, 0
        entries = self._entries(price, node.arguments or ())
        if price.sized:
            below, weights = self.selection(node.selection_set, price.kind, price.sized, entries)
            return times * (entries * price.weight + price.each + below), entries * price.weight + weights
        below, weights = self.selection(node.selection_set, price.kind, (), 1)
        return times * entries * (price.weight + price.each + below), entries * price.weight + weights

    def _entries(self, price: Price, arguments: Sequence[ArgumentNode]) -> int:
        """As the arguments say, or fields within them: `input.clients`."""
        given = {each.name.value: each for each in arguments}
        paths = [path.split(".") for path in price.slicing]
        said = [_within(self._value(given[name]), rest) for name, *rest in paths if name in given]
        return max((_count(each, price.size) for each in said), default=price.size)

    def _value(self, argument: ArgumentNode | DirectiveNode) -> object:
        value = argument.value if isinstance(argument, ArgumentNode) else next(each.value for each in argument.arguments or ())
        return value_from_ast_untyped(value, self.variables)

    def _is_included(self, node: SelectionNode) -> bool:
        said = {each.name.value: self._value(each) for each in node.directives or () if each.name.value in {"skip", "include"}}
        return said.get("skip") is not True and said.get("include") is not False


def _within(value: object, path: Sequence[str]) -> object:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _count(said: object, usual: int) -> int:
    """Entries by an argument: the number, or as many as the list has. A page of too many is refused elsewhere, and costs no more."""
    if isinstance(said, list):
        return min(len(said), LARGEST)
    return min(max(said, 0), LARGEST) if isinstance(said, int) else usual


def _objects(data: object) -> int:
    if isinstance(data, dict):
        return 1 + sum(map(_objects, data.values()))
    return sum(map(_objects, data)) if isinstance(data, list) else 0
