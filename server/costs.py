"""Estimate what an operation costs before it runs: a point for each object that it may return, more where the schema says so.

Weights and list sizes are those of the schema's directives `@cost` and `@listSize`, so that a gateway computes the same cost.

An operation is compiled once into a formula. What no variable can change is a constant there, so an estimate costs a few additions and
nothing of a request is kept. The formula takes the coerced variables, the same values that execution receives: otherwise a value that
coercion changes, such as `100.0` for an Int, would be estimated as another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from graphql import (
    ArgumentNode,
    BooleanValueNode,
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
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

from domain.pages import LARGEST
from resolvers.executor import Counted
from schema.directives import Cost, ListSize

Variables: TypeAlias = Mapping[str, Any]
# A point is about 30 µs of the worker and of PostgreSQL together, measured by `benchmarks.points`.
OPERATION = 25  # the fixed cost of a request: to read it, to queue it, to answer it
INTROSPECTION = 1500  # for all that is below: its lists have no lengths, and its depth is bounded


@dataclass(frozen=True)
class Price:
    """The cost of a field: its own weight, what an object costs, how many entries, and the type of an entry.

    The weight counts for each entry; so does all below, except where only some fields are `sized`: a page is one object, its nodes are
    many.
    """

    weight: int
    each: int
    kind: str
    size: int = 1
    slicing: Sequence[str] = ()
    sized: Sequence[str] = ()


@dataclass(frozen=True)
class Bill:
    """The most that an operation can cost, and the part of it that is due whatever the operation returns."""

    requested: int
    weights: int

    def actual(self, result: ExecutionResult) -> int:
        """Return the cost of what was returned: its objects without the root, and the weights; of introspection the weight alone."""
        objects = result.objects if isinstance(result, Counted) else _objects(result.data)
        return min(self.requested, self.weights + max(objects - 1, 0))


Prices: TypeAlias = Mapping[str, Mapping[str, Price]]


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
        self._compiler = _Compiler(fragments, prices)
        self._root = root

    @cached_property
    def _formula(self) -> "_Selection":
        return self._compiler.selection(self._operation.selection_set, self._root, ())

    def bill(self, variables: Variables) -> Bill:
        """Estimate the cost with these coerced variables."""
        requested, weights = self._formula.evaluate(variables, 1)
        return Bill(OPERATION + requested, OPERATION + weights)


@dataclass(frozen=True)
class _Condition:
    """An `@include` or `@skip` by a variable."""

    variable: str
    includes_if: bool

    def holds(self, variables: Variables) -> bool:
        return bool(variables.get(self.variable)) is self.includes_if


@dataclass(frozen=True)
class _Count:
    """The number of entries by an argument: a variable, or a value within one, which is a number or a list."""

    variable: str
    path: Sequence[str]
    usual: int

    def evaluate(self, variables: Variables) -> int:
        value = variables.get(self.variable)
        for step in self.path:
            value = value.get(step) if isinstance(value, dict) else None
        return _count(value, self.usual)


def _count(value: object, usual: int) -> int:
    """Return the entries that a value asks for. A page of too many is refused elsewhere, and costs no more."""
    if isinstance(value, list):
        return min(len(value), LARGEST)
    return min(max(value, 0), LARGEST) if isinstance(value, int) else usual


@dataclass
class _Selection:
    """The cost of a selection set: its constant part, and the parts that depend on variables."""

    requested: int = 0
    requested_per_entry: int = 0  # of the fields that come once for each entry of a page
    weights: int = 0
    varying: list[tuple[Sequence[_Condition], "_Selection | _Field"]] = field(default_factory=list)

    def evaluate(self, variables: Variables, entries: int) -> tuple[int, int]:
        """Return the most that it can cost, and the part of that which is due anyway."""
        requested, weights = self.requested + entries * self.requested_per_entry, self.weights
        for conditions, part in self.varying:
            if all(condition.holds(variables) for condition in conditions):
                more, weight = part.evaluate(variables, entries)
                requested, weights = requested + more, weights + weight
        return requested, weights

    def add(self, conditions: Sequence[_Condition], part: "_Selection | _Field") -> None:
        """Add a part: to the constants, where no variable can change it."""
        if conditions or part.varying:
            self.varying.append((conditions, part))
            return
        if isinstance(part, _Selection):
            self.requested += part.requested
            self.requested_per_entry += part.requested_per_entry
            self.weights += part.weights
            return
        requested, weights = part.evaluate({}, 1)
        self.weights += weights
        if part.is_per_entry:
            self.requested_per_entry += requested
        else:
            self.requested += requested


@dataclass(frozen=True)
class _Field:
    """The cost of a field: its price for each of its entries, and the cost of what is selected below."""

    price: Price
    fixed: int  # entries, at least
    counts: Sequence[_Count]  # entries by variables
    below: _Selection
    is_per_entry: bool  # it comes as often as the page that it is on has entries

    @property
    def varying(self) -> bool:
        return bool(self.counts or self.below.varying)

    def evaluate(self, variables: Variables, entries: int) -> tuple[int, int]:
        price, times = self.price, entries if self.is_per_entry else 1
        own = max((count.evaluate(variables) for count in self.counts), default=0)
        own = max(own, self.fixed)
        below, weights = self.below.evaluate(variables, own if price.sized else 1)
        weights += own * price.weight
        if price.sized:
            return times * (own * price.weight + price.each + below), weights
        return times * own * (price.weight + price.each + below), weights


class _Compiler:
    """Compile selections to their costs, each fragment once however often it is spread."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], prices: Prices) -> None:
        self._fragments = fragments
        self._prices = prices
        self._compiled: dict[tuple[str, Sequence[str]], _Selection] = {}

    def selection(self, selections: SelectionSetNode | None, kind: str, sized: Sequence[str]) -> _Selection:
        """Compile what is selected on a type, of which the `sized` fields come once for each entry."""
        compiled = _Selection()
        for node in selections.selections if selections else ():
            conditions = _conditions(node)
            if conditions is None:
                continue
            match node:
                case FieldNode():
                    if part := self._field(node, kind, is_per_entry=node.name.value in sized):
                        compiled.add(conditions, part)
                case InlineFragmentNode():
                    on = node.type_condition.name.value if node.type_condition else kind
                    compiled.add(conditions, self.selection(node.selection_set, on, sized))
                case FragmentSpreadNode():
                    compiled.add(conditions, self._fragment(node.name.value, sized))
        return compiled

    def _fragment(self, name: str, sized: Sequence[str]) -> _Selection:
        key = (name, tuple(sized))
        if key not in self._compiled:
            fragment = self._fragments[name]
            self._compiled[key] = self.selection(fragment.selection_set, fragment.type_condition.name.value, sized)
        return self._compiled[key]

    def _field(self, node: FieldNode, kind: str, *, is_per_entry: bool) -> _Field | None:
        """Compile a field; None for one that costs nothing."""
        price = self._prices.get(kind, {}).get(node.name.value)
        if price is None or not (price.each or price.weight):
            return None
        fixed, counts = _entries(price, node.arguments or ())
        return _Field(price, fixed, counts, self.selection(node.selection_set, price.kind, price.sized), is_per_entry)


