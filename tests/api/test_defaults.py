"""An optional value has no default of null, and null, an omitted variable and an omitted argument mean the same."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, GraphQLObjectType, get_introspection_query, get_named_type, is_composite_type

from schema.build import build
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id

SCHEMA = build()._schema  # noqa: SLF001
QUERY = SCHEMA.query_type
assert QUERY is not None
ROOT_FIELDS = [
    name for name, field in QUERY.fields.items() if any(not isinstance(each.type, GraphQLNonNull) for each in field.args.values())
]
CLIENT = SCHEMA.type_map["Client"]
assert isinstance(CLIENT, GraphQLObjectType)
CLIENT_FIELDS = [name for name, field in CLIENT.fields.items() if field.args]


@pytest.fixture
def api(api_for: Callable[..., Api], sample_org: Tenant) -> Api:
    return api_for(sample_org)


def input_values(introspection: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in introspection["types"]:
        yield from kind["inputFields"] or ()
        for field in kind["fields"] or ():
            yield from field["args"]


async def test_introspection_shows_no_default_of_null(api: Api) -> None:
    """The real defaults are still there."""
    values = [*input_values((await api.data(get_introspection_query(descriptions=False)))["__schema"])]
    defaults = {value["defaultValue"] for value in values}
    assert "null" not in defaults
    assert {None, "COMPANY", "true", "false", "[]", '"nl"'} <= defaults
    assert len(values) > 300


def selection(kind: Any) -> str:  # noqa: ANN401 graphql-core's
    bare = get_named_type(kind)
    if not is_composite_type(bare):
        return ""
    if isinstance(bare, GraphQLObjectType) and "nodes" in bare.fields:
        return " { totalCount nodes { id } pageInfo { endCursor hasNextPage } }"
    return " { invoiced { amount } }"  # revenue


def requests(fields: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Yield a declaration of variables and a field: without arguments, with null, and with variables that may be omitted."""
    field = fields[name]
    below = selection(field.type)
    yield "", f"{name}{below}"
    yield "", f"{name}({', '.join(f'{each}: null' for each in field.args)}){below}"
    declared = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
    yield f"({declared})", f"{name}({', '.join(f'{each}: ${each}' for each in field.args)}){below}"


@pytest.mark.parametrize("name", ROOT_FIELDS)
async def test_null_and_omitted_arguments_of_a_root_field_are_alike(api: Api, name: str) -> None:
    assert QUERY is not None
    field = QUERY.fields[name]
    answers = []
    for declared, text in requests(QUERY.fields, name):
        answers += [await api.data(f"query {declared} {{ {text} }}")]
        answers += [await api.data(f"query {declared} {{ {text} }}", **dict.fromkeys(field.args))] if declared else []
    assert answers == answers[:1] * 4
    assert answers[0][name]["totalCount"] > 0


@pytest.mark.parametrize("name", CLIENT_FIELDS)
async def test_null_and_omitted_arguments_of_a_relation_are_alike(api: Api, sample_org: Tenant, name: str) -> None:
    assert isinstance(CLIENT, GraphQLObjectType)
    id_ = global_id("Client", sample_org.clients[0])
    answers = []
    for declared, text in requests(CLIENT.fields, name):
        query = f'query {declared} {{ client(by: {{id: "{id_}"}}) {{ {text} }} }}'
        answers += [await api.data(query)]
        answers += [await api.data(query, **dict.fromkeys(CLIENT.fields[name].args))] if declared else []
    assert answers == answers[:1] * 4
    assert answers[0]["client"][name]


@pytest.mark.parametrize(("field", "type_name"), [("clients", "ClientFilterInput"), ("registrations", "RegistrationFilterInput")])
async def test_null_and_omitted_criteria_of_a_filter_are_alike(api: Api, field: str, type_name: str) -> None:
    kind = SCHEMA.type_map[type_name]
    assert isinstance(kind, GraphQLInputObjectType)
    nulls = dict.fromkeys(name for name, each in kind.fields.items() if not isinstance(each.type, GraphQLNonNull))
    query = f"query ($filter: {type_name}) {{ {field}(filter: $filter) {{ totalCount nodes {{ id }} }} }}"
    assert await api.data(query, filter={}) == await api.data(query, filter=nulls) == await api.data(query)
    assert len(nulls) > 4
