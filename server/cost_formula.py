"""The formula of an operation's cost: constants, and what depends on variables.

What no variable can change is a constant, so an estimate costs a few additions and nothing of a request is kept. The formula takes the
coerced variables, the same values that execution receives: otherwise a value that coercion changes, such as `100.0` for an Int, would be
estimated as another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)

from domain.pages import MAX_PAGE_SIZE

Variables: TypeAlias = Mapping[str, Any]


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

    @property
    def is_list(self) -> bool:
        """Whether the field itself has many entries; a page has not, its `sized` fields have."""
        return not self.sized and (self.size > 1 or bool(self.slicing))


Prices: TypeAlias = Mapping[str, Mapping[str, Price]]


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
        return min(len(value), MAX_PAGE_SIZE)
    return min(max(value, 0), MAX_PAGE_SIZE) if isinstance(value, int) else usual


@dataclass
class SelectionCost:
    """The cost of a selection set: its constant part, and the parts that depend on variables."""

    requested: int = 0
    requested_per_entry: int = 0  # of the fields that come once for each entry of a page
    weights: int = 0
    varying: list[tuple[Sequence[_Condition], "SelectionCost | FieldTerm"]] = field(default_factory=list)

    def evaluate(self, variables: Variables, entries: int) -> tuple[int, int]:
        """Return the most that it can cost, and the part of that which is due anyway."""
        requested, weights = self.requested + entries * self.requested_per_entry, self.weights
        for conditions, part in self.varying:
            if not conditions or all(condition.holds(variables) for condition in conditions):
                more, weight = part.evaluate(variables, entries)
                requested, weights = requested + more, weights + weight
        return requested, weights

    def add(self, conditions: Sequence[_Condition], part: "SelectionCost | FieldTerm") -> None:
        """Add a part: to the constants, where no variable can change it."""
        if conditions or part.varying:
            self.varying.append((conditions, part))
            return
        if isinstance(part, SelectionCost):
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
class FieldTerm:
    """The cost of a field: its price for each of its entries, and the cost of what is selected below."""

    price: Price
    fixed: int  # entries, at least
    counts: Sequence[_Count]  # entries by variables
    below: SelectionCost
    is_per_entry: bool  # it comes as often as the page that it is on has entries

    @property
    def varying(self) -> bool:
        return bool(self.counts or self.below.varying)

    def evaluate(self, variables: Variables, entries: int) -> tuple[int, int]:
        price, times, own = self.price, entries if self.is_per_entry else 1, self.fixed
        for count in self.counts:
            own = max(own, count.evaluate(variables))
        below, weights = self.below.evaluate(variables, own if price.sized else 1)
        # Below a list a weight is due for each entry that is returned, which the result says.
        weights = own * price.weight + (0 if self.is_per_entry or price.is_list else weights)
        if price.sized:
            return times * (own * price.weight + price.each + below), weights
        return times * own * (price.weight + price.each + below), weights


class CostCompiler:
    """Compile selections to their costs, each fragment once however often it is spread."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], prices: Prices) -> None:
        self._fragments = fragments
        self._prices = prices
        self._compiled: dict[tuple[str, Sequence[str]], SelectionCost] = {}

    def selection(self, selections: SelectionSetNode | None, kind: str, sized: Sequence[str]) -> SelectionCost:
        """Compile what is selected on a type, of which the `sized` fields come once for each entry."""
        compiled = SelectionCost()
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

    def weighted(
        self, selections: SelectionSetNode | None, kind: str, path: tuple[str, ...], *, is_below_list: bool, sized: Sequence[str] = ()
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield the fields below lists that have a weight: their path in the response, and the weight."""
        for node in selections.selections if selections else ():
            match node:
                case FieldNode():
                    price = self._prices.get(kind, {}).get(node.name.value)
                    if price is None:
                        continue
                    own = (*path, (node.alias or node.name).value)
                    if is_below_list and price.weight:
                        yield own, price.weight
                    is_list = is_below_list or price.is_list or node.name.value in sized
                    yield from self.weighted(node.selection_set, price.kind, own, is_below_list=is_list, sized=price.sized)
                case InlineFragmentNode():
                    on = node.type_condition.name.value if node.type_condition else kind
                    yield from self.weighted(node.selection_set, on, path, is_below_list=is_below_list, sized=sized)
                case FragmentSpreadNode():
                    fragment = self._fragments[node.name.value]
                    on = fragment.type_condition.name.value
                    yield from self.weighted(fragment.selection_set, on, path, is_below_list=is_below_list, sized=sized)

    def _fragment(self, name: str, sized: Sequence[str]) -> SelectionCost:
        key = (name, tuple(sized))
        if key not in self._compiled:
            fragment = self._fragments[name]
            self._compiled[key] = self.selection(fragment.selection_set, fragment.type_condition.name.value, sized)
        return self._compiled[key]

    def _field(self, node: FieldNode, kind: str, *, is_per_entry: bool) -> FieldTerm | None:
        """Compile a field; None for one that costs nothing."""
        price = self._prices.get(kind, {}).get(node.name.value)
        if price is None or not (price.each or price.weight):
            return None
        fixed, counts = _entries(price, node.arguments or ())
        return FieldTerm(price, fixed, counts, self.selection(node.selection_set, price.kind, price.sized), is_per_entry)


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
        return min(len(value.values), MAX_PAGE_SIZE)
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
