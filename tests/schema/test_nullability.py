"""Test that the schema tells when a value is null: by the type, by `@semanticNonNull` or by the description.

`tests/api/test_semantic_nulls.py` tests that it is true.
"""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLType,
    is_leaf_type,
)

from tests.support.mutation_inputs import NODES, SCHEMA

SAYS_WHEN_NULL = re.compile(r"\bnull\b", re.IGNORECASE)
NULLABLE_ENTRIES = {"Query.nodes"}  # the entries correspond to the given ids, of which any may lead to no object


def output_fields() -> Iterator[tuple[str, Any]]:
    """Yield every field that a client can select, by its place `Type.field`."""
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            yield from ((f"{kind.name}.{name}", field) for name, field in kind.fields.items())


def input_values() -> Iterator[tuple[str, Any]]:
    """Yield every argument and every field of an input, by its place."""
    for place, field in output_fields():
        yield from ((f"{place}({name})", argument) for name, argument in field.args.items())
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", field) for name, field in kind.fields.items())


def definition(field: Any) -> Any:  # noqa: ANN401 graphql-core's
    return field.extensions["strawberry-definition"]


def is_semantically_non_null(field: Any) -> bool:  # noqa: ANN401 graphql-core's
    return any(each.__strawberry_directive__.graphql_name == "semanticNonNull" for each in definition(field).directives)


def is_stored_value(field: Any) -> bool:  # noqa: ANN401 graphql-core's
    """Return whether the field shows a stored value, which is null if nobody has entered one. Such a field is its own explanation."""
    metadata = definition(field).metadata
    return definition(field).is_basic_field and is_leaf_type(field.type) and ("compute" not in metadata or metadata["path"] is not None)


def has_nullable_entries(kind: GraphQLType) -> bool:
    if isinstance(kind, GraphQLNonNull):
        return has_nullable_entries(kind.of_type)
    return isinstance(kind, GraphQLList) and (not isinstance(kind.of_type, GraphQLNonNull) or has_nullable_entries(kind.of_type))


NULLABLE = [(place, field) for place, field in output_fields() if not isinstance(field.type, GraphQLNonNull)]
SEMANTIC_RELATIONS = [
    (place, field) for place, field in NULLABLE if is_semantically_non_null(field) and "relation" in definition(field).metadata
]


def test_no_list_has_nullable_entries() -> None:
    places = [*output_fields(), *input_values()]
    assert {place for place, value in places if has_nullable_entries(value.type)} == NULLABLE_ENTRIES
    assert sum(isinstance(value.type.of_type, GraphQLList) for _, value in places if isinstance(value.type, GraphQLNonNull)) > 50


@pytest.mark.parametrize(("place", "field"), NULLABLE, ids=[place for place, _ in NULLABLE])
def test_nullable_field_tells_when_it_is_null(place: str, field: Any) -> None:  # noqa: ANN401 graphql-core's
    """A field that only an error makes null has `@semanticNonNull`. Every other field but a stored value says when it is null."""
    says = bool(SAYS_WHEN_NULL.search(field.description))
    assert is_semantically_non_null(field) or is_stored_value(field) or says, place


@pytest.mark.parametrize(("place", "field"), SEMANTIC_RELATIONS, ids=[place for place, _ in SEMANTIC_RELATIONS])
def test_relation_that_is_never_null_has_a_key_that_is_never_null(place: str, field: Any) -> None:  # noqa: ANN401 graphql-core's
    """A relation without a key is null."""
    parent = SCHEMA.type_map[place.partition(".")[0]]
    assert isinstance(parent, GraphQLObjectType)
    sources = getattr(parent.extensions["strawberry-definition"].origin, "sources", ())
    key = definition(field).metadata["relation"].key
    assert [source for source in sources if type(None) in get_args(get_type_hints(source)[key])] == []


def test_references_to_objects_that_always_exist_are_never_null() -> None:
    references = {place for place, field in SEMANTIC_RELATIONS if isinstance(field.type, GraphQLObjectType) and field.type.name in NODES}
    assert references == {
        *("ClientPortal.client", "Project.client", "Quote.client", "Registration.client", "Registration.member", "Viewer.organization"),
        *("MemberVersionConflictError.current", "OrganizationVersionConflictError.current"),  # members are only deactivated
    }


def test_there_are_fields_of_each_kind() -> None:
    """Without fields the tests above would check nothing."""
    assert len(NULLABLE) > 150
    assert len(SEMANTIC_RELATIONS) > 30
