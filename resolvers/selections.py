"""What a document selects of an object type, with its fragments, and for the values of the variables of its @skip and @include."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, is_abstract_type
from graphql import language as ast

DECIDING = {"skip", "include"}
Flags = Mapping[str, Any]
Sets = Sequence[ast.SelectionSetNode]
Found = dict[str, list[ast.FieldNode]]
Fragment = ast.InlineFragmentNode | ast.FragmentDefinitionNode


class UncompiledError(Exception):
    """This operation is never compiled."""


def deciding(sets: Iterable[ast.SelectionSetNode]) -> Iterator[str]:
    """The variables that decide which fields are in."""
    for node in (node for each in sets for node in each.selections):
        for directive in node.directives or ():
            if directive.name.value in DECIDING and isinstance(value := _condition(directive), ast.VariableNode):
                yield value.name.value
        if below := getattr(node, "selection_set", None):
            yield from deciding([below])


def _condition(directive: ast.DirectiveNode) -> object:
    """The value of `if`, the only argument of @skip and @include."""
    return directive.arguments[0].value if directive.arguments else None


def _is_in(node: ast.SelectionNode, flags: Flags) -> bool:
    for directive in node.directives or ():
        if directive.name.value not in DECIDING:
            raise UncompiledError(f"@{directive.name.value}")
        value = _condition(directive)
        is_true = value.value if isinstance(value, ast.BooleanValueNode) else flags[value.name.value]  # type: ignore[attr-defined]
        if is_true == (directive.name.value == "skip"):
            return False
    return True


class Selections:
    """Of one operation, for one set of values of its deciding variables."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, ast.FragmentDefinitionNode], flags: Flags) -> None:
        self._schema = schema
        self._fragments = fragments
        self._flags = flags

    def collect(self, of: GraphQLObjectType, sets: Sets) -> Found:
        """The fields by the key of the answer, in the order in which the document first has them. A fragment counts once."""
        return self._collected(of, sets, {}, set())

    def _collected(self, of: GraphQLObjectType, sets: Sets, found: Found, seen: set[str]) -> Found:
        for node in (node for each in sets for node in each.selections if _is_in(node, self._flags)):
            if isinstance(node, ast.FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, ast.InlineFragmentNode):
                self._collect_fragment(of, node, found, seen)
            elif isinstance(node, ast.FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                self._collect_fragment(of, self._fragments[node.name.value], found, seen)
        return found

    def _collect_fragment(self, of: GraphQLObjectType, fragment: Fragment, found: Found, seen: set[str]) -> None:
        condition = fragment.type_condition
        if condition is None or condition.name.value == of.name or self._is_of(of, condition.name.value):
            self._collected(of, [fragment.selection_set], found, seen)

    def _is_of(self, of: GraphQLObjectType, name: str) -> bool:
        kind = self._schema.get_type(name)
        return is_abstract_type(kind) and self._schema.is_sub_type(kind, of)
