"""Compile the cost of an operation into a formula of constants and of parts that depend on variables.

Everything that no variable can change is a constant, so an estimate takes a few additions and stores nothing of the request. The formula
takes coerced variables, the same values as the execution. Otherwise a value that coercion changes, such as `100.0` for an Int, would have
another estimate.
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

from domain.core.pagination import MAX_PAGE_SIZE

Variables: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class FieldCost:
    """Cost of a field: its weight, the cost of an object, the type of an entry, and the number of entries.

    The weight and all fields below count for each entry. With `sized_fields`, only the fields below those count for each entry: a page is
    one object with many nodes.
    """

    weight: int
    per_object: int
    type_name: str
    default_size: int = 1
    slicing_arguments: Sequence[str] = ()
    sized_fields: Sequence[str] = ()

    @property
    def is_list(self) -> bool:
        """Return whether the field itself is a list. A page is not, its `sized_fields` are."""
        return not self.sized_fields and (self.default_size > 1 or bool(self.slicing_arguments))


FieldCosts: TypeAlias = Mapping[str, Mapping[str, FieldCost]]


@dataclass(frozen=True)
class _Condition:
    """An `@include` or `@skip` whose condition is a variable."""

    variable: str
    includes_if: bool

    def holds(self, variables: Variables) -> bool:
        return bool(variables.get(self.variable)) is self.includes_if


@dataclass(frozen=True)
class _EntryCount:
    """Number of entries that a variable determines, or a value inside it at `path`. The value is a number or a list."""

    variable: str
    path: Sequence[str]
    default: int

    def evaluate(self, variables: Variables) -> int:
        value = variables.get(self.variable)
        for step in self.path:
            value = value.get(step) if isinstance(value, dict) else None
        return _count_entries(value, self.default)


def _count_entries(value: object, default: int) -> int:
    """Return the number of entries for a value, at most `MAX_PAGE_SIZE`. Other checks reject larger pages."""
    if isinstance(value, list):
        return min(len(value), MAX_PAGE_SIZE)
    return min(max(value, 0), MAX_PAGE_SIZE) if isinstance(value, int) else default


@dataclass
class SelectionCost:
    """Cost of a selection set: a constant part, and parts that depend on variables."""

    maximum: int = 0
    maximum_per_entry: int = 0  # cost of the fields that occur once for each entry of a page
    weights: int = 0
    varying: list[tuple[Sequence[_Condition], "SelectionCost | FieldTerm"]] = field(default_factory=list)

    def evaluate(self, variables: Variables, entries: int) -> tuple[int, int]:
        """Return the maximum cost and the part of it that does not depend on the result."""
        maximum, weights = self.maximum + entries * self.maximum_per_entry, self.weights
        for conditions, part in self.varying:
            if not conditions or all(condition.holds(variables) for condition in conditions):
                more, weight = part.evaluate(variables, entries)
                maximum, weights = maximum + more, weights + weight
        return maximum, weights

    def add(self, conditions: Sequence[_Condition], part: "SelectionCost | FieldTerm") -> None:
        """Add a part. If no variable can change it, add it to the constants."""
        if conditions or part.varying:
            self.varying.append((conditions, part))
            return
        if isinstance(part, SelectionCost):
            self.maximum += part.maximum
            self.maximum_per_entry += part.maximum_per_entry
            self.weights += part.weights
            return
        maximum, weights = part.evaluate({}, 1)
        self.weights += weights
        if part.is_per_entry:
            self.maximum_per_entry += maximum
        else:
            self.maximum += maximum


@dataclass(frozen=True)
class FieldTerm:
    """Cost of a field: its own cost for each entry, and the cost of its selection set."""

    cost: FieldCost
    min_entries: int  # from constants
    entry_counts: Sequence[_EntryCount]  # from variables
    below: SelectionCost
    is_per_entry: bool  # whether it occurs once for each entry of its page

    @property
    def varying(self) -> bool:
        return bool(self.entry_counts or self.below.varying)

    def evaluate(self, variables: Variables, entries: int) -> tuple[int, int]:
        cost, times, own_entries = self.cost, entries if self.is_per_entry else 1, self.min_entries
        for count in self.entry_counts:
            own_entries = max(own_entries, count.evaluate(variables))
        below, weights = self.below.evaluate(variables, own_entries if cost.sized_fields else 1)
        # Weights below a list count for each returned entry, so `CostEstimate.actual_cost` adds them.
        weights = own_entries * cost.weight + (0 if self.is_per_entry or cost.is_list else weights)
        if cost.sized_fields:
            return times * (own_entries * cost.weight + cost.per_object + below), weights
        return times * own_entries * (cost.weight + cost.per_object + below), weights


class CostCompiler:
    """Compile selection sets into cost formulas. Each fragment is compiled once, however often it is spread."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], field_costs: FieldCosts) -> None:
        self._fragments = fragments
        self._field_costs = field_costs
        self._cache: dict[tuple[str, Sequence[str]], SelectionCost] = {}

    def compile_selection(self, selections: SelectionSetNode | None, type_name: str, sized_fields: Sequence[str]) -> SelectionCost:
        """Compile a selection set on a type. The `sized_fields` of the type occur once for each entry."""
        cost = SelectionCost()
        for node in selections.selections if selections else ():
            conditions = _include_conditions(node)
            if conditions is None:
                continue
            match node:
                case FieldNode():
                    if part := self._compile_field(node, type_name, is_per_entry=node.name.value in sized_fields):
                        cost.add(conditions, part)
                case InlineFragmentNode():
                    fragment_type = node.type_condition.name.value if node.type_condition else type_name
                    cost.add(conditions, self.compile_selection(node.selection_set, fragment_type, sized_fields))
                case FragmentSpreadNode():
                    cost.add(conditions, self._compile_fragment(node.name.value, sized_fields))
        return cost

    def list_weights(
        self,
        selections: SelectionSetNode | None,
        type_name: str,
        path: tuple[str, ...],
        *,
        is_below_list: bool,
        sized_fields: Sequence[str] = (),
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield the path in the response and the weight of each field with a weight below a list."""
        for node in selections.selections if selections else ():
            match node:
                case FieldNode():
                    cost = self._field_costs.get(type_name, {}).get(node.name.value)
                    if cost is None:
                        continue
                    field_path = (*path, (node.alias or node.name).value)
                    if is_below_list and cost.weight:
                        yield field_path, cost.weight
                    is_list = is_below_list or cost.is_list or node.name.value in sized_fields
                    yield from self.list_weights(
                        node.selection_set, cost.type_name, field_path, is_below_list=is_list, sized_fields=cost.sized_fields
                    )
                case InlineFragmentNode():
                    fragment_type = node.type_condition.name.value if node.type_condition else type_name
                    yield from self.list_weights(
                        node.selection_set, fragment_type, path, is_below_list=is_below_list, sized_fields=sized_fields
                    )
                case FragmentSpreadNode():
                    fragment = self._fragments[node.name.value]
                    fragment_type = fragment.type_condition.name.value
                    yield from self.list_weights(
                        fragment.selection_set, fragment_type, path, is_below_list=is_below_list, sized_fields=sized_fields
                    )

    def _compile_fragment(self, name: str, sized_fields: Sequence[str]) -> SelectionCost:
        key = (name, tuple(sized_fields))
        if key not in self._cache:
            fragment = self._fragments[name]
            self._cache[key] = self.compile_selection(fragment.selection_set, fragment.type_condition.name.value, sized_fields)
        return self._cache[key]

    def _compile_field(self, node: FieldNode, type_name: str, *, is_per_entry: bool) -> FieldTerm | None:
        """Compile a field. Return None for a field that costs nothing."""
        cost = self._field_costs.get(type_name, {}).get(node.name.value)
        if cost is None or not (cost.per_object or cost.weight):
            return None
        min_entries, entry_counts = _requested_entries(cost, node.arguments or ())
        return FieldTerm(
            cost, min_entries, entry_counts, self.compile_selection(node.selection_set, cost.type_name, cost.sized_fields), is_per_entry
        )


def _requested_entries(cost: FieldCost, arguments: Sequence[ArgumentNode]) -> tuple[int, Sequence[_EntryCount]]:
    """Return the requested entries: the number from constants, and the counts from variables.

    A slicing argument may be a path into an input object, such as `input.clients`.
    """
    values = {each.name.value: each.value for each in arguments}
    paths = [path.split(".") for path in cost.slicing_arguments]
    counts = [_argument_entries(values[name], rest, cost.default_size) for name, *rest in paths if name in values]
    constants = [each for each in counts if isinstance(each, int)]
    return max(constants, default=0 if counts else cost.default_size), [each for each in counts if isinstance(each, _EntryCount)]


def _argument_entries(value: ValueNode, path: Sequence[str], default: int) -> int | _EntryCount:
    """Return the number of entries that an argument requests, or the variable that determines it."""
    for index, step in enumerate(path):
        if isinstance(value, VariableNode):
            return _EntryCount(value.name.value, path[index:], default)
        fields = value.fields if isinstance(value, ObjectValueNode) else ()
        inner = next((each.value for each in fields if each.name.value == step), None)
        if inner is None:
            return default
        value = inner
    if isinstance(value, VariableNode):
        return _EntryCount(value.name.value, (), default)
    if isinstance(value, ListValueNode):
        return min(len(value.values), MAX_PAGE_SIZE)
    return _count_entries(value_from_ast_untyped(value), default)


def _include_conditions(node: SelectionNode) -> Sequence[_Condition] | None:
    """Return the conditions under which a selection is included, or None if it never is."""
    conditions = list[_Condition]()
    for directive in node.directives or ():
        if directive.name.value in {"skip", "include"}:
            value, includes_if = _condition_value(directive), directive.name.value == "include"
            if isinstance(value, VariableNode):
                conditions.append(_Condition(value.name.value, includes_if))
            elif isinstance(value, BooleanValueNode) and value.value is not includes_if:
                return None
    return conditions


def _condition_value(directive: DirectiveNode) -> ValueNode:
    return next(each.value for each in directive.arguments or ())
