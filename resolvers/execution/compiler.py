"""Compile an operation to a plan. Each field is read from its row, loaded by a relation, returned by a resolver, or is `__typename`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
)
from graphql import language as ast

from resolvers.execution.arguments import FieldCall
from resolvers.execution.leaves import make_serializer
from resolvers.execution.plan import AbstractLevel, Content, FetchedField, Field, LeafField, Level, NestedField, Plan, RowValue
from resolvers.execution.response_size import PUNCTUATION, estimate_max_bytes
from resolvers.execution.selections import FieldCollector, Flags, SelectionSets, UncompiledError

LEVEL_SIZE = 3  # estimated memory of a level and its generated function, in units of one field
FETCHED_VALUE = RowValue(lambda value: value, "")  # a fetched value comes from an iterator, so no attribute is read


class Compiler:
    """Compile one operation, for one set of values of the variables in its `@skip` and `@include`."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, ast.FragmentDefinitionNode], flags: Flags) -> None:
        self._schema = schema
        self._selections = FieldCollector(schema, fragments, flags)
        self._field_count = self._level_count = 0
        self._query_fields: list[FetchedField] = []  # relations and resolvers, which may query the database

    def compile_plan(self, operation: ast.OperationDefinitionNode) -> Plan:
        if operation.operation is not ast.OperationType.QUERY or self._schema.query_type is None:
            raise UncompiledError(operation.operation.value)
        root = self._compile_level(self._schema.query_type, [operation.selection_set])
        self._mark_exclusive()
        return Plan(root, self._field_count + LEVEL_SIZE * self._level_count, self._query_fields, [*_find_followers(root)])

    def _mark_exclusive(self) -> None:
        """Mark each relation whose loader nothing else in the operation uses. Such a loader needs no futures.

        Relations with the same batch function share a loader. Resolvers may use any loader, so an operation with several resolvers has no
        exclusive relation. A single resolver is allowed, because it returns before any relation is loaded.
        """
        fields_by_loader = Counter(field.relation and field.relation.batch for field in self._query_fields)
        for field in self._query_fields:
            field.is_exclusive = field.relation is not None and fields_by_loader[field.relation.batch] == 1 and fields_by_loader[None] <= 1

    def _compile_level(self, object_type: GraphQLObjectType, selection_sets: SelectionSets) -> Level:
        self._level_count += 1
        fields, object_count, max_bytes = list[tuple[str, Field | None]](), 1, 0
        for key, nodes in self._selections.collect(object_type, selection_sets).items():
            max_bytes += len(key) + PUNCTUATION
            if nodes[0].name.value == "__typename":
                fields.append((key, None))
                max_bytes += len(object_type.name)
                continue
            field = self._compile_field(object_type, nodes)
            fields.append((key, field))
            object_count, max_bytes = object_count + field.object_count, max_bytes + field.max_bytes
        self._field_count += len(fields)
        definition = (object_type.extensions or {}).get("strawberry-definition")
        sources = getattr(definition.origin, "sources", None) if definition else None
        if object_type.is_type_of is not None and sources is None:
            raise UncompiledError(f"is_type_of {object_type.name}")
        return Level(object_type, fields, sources, object_count, max_bytes)

    def _compile_field(self, object_type: GraphQLObjectType, nodes: list[ast.FieldNode]) -> Field:
        definition = object_type.fields.get(nodes[0].name.value)
        strawberry_field = (definition.extensions or {}).get("strawberry-definition") if definition else None
        if definition is None or strawberry_field is None:
            raise UncompiledError(nodes[0].name.value)
        name, metadata, call = strawberry_field.python_name, strawberry_field.metadata, None
        if strawberry_field.is_basic_field:
            value = RowValue(metadata.get("compute") or attrgetter(name), metadata.get("path", name), metadata.get("expression"))
        else:
            value, call = FETCHED_VALUE, self._compile_call(definition, nodes[0], strawberry_field)
        content = self._compile_content(definition.type, nodes)
        max_bytes = estimate_max_bytes(definition.type, metadata.get("columns") or [name]) if callable(content) else 0
        inline = _make_inline(definition.type, value, content, max_bytes)
        if inline and not call:
            return inline
        getter, relation = None if call else value.getter, metadata.get("relation")
        field = FetchedField(definition.type, content, inline, getter, call, relation, max_bytes=max_bytes)
        if call:
            self._query_fields.append(field)
        return field

    def _compile_call(self, definition: GraphQLField, node: ast.FieldNode, strawberry_field: Any) -> FieldCall:  # noqa: ANN401
        resolver = strawberry_field.base_resolver
        takes_row = "relation" not in strawberry_field.metadata and (resolver.root_parameter or resolver.self_parameter)
        if strawberry_field.extensions or takes_row:  # an extension would wrap the resolver
            raise UncompiledError(strawberry_field.python_name)
        return FieldCall(cast("Any", self._schema)._strawberry_schema, definition, node, strawberry_field)  # noqa: SLF001 there is no public access

    def _compile_content(self, output_type: GraphQLOutputType, nodes: list[ast.FieldNode]) -> Content:
        named_type, selection_sets = get_named_type(output_type), [node.selection_set for node in nodes if node.selection_set]
        if isinstance(named_type, GraphQLObjectType):
            return self._compile_level(named_type, selection_sets)
        if isinstance(named_type, GraphQLInterfaceType | GraphQLUnionType):
            return self._compile_abstract(named_type, selection_sets)
        return make_serializer(_entry_type(output_type))

    def _compile_abstract(self, abstract_type: GraphQLInterfaceType | GraphQLUnionType, selection_sets: SelectionSets) -> AbstractLevel:
        abstract_level = AbstractLevel(
            [self._compile_level(object_type, selection_sets) for object_type in self._schema.get_possible_types(abstract_type)]
        )
        if any(level.sources is None for level in abstract_level.levels):
            raise UncompiledError(f"abstract {abstract_type.name}")
        return abstract_level


