"""Test the versions of links between contacts and clients, and that changes of labels and links show in the client's `updatedAt` only."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.mutations import fetch_error, mutate
from tests.support.races import outcome_code, run_mutation
from tests.support.snapshots import assert_unchanged

EDGES = """query ($client: ID!, $contact: ID!) {
  client(by: {id: $client}) { version contacts { edges { version isPrimary department node { lastName version } } } }
  contact(id: $contact) { version clients { edges { version node { name } } } } }"""
TIMES = "query { clients { nodes { id name version updatedAt } } }"
CONFLICT = """mutation ($input: ClientContactUpdateInput!) { clientContactUpdate(input: $input) { client { id }
  userErrors { code path message ... on ClientContactVersionConflictError { currentVersion
    current { name version contacts { edges { version department } } } } } } }"""


async def versions_of_links(api: Api, client: str) -> dict[str, int]:
    query = "query ($id: ID!) { client(by: {id: $id}) { contacts { edges { version node { lastName } } } } }"
    edges = (await api.data(query, id=client))["client"]["contacts"]["edges"]
    return {edge["node"]["lastName"]: edge["version"] for edge in edges}


@pytest.fixture
async def pair(org: Tenant) -> dict[str, str]:
    """Return the ids of a client and of its contact, whom another client has too."""
    client = await org.add_client("A")
    return {
        "clientId": global_id("Client", client),
        "contactId": global_id("Contact", await org.add_contact("X", client, await org.add_client("B"))),
    }


async def test_link_has_a_version_of_its_own(api_for: Callable[..., Api], org: Tenant, pair: dict[str, str]) -> None:
    """A change of the link increments only its version: not those of the client, of the contact and of the contact's other link."""
    api, ids = api_for(org), {"client": pair["clientId"], "contact": pair["contactId"]}
    edge: dict[str, Any] = {"version": 1, "isPrimary": False, "department": None, "node": {"lastName": "X", "version": 1}}
    clients = [{"version": 1, "node": {"name": name}} for name in "AB"]
    expected = {"client": {"version": 1, "contacts": {"edges": [edge]}}, "contact": {"version": 1, "clients": {"edges": clients}}}
    assert await api.data(EDGES, **ids) == expected
    for version, department in ((1, "Inkoop"), (2, "Verkoop")):
        await mutate(api, "clientContactUpdate", "client { id }", **pair, expectedVersion=version, link={"department": department})
    edge |= {"version": 3, "department": "Verkoop"}
    clients[0]["version"] = 3
    assert await api.data(EDGES, **ids) == expected
    async with assert_unchanged(org.owner, org.id):
        await mutate(api, "clientContactUpdate", "client { id }", **pair, expectedVersion=3, link={"department": "Verkoop"})


async def test_outdated_version_of_a_link_is_rejected_with_the_client(
    api_for: Callable[..., Api], org: Tenant, pair: dict[str, str]
) -> None:
    """The client shows the link as it is now."""
    api = api_for(org)
    await mutate(api, "clientContactUpdate", "client { id }", **pair, expectedVersion=1, link={"department": "Inkoop"})
    async with assert_unchanged(org.owner, org.id):
        payload = (await api.data(CONFLICT, input={**pair, "expectedVersion": 1, "link": {"department": "Verkoop"}}))["clientContactUpdate"]
        error = await fetch_error(api, "clientContactUnlink", **pair, expectedVersion=1)
    current = {"name": "A", "version": 1, "contacts": {"edges": [{"version": 2, "department": "Inkoop"}]}}
    message = (
        "This link between contact and client was changed meanwhile and now has version 2. "
        "Read it again, then repeat your change with the new `expectedVersion`."
    )
    assert payload == {
        "client": None,
        "userErrors": [
            {"code": "VERSION_CONFLICT", "path": ["expectedVersion"], "message": message, "currentVersion": 2, "current": current}
        ],
    }
    assert (error["code"], error["path"], error["currentVersion"]) == ("VERSION_CONFLICT", ["expectedVersion"], 2)
    await mutate(api, "clientContactUnlink", "client { id }", **pair, expectedVersion=2)
    async with assert_unchanged(org.owner, org.id):
        error = await fetch_error(api, "clientContactUpdate", **pair, expectedVersion=2, link={})
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["contactId"])


async def test_contact_that_is_no_longer_primary_has_a_new_version(api_for: Callable[..., Api], org: Tenant) -> None:
    """Its link has changed, whichever mutation made another contact primary."""
    api, client = api_for(org), await org.add_client("A")
    people = {name: global_id("Contact", await org.add_contact(name, client, position=index)) for index, name in enumerate("XYZ")}
    loose = global_id("Contact", await org.add_contact("L"))
    key, primary = global_id("Client", client), {"isPrimary": True}
    for name, version in (("X", 1), ("Y", 1)):
        arguments = {"clientId": key, "contactId": people[name], "expectedVersion": version}
        await mutate(api, "clientContactUpdate", "client { id }", **arguments, link=primary)
    assert await versions_of_links(api, key) == {"X": 3, "Y": 2, "Z": 1}
    await mutate(api, "clientContactLink", "client { id }", clientId=key, contactId=loose, link=primary)
    assert await versions_of_links(api, key) == {"X": 3, "Y": 3, "Z": 1, "L": 1}
    added = [{"contact": {"new": {"lastName": "N"}}, "link": primary}]
    client_data = await mutate(api, "clientUpdate", "client { version }", id=key, expectedVersion=1, contactsAdd=added)
    assert client_data == {"version": 1}
    assert await versions_of_links(api, key) == {"X": 3, "Y": 3, "Z": 1, "L": 2, "N": 1}