def _entries(price: Price, arguments: Sequence[ArgumentNode]) -> tuple[int, Sequence[_Count]]:
    """Return how many entries the arguments ask for, or fields within them such as `input.clients`: at least, and by which variables."""
    given = {each.name.value: each.value for each in arguments}
    paths = [path.split(".") for path in price.slicing]
    found = [_quantity(given[name], rest, price.size) for name, *rest in paths if name in given]
    fixed = [each for each in found if isinstance(each, int)]
    return max(fixed, default=0 if found else price.size), [each for each in found if isinstance(each, _Count)]


def _quantity(value: ValueNode, path: Sequence[str], usual: int) -> int | _Count:
    """Return the entries that an argument asks for, or which variable says it."""
    for place, step in enumerate(path):
        if isinstance(value, VariableNode):
            return _Count(value.name.value, path[place:], usual)
        fields = value.fields if isinstance(value, ObjectValueNode) else ()
        inner = next((each.value for each in fields if each.name.value == step), None)
        if inner is None:
            return usual
        value = inner
    if isinstance(value, VariableNode):
        return _Count(value.name.value, (), usual)
    if isinstance(value, ListValueNode):
        return min(len(value.values), LARGEST)
    return _count(value_from_ast_untyped(value), usual)


def _conditions(node: SelectionNode) -> Sequence[_Condition] | None:
    """Return by which variables a selection is included; None for one that never is."""
    found = list[_Condition]()
    for directive in node.directives or ():
        if directive.name.value in {"skip", "include"}:
            value, includes_if = _if(directive), directive.name.value == "include"
            if isinstance(value, VariableNode):
                found.append(_Condition(value.name.value, includes_if))
            elif isinstance(value, BooleanValueNode) and value.value is not includes_if:
                return None
    return found


def _if(directive: DirectiveNode) -> ValueNode:
    return next(each.value for each in directive.arguments or ())


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