def _make_inline(output_type: GraphQLOutputType, value: RowValue, content: Content, max_bytes: int) -> LeafField | NestedField | None:
    """Return a field whose value is completed by an expression in the dict of its row, or None if `run` has to complete it.

    `run` completes abstract types, lists of lists, lists with nullable entries, and most objects that have fetched fields.
    """
    nullable_type = get_nullable_type(output_type)
    if isinstance(nullable_type, GraphQLList):
        entry_type = nullable_type.of_type
        if not isinstance(entry_type, GraphQLNonNull) or isinstance(entry_type.of_type, GraphQLList):
            return None
    if isinstance(content, AbstractLevel):
        return None
    if not isinstance(content, Level):
        return LeafField(output_type, value, content, max_bytes=max_bytes)
    nested = NestedField(output_type, value, content)
    # A fetch runs once for all rows of the outer level, so each row must contain exactly one object.
    can_have_fetches = nested.is_in_every_row and value is not FETCHED_VALUE
    return nested if can_have_fetches or not content.has_fetches else None


def _find_followers(root: Level) -> Iterator[tuple[tuple[type, ...], FetchedField]]:
    """Yield the followers: relations whose keys are the ids of the rows of the root's only field, with the classes of those rows.

    The query for those rows can be sent in one statement with the queries of its followers.
    """
    fields = [field for _, field in root.fields if field]
    if len(fields) == 1 and isinstance(fields[0], FetchedField):
        yield from _find_fields_by_id(fields[0].content)


def _find_fields_by_id(content: Content) -> Iterator[tuple[tuple[type, ...], FetchedField]]:
    """Yield the relations that load by id, of the rows and of the objects that are read from them."""
    levels = content.levels if isinstance(content, AbstractLevel) else [content] if isinstance(content, Level) else []
    for level in levels:
        for _, field in level.fields:
            if isinstance(field, NestedField):
                yield from _find_fields_by_id(field.level)
            elif isinstance(field, FetchedField) and field.getter:
                yield from _find_fields_by_id(field.content)
            elif isinstance(field, FetchedField) and field.relation and field.relation.key == "id" and level.sources:
                yield level.sources, field


def _entry_type(output_type: Any) -> Any:  # noqa: ANN401 graphql-core's own union of types
    """Return the type of the innermost entries of a list; for any other type, the type itself."""
    nullable_type = output_type.of_type if isinstance(output_type, GraphQLNonNull) else output_type
    return _entry_type(nullable_type.of_type) if isinstance(nullable_type, GraphQLList) else output_type
