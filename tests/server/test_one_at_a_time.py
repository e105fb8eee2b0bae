"""Clients are archived and deleted one at a time: no list, no alias, no fragment and no batch does it to two."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import fields

import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLList, get_named_type, get_nullable_type, parse

from db.tables import Role
from domain.core.scope import Permission
from server.documents.limits import check_limits, exclusive_fields
from server.settings import DocumentLimits
from tests.ask import Api
from tests.builders import EARLY, Tenant
from tests.ids import global_id
from tests.inputs import CORE, MUTATIONS, document, input_type, needed, right, world
from tests.snapshots import unchanged

JSON, GRAPHQL_JSON = "application/json", "application/graphql-response+json"
ALONE = sorted(exclusive_fields(CORE))
HERE = "{ userErrors { code } }"
FIELD = f"clientArchive(input: $a) {HERE}"
OTHER = f"clientArchive(input: $b) {HERE}"
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
    "as many as there may be": f"mutation ($a: KIND) {{ {' '.join(f'a{place}: FIELD' for place in range(20))} }}",
}


def written(query: str) -> str:
    return query.replace("FIELD", FIELD).replace("OTHER", OTHER).replace("HERE", HERE).replace("KIND", "ClientArchiveInput!")


@pytest.fixture
async def clients(org: Tenant) -> list[str]:
    return [global_id("Client", await org.add_client(name)) for name in ("A", "B")]


@pytest.fixture
async def api(as_: Callable[..., Api], org: Tenant, clients: list[str]) -> AsyncIterator[Api]:
    """Asks for what must change nothing."""
    assert clients
    async with unchanged(org.owner, org.id):
        yield as_(org)


@pytest.mark.parametrize("query", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 400)])
async def test_s42_a_document_archives_one_client(
    api: Api, clients: list[str], statements: list[str], query: str, accept: str, status: int
) -> None:
    """Two, in whatever way, are refused before anything runs, the one as the other; it says how to go on. Known by now, again."""
    variables = {"a": {"id": clients[0]}, "b": {"id": clients[1]}}
    sent = {"query": written(query), "variables": variables, "operationName": "A" if "mutation A" in query else None}
    for _ in range(2):
        response = await api.post(sent, accept=accept)
        (error,) = response.json()["errors"]
        assert (response.status_code, set(response.json()), error["extensions"]) == (status, {"errors"}, {"code": "ONE_AT_A_TIME"})
        assert "`clientArchive`" in error["message"]
        assert error["message"].endswith("Send a request for each.")
    assert [sent for sent in statements if "token_actor" not in sent] == []


async def test_s42_a_batch_archives_nobody(api: Api, clients: list[str]) -> None:
    """It is no request, whatever is in it; one of one is none either."""
    each = [{"query": written("mutation ($a: KIND) { FIELD }"), "variables": {"a": {"id": key}}} for key in clients]
    for batch in (each, each[:1], [each]):
        response = await api.post(batch)
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_s42_one_is_archived_however_it_is_written(as_: Callable[..., Api], org: Tenant, clients: list[str]) -> None:
    """By an alias, by fragments, beside another change; and taking back is counted by nobody."""
    ways = [
        "mutation ($a: KIND) { x: FIELD }",
        "mutation ($a: KIND) { ...E } fragment E on Mutation { ...F } fragment F on Mutation { ... { FIELD } }",
        'mutation ($a: KIND) { FIELD labelCreate(input: {name: "X"}) HERE }',
    ]
    back = "mutation ($a: ClientUnarchiveInput!) { x: clientUnarchive(input: $a) HERE y: clientUnarchive(input: $a) HERE }"
    for way in ways:
        done = await as_(org).data(written(way), a={"id": clients[0]})
        assert all(payload["userErrors"] == [] for payload in done.values())
        taken_back = await as_(org).data(written(back), a={"id": clients[0]})
        assert [payload["userErrors"] for payload in taken_back.values()] == [[], [{"code": "NOT_ARCHIVED"}]]


@pytest.mark.parametrize("first", ALONE)
@pytest.mark.parametrize("second", ALONE)
async def test_s42_they_are_counted_together(as_: Callable[..., Api], org: Tenant, first: str, second: str) -> None:
    """Of the one and of the other, as of two of the same."""
    made = await world(org.owner)
    query = f"mutation ($a: {input_type(first)}, $b: {input_type(second)}) {{ a: {first}(input: $a) {HERE} b: {second}(input: $b) {HERE} }}"
    async with unchanged(org.owner, made.id):
        body = await as_(made.tenant).ask(query, a=right(made, first), b=right(made, second))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["ONE_AT_A_TIME"]


async def test_s42_whoever_asks_it_is_the_document_that_is_refused(as_: Callable[..., Api], org: Tenant, clients: list[str]) -> None:
    """Also to who may not archive at all; without a token there is no look at it."""
    query = written(TWICE["the same twice"])
    body = await as_(org, Role.VIEWER).ask(query, a={"id": clients[0]})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["ONE_AT_A_TIME"]
    response = await Api(as_(org).http, "wrong").post({"query": query})
    assert response.status_code == 401


def inputs(kind: GraphQLInputType, name: str = "input") -> Iterator[tuple[str, GraphQLInputType]]:
    """An input and all that is in it, with the names of the fields."""
    yield name, kind
    bare = get_named_type(kind)
    for below, field in bare.fields.items() if isinstance(bare, GraphQLInputObjectType) else ():
        yield from inputs(field.type, below)


def test_s42_no_mutation_takes_a_list_of_clients_to_archive_or_delete() -> None:
    """Whatever takes the right to archive has one id, the client's, and no list; and all but taking back come one at a time."""
    archiving = [name for name in MUTATIONS if needed(name) == [Permission.CLIENTS_ARCHIVE]]
    assert {"clientArchive", "clientUnarchive"} <= {*archiving}
    for name in archiving:
        parts = [*inputs(input_type(name))]
        assert [below for below, kind in parts if get_named_type(kind).name == "ID"] == ["id"]
        assert [below for below, kind in parts if isinstance(get_nullable_type(kind), GraphQLList)] == []
    assert {*ALONE} == {*archiving} - {"clientUnarchive"}
    named = {name for name in MUTATIONS if re.fullmatch("clients?(Bulk)?(Archive|Unarchive|Delete).*", name)}
    assert named == {*archiving}


