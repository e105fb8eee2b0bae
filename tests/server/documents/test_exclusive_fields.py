"""Clients are archived and deleted one per request: no list, alias, fragment or batch does it to two."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import fields

import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLList, get_named_type, get_nullable_type, parse

from db.tables import Role
from domain.core.scope import Permission
from server.documents.limits import check_limits, exclusive_fields
from server.limit_settings import DocumentLimits
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant
from tests.support.ids import global_id
from tests.support.mutation_inputs import MUTATIONS, SCHEMA, create_world, input_type, mutation_document, required_permissions, valid_input
from tests.support.snapshots import assert_unchanged

JSON, GRAPHQL_JSON = "application/json", "application/graphql-response+json"
EXCLUSIVE_FIELDS = sorted(exclusive_fields(SCHEMA))
SELECTION = "{ userErrors { code } }"
FIELD = f"clientArchive(input: $a) {SELECTION}"
OTHER = f"clientArchive(input: $b) {SELECTION}"
TWICE = {
    "two aliases": "mutation ($a: KIND, $b: KIND) { x: FIELD y: OTHER }",
    "without and with an alias": "mutation ($a: KIND, $b: KIND) { FIELD y: OTHER }",
    "the same twice": "mutation ($a: KIND) { FIELD FIELD }",
    "others between": 'mutation ($a: KIND) { FIELD labelCreate(input: {name: "X"}) HERE __typename z: FIELD }',
    "a fragment": "mutation ($a: KIND) { FIELD ...F } fragment F on Mutation { y: FIELD }",
    "a fragment of two": "mutation ($a: KIND) { ...F } fragment F on Mutation { x: FIELD y: FIELD }",
    "a fragment twice": "mutation ($a: KIND) { ...F ...F } fragment F on Mutation { FIELD }",
    "a fragment of a fragment": "mutation ($a: KIND) { ...E ...F } fragment E on Mutation { ...F } fragment F on Mutation { FIELD }",
    "inline fragments": "mutation ($a: KIND) { ... { FIELD } ... on Mutation { ... { y: FIELD } } }",
    "one that is skipped": "mutation ($a: KIND) { FIELD y: clientArchive(input: $a) @skip(if: true) HERE }",
    "a part that is left out": "mutation ($a: KIND, $no: Boolean = false) { FIELD ... @include(if: $no) { y: FIELD } }",
    "two operations": "mutation A($a: KIND) { FIELD } mutation B($b: KIND) { OTHER }",
    "as many as there may be": f"mutation ($a: KIND) {{ {' '.join(f'a{index}: FIELD' for index in range(20))} }}",
}


def write_document(query: str) -> str:
    return query.replace("FIELD", FIELD).replace("OTHER", OTHER).replace("HERE", SELECTION).replace("KIND", "ClientArchiveInput!")


@pytest.fixture
async def clients(org: Tenant) -> list[str]:
    return [global_id("Client", await org.add_client(name)) for name in ("A", "B")]


@pytest.fixture
async def api(api_for: Callable[..., Api], org: Tenant, clients: list[str]) -> AsyncIterator[Api]:
    """Create an API client, and check after the test that nothing changed."""
    assert clients
    async with assert_unchanged(org.owner, org.id):
        yield api_for(org)


@pytest.mark.parametrize("query", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 400)])
async def test_s42_document_archives_at_most_one_client(
    api: Api, clients: list[str], statements: list[str], query: str, accept: str, status: int
) -> None:
    """Two such fields in any form are rejected before anything runs. The second request uses the cached document."""
    variables = {name: {"id": key, "expectedVersion": 1} for name, key in zip("ab", clients, strict=True)}
    body = {"query": write_document(query), "variables": variables, "operationName": "A" if "mutation A" in query else None}
    for _ in range(2):
        response = await api.post(body, accept=accept)
        (error,) = response.json()["errors"]
        assert (response.status_code, set(response.json()), error["extensions"]) == (status, {"errors"}, {"code": "ONE_AT_A_TIME"})
        assert "`clientArchive`" in error["message"]
        assert error["message"].endswith("Send a request for each.")
    assert [body for body in statements if "token_actor" not in body] == []


async def test_s42_batch_archives_nothing(api: Api, clients: list[str]) -> None:
    """A list of requests is not a request, also if it has one entry."""
    each = [
        {"query": write_document("mutation ($a: KIND) { FIELD }"), "variables": {"a": {"id": key, "expectedVersion": 1}}} for key in clients
    ]
    for batch in (each, each[:1], [each]):
        response = await api.post(batch)
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_s42_one_client_is_archived_however_it_is_written(api_for: Callable[..., Api], org: Tenant, clients: list[str]) -> None:
    """It may be written with an alias, with fragments or beside another change. Unarchiving is not limited."""
    document_texts = [
        "mutation ($a: KIND) { x: FIELD }",
        "mutation ($a: KIND) { ...E } fragment E on Mutation { ...F } fragment F on Mutation { ... { FIELD } }",
        'mutation ($a: KIND) { FIELD labelCreate(input: {name: "X"}) HERE }',
    ]
    back = "mutation ($a: ClientUnarchiveInput!) { x: clientUnarchive(input: $a) HERE y: clientUnarchive(input: $a) HERE }"
    for index, document_text in enumerate(document_texts):
        version = 1 + 2 * index
        data = await api_for(org).data(write_document(document_text), a={"id": clients[0], "expectedVersion": version})
        assert all(payload["userErrors"] == [] for payload in data.values())
        taken_back = await api_for(org).data(write_document(back), a={"id": clients[0], "expectedVersion": version + 1})
        assert [payload["userErrors"] for payload in taken_back.values()] == [[], [{"code": "NOT_ARCHIVED"}]]


@pytest.mark.parametrize("first", EXCLUSIVE_FIELDS)
@pytest.mark.parametrize("second", EXCLUSIVE_FIELDS)
async def test_s42_archiving_and_deletion_are_counted_together(api_for: Callable[..., Api], org: Tenant, first: str, second: str) -> None:
    own_world = await create_world(org.owner)
    fields = f"a: {first}(input: $a) {SELECTION} b: {second}(input: $b) {SELECTION}"
    query = f"mutation ($a: {input_type(first)}, $b: {input_type(second)}) {{ {fields} }}"
    async with assert_unchanged(org.owner, own_world.id):
        body = await api_for(own_world.tenant).execute(query, a=valid_input(own_world, first), b=valid_input(own_world, second))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["ONE_AT_A_TIME"]


async def test_s42_document_is_rejected_for_every_role(api_for: Callable[..., Api], org: Tenant, clients: list[str]) -> None:
    """It is rejected also for roles that may not archive. Without a valid token the document is not read."""
    query = write_document(TWICE["the same twice"])
    body = await api_for(org, Role.VIEWER).execute(query, a={"id": clients[0], "expectedVersion": 1})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["ONE_AT_A_TIME"]
    response = await Api(api_for(org).http, "wrong").post({"query": query})
    assert response.status_code == 401


def nested_inputs(kind: GraphQLInputType, name: str = "input") -> Iterator[tuple[str, GraphQLInputType]]:
    """Yield an input type and all types within it, with the names of their fields."""
    yield name, kind
    bare = get_named_type(kind)
    for below, field in bare.fields.items() if isinstance(bare, GraphQLInputObjectType) else ():
        yield from nested_inputs(field.type, below)


def test_s42_no_mutation_archives_or_deletes_a_list_of_clients() -> None:
    """Each mutation that needs the permission to archive takes one id and no list. All but unarchiving are limited to one a request."""
    archiving = [name for name in MUTATIONS if required_permissions(name) == [Permission.CLIENTS_ARCHIVE]]
    assert {"clientArchive", "clientUnarchive"} <= {*archiving}
    for name in archiving:
        parts = [*nested_inputs(input_type(name))]
        assert [below for below, kind in parts if get_named_type(kind).name == "ID"] == ["id"]
        assert [below for below, kind in parts if isinstance(get_nullable_type(kind), GraphQLList)] == []
    assert {*EXCLUSIVE_FIELDS} == {*archiving} - {"clientUnarchive"}
    mutation_names = {name for name in MUTATIONS if re.fullmatch("clients?(Bulk)?(Archive|Unarchive|Delete).*", name)}
    assert mutation_names == {*archiving}


def test_s42_counting_is_cheap_with_repeated_fragments() -> None:
    """There are 120 fragments that each spread the next one twice. Each is visited once, and the count is still exact."""
    lattice = " ".join(f"fragment F{index} on Mutation {{ ...F{index + 1} ...F{index + 1} }}" for index in range(120))
    document = parse(f"mutation {{ ...F0 }} {lattice} fragment F120 on Mutation {{ {EXCLUSIVE_FIELDS[0]} }}")
    unlimited = DocumentLimits(**{each.name: 2**200 for each in fields(DocumentLimits)})
    (error,) = check_limits(document, unlimited, exclusive_fields(SCHEMA))
    assert error.extensions == {"code": "ONE_AT_A_TIME"}
    assert f"this has {2**120}" in error.message


async def test_s42_bulk_upsert_archives_nothing(api_for: Callable[..., Api], org: Tenant) -> None:
    """Bulk upsert has no field to archive a client, and rejects changes to archived clients."""
    await org.add_client("Klaar", "1", archived_at=CREATED_AT)
    async with assert_unchanged(org.owner, org.id):
        wrong = {"clients": [{"name": "Klaar", "number": "1", "archivedAt": "2026-01-01T00:00:00Z"}]}
        body = await api_for(org).execute(mutation_document("clientBulkUpsert"), input=wrong)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
        payload = await api_for(org).data(mutation_document("clientBulkUpsert"), input={"clients": [{"name": "Anders", "number": "1"}]})
        assert [error["code"] for error in payload["clientBulkUpsert"]["userErrors"]] == ["ALREADY_ARCHIVED"]
