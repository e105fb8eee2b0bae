"""No message that a caller can provoke has the name of a class or a module of the implementation."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from graphql import GraphQLNamedType, get_named_type

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.mutation_inputs import (
    MUTATIONS,
    SCHEMA,
    SHAPE_ONLY_WORLD,
    Value,
    input_type,
    iterate_locations,
    mutation_document,
    replace_at,
    valid_input,
)

PACKAGES = {"db", "domain", "resolvers", "schema", "server", "strawberry", "graphql", "pydantic", "pydantic_core"}
COMPOUND_NAME = re.compile(r"_?(?:[A-Z]+[a-z0-9]+){2,}[A-Z]*")  # `QueryError`, but not `Client`, which is also a word
# `GraphQL` is the language, and a caller's own names may be these words.
PUBLIC_NAMES = {*SCHEMA.type_map, "GraphQL"}
EXAMPLE = '`{"query": "…", "variables": {…}}`'
FIRST_QUERY = "query ($n: Int!) { clients(first: $n) { totalCount } }"
BODIES: dict[str, str] = {
    "[]": f"The body is a list, but a request has one operation. Send {EXAMPLE} for each operation.",
    '[{"query": "{ __typename }"}]': f"The body is a list, but a request has one operation. Send {EXAMPLE} for each operation.",
    "1": f"The request must be {EXAMPLE}. The body must be an object.",
    "null": f"The request must be {EXAMPLE}. The body must be an object.",
    '{"query": 1}': f"The request must be {EXAMPLE}. `query` must be a string.",
    '{"query": ""}': f"The request must be {EXAMPLE}. `query` must not be empty.",
    '{"query": "{ a }", "variables": []}': f"The request must be {EXAMPLE}. `variables` must be an object.",
    '{"documentId": {}, "operationName": 1}': (
        f"The request must be {EXAMPLE}. `operationName` must be a string. `documentId` must be a string."
    ),
    '{"extensions": []}': f"The request must be {EXAMPLE}. `extensions` must be an object.",
    '{"extensions": {"cost": 1, "persistedQuery": {"version": "1", "sha256Hash": "x"}}}': (
        f"The request must be {EXAMPLE}. `extensions.cost` must be true or false. `extensions.persistedQuery.version` must be a whole "
        "number. `extensions.persistedQuery.sha256Hash` must be a SHA-256 of 64 lowercase hexadecimal digits."
    ),
    '{"extensions": {"persistedQuery": {"version": 2}}}': (
        f"The request must be {EXAMPLE}. `extensions.persistedQuery.version` must be 1. `extensions.persistedQuery.sha256Hash` is required."
    ),
    '{"extensions": {"persistedQuery": 1}}': f"The request must be {EXAMPLE}. `extensions.persistedQuery` must be an object.",
    '{"nothing": 1}': f"The request must be {EXAMPLE}. Unknown fields: `nothing`.",
}
WRONG_NUMBERS: tuple[Value, ...] = (None, "x", 1.5, [], {}, 2**40, True)
REQUESTS: dict[str, dict[str, Value]] = {
    "subscription": {"query": "subscription { x }"},
    "unknown field": {"query": "{ nothing }"},
    "unknown directive": {"query": "{ __typename @nothing }"},
    "unknown type": {"query": "query ($x: Nothing) { __typename }"},
    "output type": {"query": "query ($x: Client) { __typename }"},
    "unknown variable": {"query": "{ clients(first: $n) { totalCount } }"},
    "unknown fragment": {"query": "{ ...F }"},
    "syntax": {"query": "{ clients("},
    "escape": {"query": '{ clients(search: "\\uD800") { totalCount } }'},
    "conflict": {"query": "{ a: clients { totalCount } a: labels { totalCount } }"},
    "two operations": {"query": "{ a: __typename } { b: __typename }"},
    "schema definition": {"query": "type Query { a: Int }"},
    "depth": {"query": "{ clients " * 40 + "{ x }" + "}" * 40},
    "cursor": {"query": '{ clients(after: "x") { totalCount } }'},
    "page size": {"query": "{ clients(first: 0) { totalCount } }"},
    "cost": {"query": "{ clients(first: 100) { nodes { contacts(first: 100) { nodes { clients(first: 100) { nodes { id } } } } } } }"},
    "idempotency key": {"query": 'mutation { labelCreate(input: {name: "A"}) @idempotent(key: "") { userErrors { message } } }'},
    "persisted query": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
    "document id": {"documentId": "x"},
    "nothing": {},
    **{f"variable {value!r}": {"query": FIRST_QUERY, "variables": {"n": value}} for value in WRONG_NUMBERS},
}
WRONG_VALUES: tuple[Value, ...] = (None, {"a": []}, 1.5, [[{}]])


def names_of_implementation() -> set[str]:
    """Return the compound class names, and the module names with a dot, of all loaded modules of the implementation."""
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in PACKAGES}
    classes = {
        each.__name__
        for module in modules.values()
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__.partition(".")[0] in PACKAGES
    }
    return (
        {name for name in classes if COMPOUND_NAME.fullmatch(name)} | {name for name in modules if "." in name} | {"strawberry", "pydantic"}
    )


NAMES = names_of_implementation() - PUBLIC_NAMES
ANY_NAME = re.compile(r"(?<![\w.$])(?:" + "|".join(map(re.escape, sorted(NAMES))) + r")(?![\w])")


def messages_of(body: Any) -> Iterator[str]:  # noqa: ANN401 JSON
    """Yield each message in a response, those of user errors included."""
    if isinstance(body, list):
        for each in body:
            yield from messages_of(each)
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from [value] if name == "message" else messages_of(value)


def assert_no_internal_name(body: Any) -> None:  # noqa: ANN401 JSON
    assert [message for message in messages_of(body) if ANY_NAME.search(message)] == []


def test_names_include_those_of_each_package() -> None:
    assert {"GraphQLRequest", "PersistedQuery", "StrawberryInputCoercionError", "ValidationError", "GraphQLInputObjectType"} <= NAMES
    assert {"server.http.parsing", "domain.core.errors", "graphql.error.graphql_error", "pydantic.main"} <= NAMES
    assert ANY_NAME.search("Input should be a valid dictionary or instance of GraphQLRequest")
    assert not ANY_NAME.search("Expected value of type 'ClientCreateInput' in GraphQL. Ask a client.")


@pytest.mark.parametrize("content", BODIES)
async def test_body_of_another_shape_is_explained_by_its_fields(api_for: Callable[..., Api], org: Tenant, content: str) -> None:
    api = api_for(org)
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    response = await api.http.post("/graphql", content=content, headers=headers)
    assert response.status_code == 400
    assert response.json() == {"errors": [{"message": BODIES[content], "extensions": {"code": "BAD_REQUEST"}}]}
    assert_no_internal_name(response.json())


@pytest.mark.parametrize("name", REQUESTS)
async def test_no_rejected_request_names_a_class(api_for: Callable[..., Api], org: Tenant, name: str) -> None:
    body = (await api_for(org).post(REQUESTS[name])).json()
    assert [*messages_of(body)]
    assert_no_internal_name(body)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_no_wrong_input_names_a_class(api_for: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """Each field of each input gets wrong values, as a variable and in a literal."""
    api, input_values = api_for(org), valid_input(SHAPE_ONLY_WORLD, mutation)
    locations = {(each.owner, each.name): each for each in iterate_locations(input_type(mutation), input_values)}
    for location in locations.values():
        for wrong in WRONG_VALUES[:3]:
            values = replace_at(input_values, location.path, wrong)
            literal = f"mutation {{ {mutation}(input: {_write_untyped(values)}) {{ userErrors {{ message }} }} }}"
            for request in ({"query": mutation_document(mutation), "variables": {"input": values}}, {"query": literal}):
                assert_no_internal_name((await api.post(request)).json())


@pytest.mark.parametrize("field", SCHEMA.query_type.fields if SCHEMA.query_type else ())
async def test_no_wrong_argument_of_a_query_names_a_class(api_for: Callable[..., Api], org: Tenant, field: str) -> None:
    api, definition = api_for(org), SCHEMA.query_type.fields[field]  # type: ignore[union-attr]
    selection = "" if _is_leaf(get_named_type(definition.type)) else "{ __typename }"
    for name, argument in definition.args.items():
        for wrong in WRONG_VALUES[1:]:
            for request in (
                {"query": f"query ($x: {argument.type}) {{ {field}({name}: $x) {selection} }}", "variables": {"x": wrong}},
                {"query": f"{{ {field}({name}: {_write_untyped(wrong)}) {selection} }}"},
            ):
                assert_no_internal_name((await api.post(request)).json())


def _is_leaf(kind: GraphQLNamedType) -> bool:
    return not hasattr(kind, "fields")


def _write_untyped(value: Value) -> str:
    """Write any JSON as a literal, whatever type is expected."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_write_untyped(each)}" for name, each in value.items()) + "}"
    return f"[{', '.join(map(_write_untyped, value))}]" if isinstance(value, list) else json.dumps(value)
