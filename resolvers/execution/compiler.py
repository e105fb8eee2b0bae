"""Compile a document to a plan. A field is read off its row, loaded by a relation, resolved by a function, or `__typename`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)
from graphql import language as ast

from resolvers.execution.arguments import FieldCall
from resolvers.execution.leaves import make_serializer
from resolvers.execution.plan import AbstractLevel, Level, Plan, Step
from resolvers.execution.response_size import PUNCTUATION, estimate_max_bytes
from resolvers.execution.selections import FieldCollector, Flags, SelectionSets, UncompiledError

LEVEL_SIZE = 3  # the size of a level's function, in fields


class Compiler:
    """Compile one operation, for one set of values of its conditional variables."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, ast.FragmentDefinitionNode], flags: Flags) -> None:
        self._schema = schema
        self._selections = FieldCollector(schema, fragments, flags)
        self._field_count = self._level_count = 0
        self._query_steps: list[Step] = []  # a relation or a resolver

    def compile_plan(self, operation: ast.OperationDefinitionNode) -> Plan:
        if operation.operation is not ast.OperationType.QUERY or self._schema.query_type is None:
            raise UncompiledError(operation.operation.value)
        root = self._compile_level(self._schema.query_type, [operation.selection_set])
        self._mark_exclusive()
        return Plan(root, self._field_count + LEVEL_SIZE * self._level_count, self._query_steps, [*_find_followers(root)])

    def _mark_exclusive(self) -> None:
        """Mark relations whose batch function no other relation has: nothing else asks their loader, whatever the arguments are.

        What resolvers ask is unknown; a single one ends before them.
        """
        steps_by_loader = Counter(step.relation and step.relation.batch for step in self._query_steps)
        for step in self._query_steps:
            step.is_exclusive = step.relation is not None and steps_by_loader[step.relation.batch] == 1 and steps_by_loader[None] <= 1

    def _compile_level(self, object_type: GraphQLObjectType, selection_sets: SelectionSets) -> Level:
        self._level_count += 1
        fields, object_count, max_bytes = list[tuple[str, Step | None]](), 1, 0
        for key, nodes in self._selections.collect(object_type, selection_sets).items():
            max_bytes += len(key) + PUNCTUATION
            if nodes[0].name.value == "__typename":
                fields.append((key, None))
                max_bytes += len(object_type.name)
                continue
            step = self._compile_step(object_type, nodes)
            fields.append((key, step))
            if step.leaf:
                max_bytes += estimate_max_bytes(
                    step.type, step.strawberry_field.metadata.get("columns") or [step.strawberry_field.python_name]
                )
            elif isinstance(step.child, Level) and not step.is_fetched and step.is_required and not step.is_list:
                object_count, max_bytes = object_count + step.child.object_count, max_bytes + step.child.max_bytes
        self._field_count += len(fields)
        definition = (object_type.extensions or {}).get("strawberry-definition")
        sources = getattr(definition.origin, "sources", None) if definition else None
        if object_type.is_type_of is not None and sources is None:
            raise UncompiledError(f"is_type_of {object_type.name}")
        return Level(object_type, fields, sources, object_count, max_bytes)

    def _compile_step(self, object_type: GraphQLObjectType, nodes: list[ast.FieldNode]) -> Step:
        field_definition = object_type.fields.get(nodes[0].name.value)
        strawberry_field = (field_definition.extensions or {}).get("strawberry-definition") if field_definition else None
        if field_definition is None or strawberry_field is None:
            raise UncompiledError(nodes[0].name.value)
        getter, call = None, None
        if strawberry_field.is_basic_field:
            getter = strawberry_field.metadata.get("compute") or attrgetter(strawberry_field.python_name)
        else:
            resolver = strawberry_field.base_resolver
            if strawberry_field.extensions or not (
                "relation" in strawberry_field.metadata or resolver.root_parameter is resolver.self_parameter is None
            ):
                raise UncompiledError(strawberry_field.python_name)  # an extension wraps the resolver
            call = FieldCall(cast("Any", self._schema)._strawberry_schema, field_definition, nodes[0], strawberry_field)  # noqa: SLF001 no public access
        named_type, selection_sets = get_named_type(field_definition.type), [node.selection_set for node in nodes if node.selection_set]
        leaf = make_serializer(_entry_type(field_definition.type)) if isinstance(named_type, GraphQLScalarType | GraphQLEnumType) else None
        child: Level | AbstractLevel | None = None
        if isinstance(named_type, GraphQLObjectType):
            child = self._compile_level(named_type, selection_sets)
        elif isinstance(named_type, GraphQLInterfaceType | GraphQLUnionType):
            child = self._compile_abstract(named_type, selection_sets)
        step = Step(field_definition.type, strawberry_field, getter, call, leaf, child)
        if call:
            self._query_steps.append(step)
        return step

    def _compile_abstract(self, abstract_type: GraphQLInterfaceType | GraphQLUnionType, selection_sets: SelectionSets) -> AbstractLevel:
        abstract_level = AbstractLevel(
            [self._compile_level(object_type, selection_sets) for object_type in self._schema.get_possible_types(abstract_type)]
        )
        if any(level.sources is None for level in abstract_level.levels):
            raise UncompiledError(f"abstract {abstract_type.name}")
        return abstract_level


def _find_followers(root: Level) -> Iterator[tuple[tuple[type, ...], Step]]:
    """Yield the relations that are loaded by the ids of the rows of the root's only field, with the classes of those rows."""
    fields = [step for _, step in root.fields if step]
    if len(fields) == 1:
        yield from _find_steps_by_id(fields[0].child)


def _find_steps_by_id(child: Level | AbstractLevel | None) -> Iterator[tuple[tuple[type, ...], Step]]:
    """Yield the relations of a level, or of levels that are read off its rows, that are loaded by id."""
    for level in child.levels if isinstance(child, AbstractLevel) else [child] if child else []:
        for step in (step for _, step in level.fields if step):
            if step.relation and step.relation.key == "id" and level.sources:
                yield level.sources, step
            elif step.getter:
                yield from _find_steps_by_id(step.child)


def _entry_type(output_type: Any) -> Any:  # noqa: ANN401 graphql-core's own union of types
    """Return the type of the entries of a list, however deeply nested; or the type itself."""
    nullable_type = output_type.of_type if isinstance(output_type, GraphQLNonNull) else output_type
    return _entry_type(nullable_type.of_type) if isinstance(nullable_type, GraphQLList) else output_type
