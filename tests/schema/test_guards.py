"""Compare facts that are written in two places, which mypy cannot compare because Strawberry hides the types."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLString,
    build_schema,
    get_named_type,
)

from db.engine.protocols import Transaction
from db.engine.statement import Row
from db.sql import fetchers
from domain.core.pagination import OrganizationPageReader, PagePerParentReader
from domain.core.scope import ALL_PERMISSIONS, Actor, ReadScope
from resolvers.loaders import Loaders
from schema.build import build
from schema.description import SCHEMA_DESCRIPTION

SCHEMA = build()
SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


def all_fields() -> Iterator[tuple[Any, Any]]:
    """Yield each field of each type that this project declares, with the definition of the type."""
    for kind in SCHEMA._schema.type_map.values():  # noqa: SLF001
        if isinstance(kind, GraphQLObjectType) and (definition := (kind.extensions or {}).get("strawberry-definition")):
            yield from ((definition, field) for field in definition.fields)


PLAIN_FIELDS = [(d, f) for d, f in all_fields() if hasattr(d.origin, "sources") and f.is_basic_field and "compute" not in f.metadata]
RELATIONS = [(d, f) for d, f in all_fields() if "relation" in f.metadata]


def named_type(value: Any) -> str | None:  # noqa: ANN401
    return getattr(value, "name", None)


def row_classes(annotation: Any) -> set[type]:  # noqa: ANN401
    """Return the classes within an annotation: `ClientRow` for `Page[ClientRow] | None`."""
    if isinstance(annotation, type) and annotation is not type(None) and not get_args(annotation):
        return {annotation}
    return {row for part in get_args(annotation) for row in row_classes(part)}


def rows_loaded_by(batch: Any) -> set[type]:  # noqa: ANN401
    """Return the classes that a batch function loads, by its annotation or, if it is an object, by its query."""
    read = inspect.unwrap(batch)
    if inspect.isroutine(read):
        return row_classes(get_type_hints(read)["return"])
    if isinstance(read, PagePerParentReader | OrganizationPageReader):
        return rows_loaded_by(read.fetch_rows)
    if isinstance(read, fetchers.PageFetcher | fetchers.PagePerParentFetcher):
        return {read.build_query(is_ascending=True, is_next=False).row}
    return {int} if isinstance(read, fetchers.CountFetcher) else {read.query.row}


def source_classes(kind: object) -> set[type]:
    """Return the row classes of a type. For a connection, return those of its nodes."""
    if isinstance(kind, GraphQLInterfaceType):
        return {source for each in SCHEMA._schema.get_possible_types(kind) for source in source_classes(each)}  # noqa: SLF001
    assert isinstance(kind, GraphQLObjectType)
    origin = (kind.extensions or {})["strawberry-definition"].origin
    if hasattr(origin, "sources"):
        return set(origin.sources)
    nodes = get_named_type(kind.fields["nodes"].type)
    return source_classes(nodes)


def row_type(annotation: Any) -> Any:  # noqa: ANN401
    """Return the type that a row has for a type in the schema: rows hold decimals, enums and `NewType`s as text."""
    parts = get_args(annotation)
    if parts and type(None) in parts:
        return row_type(parts[0]) | None
    is_text = (
        annotation is Decimal or hasattr(annotation, "__supertype__") or (isinstance(annotation, type) and issubclass(annotation, StrEnum))
    )
    return str if is_text else annotation


def nested_inputs(kind: GraphQLInputObjectType) -> Iterator[GraphQLInputObjectType]:
    direct_types = {get_named_type(field.type) for field in kind.fields.values()}
    for each in direct_types:
        if isinstance(each, GraphQLInputObjectType):
            yield each
            yield from nested_inputs(each)


@pytest.mark.parametrize("kind", [each for each in SCHEMA._schema.type_map.values() if isinstance(each, GraphQLInputObjectType)], ids=str)  # noqa: SLF001
def test_no_input_contains_itself(kind: GraphQLInputObjectType) -> None:
    """The depth of a value is then bounded by its type, so coercion and conversion need no check of the depth."""
    assert kind not in nested_inputs(kind)


async def test_no_two_relations_share_a_loader_by_different_batch_functions() -> None:
    """The compiled executor decides by the batch function whether a relation is the only one that uses its loader."""
    loaders = Loaders(ReadScope(Actor(UUID(int=1), ALL_PERMISSIONS), cast("Transaction", None), [b"secret"]))
    relations = [field.metadata["relation"] for _, field in RELATIONS]
    pairs = {(relation.batch, id(loaders.of(relation.batch, **relation.convert()))) for relation in relations}
    assert len({loader for _, loader in pairs}) == len(pairs)


@pytest.mark.parametrize(("definition", "field"), PLAIN_FIELDS, ids=named_type)
def test_plain_field_has_the_type_of_its_source(definition: Any, field: Any) -> None:  # noqa: ANN401
    """The types are equal, except for types that rows hold as text. A list of objects is compared by the row class of its entries."""
    annotation = field.type_annotation.raw_annotation
    for source in definition.origin.sources:
        of_source = get_type_hints(source)[field.python_name]
        of_source = get_args(of_source)[0] if get_origin(of_source) is ClassVar else of_source
        inner = get_args(annotation)[0] if get_args(annotation) and type(None) not in get_args(annotation) else None
        expected = {of_source} if inner is None else {get_args(of_source)[0]}
        source_type = annotation if inner is None else getattr(inner, "sources", (inner,))[0]
        assert expected <= {row_type(source_type), source_type}


@pytest.mark.parametrize(("definition", "field"), RELATIONS, ids=named_type)
def test_relation_has_the_type_of_its_loader(definition: Any, field: Any) -> None:  # noqa: ANN401
    """Mypy cannot check this, since `relation` returns `Any`."""
    loaded_classes = rows_loaded_by(field.metadata["relation"].batch)
    kind = SCHEMA._schema.type_map[definition.name]  # noqa: SLF001
    assert isinstance(kind, GraphQLObjectType)
    shown_type = get_named_type(kind.fields[SCHEMA.config.name_converter.get_graphql_name(field)].type)
    assert loaded_classes
    assert (
        loaded_classes == {int if shown_type is GraphQLInt else str}
        if shown_type in {GraphQLInt, GraphQLString}
        else all(issubclass(row, tuple(source_classes(shown_type))) for row in loaded_classes)
    )


@pytest.mark.parametrize(("definition", "field"), RELATIONS, ids=named_type)
def test_a_relation_passes_the_arguments_that_its_batch_function_takes(definition: Any, field: Any) -> None:  # noqa: ANN401, ARG001
    """Mypy cannot check the names and the types of the values, since `convert` returns a mapping of objects."""
    relation = field.metadata["relation"]
    _, _, *names = inspect.signature(relation.batch).parameters
    read = inspect.unwrap(relation.batch)
    passed, expected = relation.convert(), get_type_hints(read if inspect.isroutine(read) else type(read).__call__)
    assert passed.keys() == {*names}
    assert [name for name in names if not isinstance(passed[name], expected[name])] == []


def test_guards_cover_something() -> None:
    """With an empty list of fields, the parametrized tests above would check nothing."""
    assert len(PLAIN_FIELDS) > 40
    assert len(RELATIONS) >= 5
    assert len(Row.__subclasses__()) > 8


def test_schema_equals_the_reviewed_file() -> None:
    """After an intended change, run `relaties schema print > schema/schema.graphql` and review the difference."""
    assert SCHEMA.as_str() + "\n" == SDL.read_text()


def test_printed_schema_has_its_description() -> None:
    assert build_schema(SDL.read_text()).description == SCHEMA_DESCRIPTION


INPUTS_FIRST = """
import pkgutil, resolvers
from importlib import import_module
for module in reversed([*pkgutil.iter_modules(resolvers.__path__, "resolvers.")]):
    import_module(module.name)
