"""Test ids: 26 characters that need no escaping, one id per object, and nothing else is accepted as an id."""

import re
from collections.abc import Callable
from urllib.parse import quote
from uuid import UUID

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from db.tables.keys import new_id
from resolvers.execution.strictness import strict_ids
from resolvers.ids import ID_PATTERN, PREFIXES, GlobalId, make_id_encoder, parse_id
from resolvers.inputs import to_uuid
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.mutation_inputs import NODES

FORMER_ID = "Q2xpZW50OjAxODcwZjM1LTc5YjEtNzkzMy1hZDAzLWE4ZTllMTc1NzcxNw=="
KEY = UUID("01870f35-79b1-7933-ad03-a8e9e1757717")
KINDS = st.sampled_from(sorted(PREFIXES))
ARCHIVE = 'clientArchive(input: {id: "cli_AYcPNXmxeTOtA6jp4XV3Fw", expectedVersion: 1})'
FORMS = {
    "literal": ("{ node(id: GIVEN) { id } }", False),
    "variable": ("query ($given: ID!) { node(id: $given) { id } }", True),
    "list": ("query ($given: ID!) { nodes(ids: [$given]) { id } }", True),
    "filter": ("query ($given: ID!) { clients(filter: {labels: {any: [$given]}}) { totalCount } }", True),
    "default": ("query ($given: ID = GIVEN) { node(id: $given) { id } }", False),
    "literal in a payload": (f"mutation {{ {ARCHIVE} {{ query {{ node(id: GIVEN) {{ id }} }} }} }}", False),
    "literal in a fragment": (f"mutation {{ {ARCHIVE} {{ query {{ ...F }} }} }} fragment F on Query {{ node(id: GIVEN) {{ id }} }}", False),
}
MALFORMED_IDS = [FORMER_ID, "", "cli_", "xyz_AYcPNXmxeTOtA6jp4XV3Fw", "cli_AYcPNXmxeTOtA6jp4XV3Fx"]
PAYLOAD_QUERIES = {
    "node": "node(id: $given) { id }",
    "nodes": "nodes(ids: [$given]) { id }",
    "client": "client(by: {id: $given}) { id }",
    "contact": "contact(id: $given) { id }",
    "project": "project(id: $given) { id }",
    "registration": "registration(id: $given) { id }",
    "clients": "clients(filter: {labels: {none: [$given]}}) { totalCount }",
    "registrations": "registrations(filter: {memberId: $given}) { totalCount }",
}


def test_each_type_has_its_own_prefix() -> None:
    assert sorted(PREFIXES) == sorted(NODES)
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert all(re.fullmatch("[a-z]{3}", prefix) for prefix in PREFIXES.values())
    assert make_id_encoder("Client")(KEY) == "cli_AYcPNXmxeTOtA6jp4XV3Fw"


@given(KINDS, st.uuids())
def test_id_round_trips(kind: str, key: UUID) -> None:
    id_ = make_id_encoder(kind)(key)
    assert id_ == global_id(kind, key) == quote(id_, safe="")
    assert len(id_) == 26
    assert parse_id(id_) == GlobalId(kind, key)


@given(KINDS, st.uuids(), st.uuids())
def test_objects_have_different_ids(kind: str, one: UUID, other: UUID) -> None:
    assert (make_id_encoder(kind)(one) == make_id_encoder(kind)(other)) is (one == other)
    assert len({make_id_encoder(each)(one) for each in PREFIXES}) == len(PREFIXES)


@given(KINDS, st.uuids(), st.integers(0, 25), st.characters(codec="utf-8"))
def test_altered_id_is_another_id_or_none(kind: str, key: UUID, index: int, character: str) -> None:
    id_ = make_id_encoder(kind)(key)
    changed = id_[:index] + character + id_[index + 1 :]
    if ID_PATTERN.fullmatch(changed) and changed[:3] in PREFIXES.values():
        assert (parse_id(changed) == GlobalId(kind, key)) is (changed == id_)
    else:
        with strict_ids(), pytest.raises(GraphQLError, match="is not an id"):
            parse_id(changed)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrong", [*MALFORMED_IDS, 7])
async def test_wrong_id_is_rejected_with_advice(api_for: Callable[..., Api], org: Tenant, form: str, wrong: object) -> None:
    """Ids of the former format are rejected too, so the message says where to get a valid id."""
    text, is_variable = FORMS[form]
    query = text.replace("GIVEN", f'"{wrong}"' if isinstance(wrong, str) else str(wrong))
    body = await api_for(org).execute(query, **({"given": wrong} if is_variable else {}))
    (error,) = body["errors"]
    assert error["extensions"]["code"] == ("BAD_USER_INPUT" if is_variable else "GRAPHQL_VALIDATION_FAILED")  # as with every scalar
    assert "is not an id. Send the `id` of an object as the API returned it" in error["message"]
    assert error["locations"]


@given(st.lists(st.text(max_size=30) | st.just("\ud800"), max_size=9, unique=True))
def test_malformed_id_in_an_input_identifies_no_object(texts: list[str]) -> None:
    """Different ids have different UUIDs, so that each of them is reported. Rows have UUIDs of version 7."""
    ids = [parse_id(text) for text in texts if not ID_PATTERN.fullmatch(text)]
    keys = {to_uuid(each, kind) for each in ids for kind in PREFIXES}
    assert len(keys) == len(ids)
    assert {key.version for key in keys} <= {5}


@given(KINDS, KINDS, st.lists(st.builds(new_id), max_size=3, unique=True))
def test_id_of_another_type_in_an_input_identifies_no_object(kind: str, other: str, keys: list[UUID]) -> None:
    actual = [to_uuid(GlobalId(kind, key), other) for key in keys]
    assert len(set(actual)) == len(keys)
    assert all(key.version == 5 for key in actual) if kind != other else actual == keys


@pytest.mark.parametrize("name", PAYLOAD_QUERIES)
async def test_malformed_id_in_the_query_of_a_payload_is_rejected_at_its_field(api_for: Callable[..., Api], org: Tenant, name: str) -> None:
    """The mutation itself gets the same variable and finds no such object."""
    selection = f"{{ userErrors {{ code path }} query {{ {PAYLOAD_QUERIES[name]} }} }}"
    query = f"mutation ($given: ID!) {{ clientArchive(input: {{id: $given, expectedVersion: 1}}) {selection} }}"
    body = await api_for(org).execute(query, given="x")
    assert body["data"]["clientArchive"]["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    (error,) = body["errors"]
    assert (error["extensions"], error["path"]) == ({"code": "BAD_USER_INPUT"}, ["clientArchive", "query", name])
    assert error["locations"]
    assert error["message"] == (
        "This is not an id. Send the `id` of an object as the API returned it, such as `cli_AYcPNXmxeTOtA6jp4XV3Fw`. "
        "Earlier formats are no longer valid."
    )


async def test_unknown_or_foreign_id_is_not_found(api_for: Callable[..., Api], org: Tenant, sample_org: Tenant) -> None:
    theirs = (await api_for(sample_org).data("{ clients(first: 1) { nodes { id } } }"))["clients"]["nodes"][0]["id"]
    ids = [global_id(kind, new_id()) for kind in sorted(PREFIXES)] + [theirs]
    assert (await api_for(org).data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids))["nodes"] == [None] * len(ids)
    assert (await api_for(sample_org).data("query ($id: ID!) { node(id: $id) { id } }", id=theirs))["node"] == {"id": theirs}