def link_of_both(ids: dict[str, str]) -> dict[str, Any]:
    return {"clientId": ids["A"], "contactId": ids["of both"], "expectedVersion": 1}


CHANGES: list[tuple[str, Callable[[dict[str, str]], dict[str, Any]]]] = [  # changes of the labels or links of client A, not of client B
    ("clientLabelsAdd", lambda ids: {"clientIds": [ids["A"], ids["B"]], "labelIds": [ids["of B"]]}),
    ("clientLabelsRemove", lambda ids: {"clientIds": [ids["A"], ids["B"]], "labelIds": [ids["of A"]]}),
    ("labelDelete", lambda ids: {"id": ids["of A"], "expectedVersion": 1}),
    ("clientContactLink", lambda ids: {"clientId": ids["A"], "contactId": ids["of nobody"]}),
    ("clientContactUpdate", lambda ids: {**link_of_both(ids), "link": {"position": 7}}),
    ("clientContactUnlink", link_of_both),
    ("clientUpdate", lambda ids: {"id": ids["A"], "expectedVersion": 1, "labelsAdd": [{"id": ids["of B"]}]}),
    ("clientUpdate", lambda ids: {"id": ids["A"], "expectedVersion": 1, "labelsRemove": [ids["of A"]]}),
    ("clientUpdate", lambda ids: {"id": ids["A"], "expectedVersion": 1, "contactsAdd": [{"contact": {"id": ids["of nobody"]}}]}),
    ("clientUpdate", lambda ids: {"id": ids["A"], "expectedVersion": 1, "contactsRemove": [ids["of both"]]}),
    ("clientBulkUpsert", lambda ids: {"clients": [{"name": "A", "labelsAdd": [{"id": ids["of B"]}], "labelsRemove": [ids["of A"]]}]}),
]


async def states(api: Api) -> dict[str, tuple[int, str]]:
    """Return the version and the time of the last change of each client."""
    return {node["name"]: (node["version"], node["updatedAt"]) for node in (await api.data(TIMES))["clients"]["nodes"]}


@pytest.mark.parametrize(("mutation", "build_input"), CHANGES)
async def test_change_of_a_label_or_link_sets_the_time_of_the_client_and_not_its_version(
    api_for: Callable[..., Api], org: Tenant, mutation: str, build_input: Callable[[dict[str, str]], dict[str, Any]]
) -> None:
    """Reading what changed since then finds the client. Clients that do not change keep their time."""
    api, keys = api_for(org), {each: await org.add_client(each) for each in "AB"}
    ids = {each: global_id("Client", key) for each, key in keys.items()}
    ids |= {f"of {each}": global_id("Label", await org.add_label(f"Of {each}", key)) for each, key in keys.items()}
    ids |= {"of both": global_id("Contact", await org.add_contact("Both", *keys.values()))}
    ids |= {"of nobody": global_id("Contact", await org.add_contact("Nobody"))}
    before = await states(api)
    assert outcome_code(await run_mutation(api, mutation, **build_input(ids))) == "DONE"
    after = await states(api)
    assert (after["A"][0], after["B"]) == (1, before["B"])
    assert after["A"][1] != before["A"][1]
    query = "query ($since: DateTime!) { clients(filter: {updatedSince: $since}) { nodes { name } } }"
    assert {"name": "A"} in (await api.data(query, since=after["A"][1]))["clients"]["nodes"]


async def test_label_keeps_its_version_and_gives_clients_no_new_one(api_for: Callable[..., Api], org: Tenant) -> None:
    """Adding a label to a client is no change of the label. Renaming the label is no change of its clients."""
    api, client = api_for(org), await org.add_client("A")
    label = global_id("Label", await org.add_label("Rood"))
    labelling = {"clientIds": [global_id("Client", client)], "labelIds": [label]}
    assert outcome_code(await run_mutation(api, "clientLabelsAdd", **labelling)) == "DONE"
    state = await states(api)
    assert await mutate(api, "labelUpdate", "label { version }", id=label, expectedVersion=1, name="Blauw") == {"version": 2}
    assert await states(api) == state
    assert state["A"][0] == 1


async def test_deleted_label_changes_all_of_its_clients(api_for: Callable[..., Api], org: Tenant) -> None:
    """Clients of another organization and clients without the label keep their time."""
    api, keys = api_for(org), [await org.add_client(f"Client {index}") for index in range(5)]
    label, other = await org.add_label("Rood", *keys[:4]), await org.add_label("Blauw", *keys)
    before = await updated_at(org, keys)
    await mutate(api, "labelDelete", "deletedId", id=global_id("Label", label), expectedVersion=1)
    after = await updated_at(org, keys)
    assert [one != two for one, two in zip(before, after, strict=True)] == [True] * 4 + [False]
    assert len(set(after[:4])) == 1
    remaining = "SELECT count(*) FROM relaties.client_label WHERE tenant_id = $1 AND label_id = $2"
    assert await org.owner.fetchval(remaining, org.id, other) == 5


async def updated_at(org: Tenant, keys: list[UUID]) -> list[Any]:
    query = "SELECT updated_at FROM relaties.client WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id"
    return [row["updated_at"] for row in await org.owner.fetch(query, org.id, keys)]
