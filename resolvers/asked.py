"""What an operation reads of rows, told from its document: so that no statement brings columns that nobody reads."""

from collections.abc import Iterable, Iterator, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
)


def names(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str] | None:
    """The attributes; None for an operation that may read any: a change, or one with a field that does not say.

    An attribute of a type that is read off rows is named with their class, as `ContactRow.email`; any other may be of whichever rows.
    """
    if operation.operation is not OperationType.QUERY or schema.query_type is None:
        return None
    found = {*_Reading(schema, fragments).within(schema.query_type, operation.selection_set)}
    known = frozenset(name for name in found if name is not None)
    return known if len(known) == len(found) else None


class _Reading:
    """Of one operation. A fragment is read once."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._seen: set[str] = set()

    def within(self, of: GraphQLNamedType | None, selected: SelectionSetNode) -> Iterator[str | None]:
        """None for what is not known."""
        for node in selected.selections:
            if isinstance(node, FieldNode):
                yield from self._field(of, node)
            elif isinstance(node, FragmentSpreadNode):
                if node.name.value not in self._seen:
                    self._seen.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    yield from self.within(self._schema.get_type(fragment.type_condition.name.value), fragment.selection_set)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                yield from self.within(self._schema.get_type(condition.name.value) if condition else of, node.selection_set)

    def _field(self, of: GraphQLNamedType | None, node: FieldNode) -> Iterator[str | None]:
        kinds = self._schema.get_possible_types(of) if is_abstract_type(of) else [of]
        for kind in kinds:
            if not isinstance(kind, GraphQLObjectType) or (definition := kind.fields.get(node.name.value)) is None:
                continue  # one of GraphQL's own, which read no row
            declared = definition.extensions.get("strawberry-definition")
            if relation := declared.metadata.get("by"):
                yield from _qualify(kind, [relation.key])
            elif declared.is_basic_field:
                found = declared.metadata.get("reads", [declared.python_name])
                yield from [None] if found is None else _qualify(kind, found)
            elif kind is not self._schema.query_type:
                yield None
            if node.selection_set:
                yield from self.within(get_named_type(definition.type), node.selection_set)


def _qualify(kind: GraphQLObjectType, attributes: Iterable[str]) -> Iterable[str]:
    sources: Iterable[type] = getattr(kind.extensions["strawberry-definition"].origin, "sources", ())
    rows = [source.__name__ for source in sources if hasattr(source, "__columns__")]
    return [f"{row}.{name}" for row in rows for name in attributes] or attributes