from schema.build import build
print(build().as_str())
"""


def test_schema_does_not_depend_on_import_order() -> None:
    """An input may refer to an enum before the enum is described."""
    program = [sys.executable, "-c", INPUTS_FIRST]
    result = subprocess.run(program, cwd=SDL.parents[1], text=True, capture_output=True, check=True, timeout=120)  # noqa: S603 the program is a constant
    assert result.stdout == SDL.read_text()


def test_everything_is_described() -> None:
    """The descriptions of types, fields, arguments and enum values are the users' documentation."""
    ours = [kind for name, kind in SCHEMA._schema.type_map.items() if not name.startswith("__")]  # noqa: SLF001
    holding = [kind for kind in ours if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)]
    fields_ = [(f"{kind.name}.{name}", field) for kind in holding for name, field in kind.fields.items()]
    arguments = [(f"{location}({name})", argument) for location, field in fields_ for name, argument in getattr(field, "args", {}).items()]
    enum_values = [
        (f"{kind.name}.{name}", value) for kind in ours if isinstance(kind, GraphQLEnumType) for name, value in kind.values.items()
    ]
    assert [kind.name for kind in ours if not kind.description] == []
    assert [location for location, described_object in (*fields_, *arguments, *enum_values) if not described_object.description] == []
    assert len(enum_values) > 50


def field_directives(kind: GraphQLObjectType, name: str) -> dict[str, Any]:
    """Return the directives of a field by name."""
    field = next(each for each in definition_fields(kind) if SCHEMA.config.name_converter.get_graphql_name(each) == name)
    return {each.__strawberry_directive__.graphql_name: each for each in field.directives}


def definition_fields(kind: GraphQLObjectType) -> list[Any]:
    strawberry_fields: list[Any] = (kind.extensions or {})["strawberry-definition"].fields
    return strawberry_fields


BOUNDED_LISTS = {("ClientBulkUpsertPayload", "results")}  # `@listSize` on the mutation bounds it by the input


def test_every_list_of_objects_declares_its_length() -> None:
    """The cost of a document is computed before it runs. The lists of a page are bounded by the field that returns the page."""
    unsized, sized = [], 0
    for kind in (each for each in SCHEMA._schema.type_map.values() if isinstance(each, GraphQLObjectType) and each.name[0] != "_"):  # noqa: SLF001
        for name, field in kind.fields.items():
            is_list = isinstance(getattr(field.type, "of_type", field.type), GraphQLList) or isinstance(field.type, GraphQLList)
            is_list = is_list and isinstance(get_named_type(field.type), GraphQLObjectType | GraphQLInterfaceType)
            is_page = get_named_type(field.type).name.endswith("Connection")
            if is_page or (is_list and not kind.name.endswith("Connection") and (kind.name, name) not in BOUNDED_LISTS):
                sized += 1
                unsized += [] if "listSize" in field_directives(kind, name) else [f"{kind.name}.{name}"]
    assert unsized == []
    assert sized > 10


def test_nullable_on_failure_is_documented() -> None:
    """A field without its permission is null too, but that is not a failure."""
    client = SCHEMA._schema.type_map["Client"]  # noqa: SLF001
    assert isinstance(client, GraphQLObjectType)
    assert {name for name in client.fields if "semanticNonNull" in field_directives(client, name)} == {
        *("contacts", "addresses", "projects", "portals", "registrations", "labels", "activity")
    }
    assert {name for name in client.fields if "permission" in field_directives(client, name)} == {
        "financial",
        "invoices",
        "quotes",
        "revenue",
    }