def test_s42_counting_is_cheap_however_often_fragments_are_spread() -> None:
    """A hundred and twenty fragments, each spread twice by the one before: each is looked at once, and none is missed."""
    lattice = " ".join(f"fragment F{place} on Mutation {{ ...F{place + 1} ...F{place + 1} }}" for place in range(120))
    document = parse(f"mutation {{ ...F0 }} {lattice} fragment F120 on Mutation {{ {ALONE[0]} }}")
    unlimited = DocumentLimits(**{each.name: 2**200 for each in fields(DocumentLimits)})
    (refused,) = check_limits(document, unlimited, exclusive_fields(CORE))
    assert refused.extensions == {"code": "ONE_AT_A_TIME"}
    assert f"this has {2**120}" in refused.message


async def test_s42_a_bulk_upsert_archives_nobody(as_: Callable[..., Api], org: Tenant) -> None:
    """What takes many clients at once has no word for it, and leaves those that are archived as they are."""
    await org.add_client("Klaar", "1", archived_at=EARLY)
    async with unchanged(org.owner, org.id):
        wrong = {"clients": [{"name": "Klaar", "number": "1", "archivedAt": "2026-01-01T00:00:00Z"}]}
        body = await as_(org).ask(document("clientBulkUpsert"), input=wrong)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
        payload = await as_(org).data(document("clientBulkUpsert"), input={"clients": [{"name": "Anders", "number": "1"}]})
        assert [error["code"] for error in payload["clientBulkUpsert"]["userErrors"]] == ["ALREADY_ARCHIVED"]
