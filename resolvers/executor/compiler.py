"""From a document to a plan. A field is one of four kinds: read off its row, `by` a loader, by a resolver, or `__typename`."""

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

from resolvers.calls import Call
from resolvers.executor.leaves import exact
from resolvers.executor.plans import Kinds, Level, Plan, Step
from resolvers.selections import Flags, Selections, Sets, UncompiledError
from resolvers.sizes import PUNCTUATION, most_bytes

LEVEL = 3  # fields: what its functions take


class Compiler:
    """Of one operation, for one set of values of its deciding variables."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, ast.FragmentDefinitionNode], flags: Flags) -> None:
        self._schema = schema
        self._selections = Selections(schema, fragments, flags)
        self._fields = self._levels = 0
        self._asking: list[Step] = []  # a relation or a resolver

    def plan(self, operation: ast.OperationDefinitionNode) -> Plan:
        if operation.operation is not ast.OperationType.QUERY or self._schema.query_type is None:
            raise UncompiledError(operation.operation.value)
        root = self._level(self._schema.query_type, [operation.selection_set])
        self._find_alone()
        return Plan(root, self._fields + LEVEL * self._levels, self._asking, [*_followers(root)])

    def _find_alone(self) -> None:
        """Mark relations whose batch function no other relation has: nothing else asks their loader, whatever the arguments are.

        What resolvers ask is unknown; a single one ends before them.
        """
        asking = Counter(step.relation and step.relation.batch for step in self._asking)
        for step in self._asking:
            step.is_alone = step.relation is not None and asking[step.relation.batch] == 1 and asking[None] <= 1

    def _level(self, of: GraphQLObjectType, sets: Sets) -> Level:
        self._levels += 1
        fields, objects, size = list[tuple[str, Step | None]](), 1, 0
        for key, nodes in self._selections.collect(of, sets).items():
            size += len(key) + PUNCTUATION
            if nodes[0].name.value == "__typename":
                fields.append((key, None))
                size += len(of.name)
                continue
            step = self._step(of, nodes)
            fields.append((key, step))
            if step.leaf:
                size += most_bytes(step.type, step.declared.metadata.get("reads") or [step.declared.python_name])
            elif isinstance(step.below, Level) and not step.is_fetched and step.is_required and not step.is_list:
                objects, size = objects + step.below.objects, size + step.below.most_bytes
        self._fields += len(fields)
        declared = (of.extensions or {}).get("strawberry-definition")
        sources = getattr(declared.origin, "sources", None) if declared else None
        if of.is_type_of is not None and sources is None:
            raise UncompiledError(f"is_type_of {of.name}")
        return Level(of, fields, sources, objects, size)

    def _step(self, of: GraphQLObjectType, nodes: list[ast.FieldNode]) -> Step:
        definition = of.fields.get(nodes[0].name.value)
        declared = (definition.extensions or {}).get("strawberry-definition") if definition else None
        if definition is None or declared is None:
            raise UncompiledError(nodes[0].name.value)
        get, call = None, None
        if declared.is_basic_field:
            get = declared.metadata.get("read") or attrgetter(declared.python_name)
        else:
            resolver = declared.base_resolver
            if declared.extensions or not ("by" in declared.metadata or resolver.root_parameter is resolver.self_parameter is None):
                raise UncompiledError(declared.python_name)  # something stands between the field and its resolver
            call = Call(cast("Any", self._schema)._strawberry_schema, definition, nodes[0], declared)  # noqa: SLF001 its own way to it
        named, sets = get_named_type(definition.type), [node.selection_set for node in nodes if node.selection_set]
        leaf = exact(_item(definition.type)) if isinstance(named, GraphQLScalarType | GraphQLEnumType) else None
        below: Level | Kinds | None = None
        if isinstance(named, GraphQLObjectType):
            below = self._level(named, sets)
        elif isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            below = self._kinds(named, sets)
        step = Step(definition.type, declared, get, call, leaf, below)
        if call:
            self._asking.append(step)
        return step

    def _kinds(self, of: GraphQLInterfaceType | GraphQLUnionType, sets: Sets) -> Kinds:
        made = Kinds([self._level(each, sets) for each in self._schema.get_possible_types(of)])
        if any(level.sources is None for level in made.levels):
            raise UncompiledError(f"abstract {of.name}")
        return made


def _followers(root: Level) -> Iterator[tuple[tuple[type, ...], Step]]:
    """Yield the relations that are asked by the ids of the rows of the root's only field, with the classes of those rows."""
    fields = [step for _, step in root.fields if step]
    if len(fields) == 1:
        yield from _asked_by_id(fields[0].below)


def _asked_by_id(below: Level | Kinds | None) -> Iterator[tuple[tuple[type, ...], Step]]:
    """Yield those of the rows of a level, or of levels that are read off its rows."""
    for level in below.levels if isinstance(below, Kinds) else [below] if below else []:
        for step in (step for _, step in level.fields if step):
            if step.relation and step.relation.key == "id" and level.sources:
                yield level.sources, step
            elif step.get:
                yield from _asked_by_id(step.below)


def _item(of: Any) -> Any:  # noqa: ANN401 graphql-core's own union of types
    """Return the type of the entries of a list, however deep it is; or the type itself."""
    inner = of.of_type if isinstance(of, GraphQLNonNull) else of
    return _item(inner.of_type) if isinstance(inner, GraphQLList) else of
