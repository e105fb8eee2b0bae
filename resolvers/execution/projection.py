"""Find the columns that an operation reads, so that statements fetch no others."""

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


def find_requested_columns(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str] | None:
    """Return the names of the columns that an operation reads, or None if it may read any column.

    That is so for a mutation, and if the columns of a field are unknown. The column of a type with known row classes is qualified by
    the class, as in `ContactRow.email`. An unqualified name may belong to any row class.
    """
    if operation.operation is not OperationType.QUERY or schema.query_type is None:
        return None
    columns = {*_ColumnCollector(schema, fragments).collect(schema.query_type, operation.selection_set)}
    known_columns = frozenset(name for name in columns if name is not None)
    return known_columns if len(known_columns) == len(columns) else None


class _ColumnCollector:
    """Collect the columns of one operation. Each fragment is visited once."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._visited_fragments: set[str] = set()

    def collect(self, parent_type: GraphQLNamedType | None, selection_set: SelectionSetNode) -> Iterator[str | None]:
        """Yield the columns of a selection set, and None for a field that may read any column."""
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                yield from self._collect_field(parent_type, node)
            elif isinstance(node, FragmentSpreadNode):
                if node.name.value not in self._visited_fragments:
                    self._visited_fragments.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    yield from self.collect(self._schema.get_type(fragment.type_condition.name.value), fragment.selection_set)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                yield from self.collect(self._schema.get_type(condition.name.value) if condition else parent_type, node.selection_set)

    def _collect_field(self, parent_type: GraphQLNamedType | None, node: FieldNode) -> Iterator[str | None]:
        object_types = self._schema.get_possible_types(parent_type) if is_abstract_type(parent_type) else [parent_type]
        for object_type in object_types:
            if not isinstance(object_type, GraphQLObjectType) or (definition := object_type.fields.get(node.name.value)) is None:
                continue  # `__typename` or introspection, which reads no row
            strawberry_field = definition.extensions.get("strawberry-definition")
            if relation := strawberry_field.metadata.get("relation"):
                yield from _qualify(object_type, [relation.key])
            elif strawberry_field.is_basic_field:
                columns = strawberry_field.metadata.get("columns", [strawberry_field.python_name])
                yield from [None] if columns is None else _qualify(object_type, columns)
            elif object_type is not self._schema.query_type:
                yield None
            if node.selection_set:
                yield from self.collect(get_named_type(definition.type), node.selection_set)


def _qualify(object_type: GraphQLObjectType, attributes: Iterable[str]) -> Iterable[str]:
    sources: Iterable[type] = getattr(object_type.extensions["strawberry-definition"].origin, "sources", ())
    rows = [source.__name__ for source in sources if hasattr(source, "__columns__")]
    return [f"{row}.{name}" for row in rows for name in attributes] or attributes
