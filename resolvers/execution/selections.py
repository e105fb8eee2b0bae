"""Collect the fields that a document selects of an object type, with its fragments, @skip and @include."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, is_abstract_type
from graphql import language as ast

CONDITIONAL_DIRECTIVES = {"skip", "include"}
Flags = Mapping[str, Any]
SelectionSets = Sequence[ast.SelectionSetNode]
FieldGroups = dict[str, list[ast.FieldNode]]
Fragment = ast.InlineFragmentNode | ast.FragmentDefinitionNode


class UncompiledError(Exception):
    """The operation cannot be compiled."""


def find_condition_variables(selection_sets: Iterable[ast.SelectionSetNode]) -> Iterator[str]:
    """Yield the variables of @skip and @include, which decide which fields are included."""
    for node in (node for selection_set in selection_sets for node in selection_set.selections):
        for directive in node.directives or ():
            if directive.name.value in CONDITIONAL_DIRECTIVES and isinstance(value := _condition_value(directive), ast.VariableNode):
                yield value.name.value
        if child := getattr(node, "selection_set", None):
            yield from find_condition_variables([child])


def _condition_value(directive: ast.DirectiveNode) -> object:
    """Return the value of `if`, the only argument of @skip and @include."""
    return directive.arguments[0].value if directive.arguments else None


def _is_included(node: ast.SelectionNode, flags: Flags) -> bool:
    for directive in node.directives or ():
        if directive.name.value not in CONDITIONAL_DIRECTIVES:
            raise UncompiledError(f"@{directive.name.value}")
        value = _condition_value(directive)
        is_true = value.value if isinstance(value, ast.BooleanValueNode) else flags[value.name.value]  # type: ignore[attr-defined]
        if is_true == (directive.name.value == "skip"):
            return False
    return True


class FieldCollector:
    """Collect the fields of one operation, for one set of values of its conditional variables."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, ast.FragmentDefinitionNode], flags: Flags) -> None:
        self._schema = schema
        self._fragments = fragments
        self._flags = flags

    def collect(self, object_type: GraphQLObjectType, selection_sets: SelectionSets) -> FieldGroups:
        """Return the fields by response key, in document order. A fragment is collected once."""
        return self._collect(object_type, selection_sets, {}, set())

    def _collect(
        self, object_type: GraphQLObjectType, selection_sets: SelectionSets, groups: FieldGroups, visited_fragments: set[str]
    ) -> FieldGroups:
        for node in (node for selection_set in selection_sets for node in selection_set.selections if _is_included(node, self._flags)):
            if isinstance(node, ast.FieldNode):
                groups.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, ast.InlineFragmentNode):
                self._collect_fragment(object_type, node, groups, visited_fragments)
            elif isinstance(node, ast.FragmentSpreadNode) and node.name.value not in visited_fragments:
                visited_fragments.add(node.name.value)
                self._collect_fragment(object_type, self._fragments[node.name.value], groups, visited_fragments)
        return groups

    def _collect_fragment(
        self, object_type: GraphQLObjectType, fragment: Fragment, groups: FieldGroups, visited_fragments: set[str]
    ) -> None:
        condition = fragment.type_condition
        if condition is None or condition.name.value == object_type.name or self._is_subtype_of(object_type, condition.name.value):
            self._collect(object_type, [fragment.selection_set], groups, visited_fragments)

    def _is_subtype_of(self, object_type: GraphQLObjectType, name: str) -> bool:
        type_condition = self._schema.get_type(name)
        return is_abstract_type(type_condition) and self._schema.is_sub_type(type_condition, object_type)
