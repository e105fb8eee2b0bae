"""Test many concurrent requests under the default limits: one succeeds, the others get a proper error, and none sees a database error."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant, insert_rows
from tests.support.ids import global_id
from tests.support.mutation_inputs import mutation_document

AT_ONCE = 50
ERROR_FIELDS = """userErrors { code message path
  ... on UserError {
    ... on NumberTakenError { existingClient { id number } }
    ... on ClientVersionConflictError { currentVersion current { id name version } } } }"""
CREATE = f"mutation ($input: ClientCreateInput!) {{ clientCreate(input: $input) {{ client {{ id number }} {ERROR_FIELDS} }} }}"
UPDATE = f"mutation ($input: ClientUpdateInput!) {{ clientUpdate(input: $input) {{ client {{ id name version }} {ERROR_FIELDS} }} }}"
LABEL = f"mutation ($input: LabelCreateInput!) {{ labelCreate(input: $input) {{ label {{ id name }} {ERROR_FIELDS} }} }}"
LOST_RACES = {"NOT_FOUND", "VERSION_CONFLICT", "NAME_TAKEN", "ALREADY_ARCHIVED", "NOT_ARCHIVED", "IN_USE"}
SOME_RUNS = 10


async def run_concurrently(ask: Callable[[int], Awaitable[dict[str, Any]]], count: int = AT_ONCE) -> list[dict[str, Any]]:
    """Return the payloads of `count` requests that start together, after checking that each is a 200 without errors."""
    return [*(next(iter(data.values())) for data in await asyncio.gather(*(ask(index) for index in range(count))))]


def split_results(payloads: list[dict[str, Any]], field: str) -> tuple[list[Any], list[dict[str, Any]]]:
    """Return the created objects, and the errors of the other requests."""
    return [each[field] for each in payloads if each[field]], [error for each in payloads for error in each["userErrors"]]


async def test_c1_one_of_fifty_updates_with_one_version_succeeds(default_limits_api: Callable[[Tenant], Api], org: Tenant) -> None:
    """The errors of the others contain the current client and its version."""
    key, api = global_id("Client", await org.add_client("Before")), default_limits_api(org)
    payloads = await run_concurrently(lambda index: api.data(UPDATE, input={"id": key, "expectedVersion": 1, "name": f"After {index}"}))
    (winner,), errors = split_results(payloads, "client")
    assert winner["version"] == 2
    assert len(errors) == AT_ONCE - 1
    assert {(each["code"], *each["path"], each["currentVersion"]) for each in errors} == {("VERSION_CONFLICT", "expectedVersion", 2)}
    assert all(each["current"] == winner for each in errors)


async def test_c5_one_of_fifty_clients_with_one_number_is_created(default_limits_api: Callable[[Tenant], Api], org: Tenant) -> None:
    """The others get the existing client. Half of them write the number in another case and with a space."""
    api = default_limits_api(org)
    payloads = await run_concurrently(lambda index: api.data(CREATE, input={"name": "X", "number": "k-1" if index % 2 else " K-1"}))
    (winner,), errors = split_results(payloads, "client")
    assert len(errors) == AT_ONCE - 1
    assert {(each["code"], *each["path"], each["existingClient"]["id"]) for each in errors} == {("NUMBER_TAKEN", "number", winner["id"])}


async def test_one_of_fifty_labels_with_one_name_is_created(default_limits_api: Callable[[Tenant], Api], org: Tenant) -> None:
    """Half of the requests write the name in capitals and without the accent."""
    api = default_limits_api(org)
    payloads = await run_concurrently(lambda index: api.data(LABEL, input={"name": "Café" if index % 2 else "CAFE"}))
    (_,), errors = split_results(payloads, "label")
    assert len(errors) == AT_ONCE - 1
    assert {(each["code"], *each["path"]) for each in errors} == {("NAME_TAKEN", "name")}


async def test_fifty_requests_with_one_key_are_executed_once(
    default_limits_api: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection
) -> None:
    """All get the same answer."""
    query = CREATE.replace("(input: $input)", '(input: $input) @idempotent(key: "k")')
    created_labels, errors = split_results(
        await run_concurrently(lambda _: default_limits_api(org).data(query, input={"name": "Once", "takesNextNumber": True})), "client"
    )
    assert errors == []
    assert created_labels == [created_labels[0]] * AT_ONCE
    assert await owner.fetchval("SELECT count(*) FROM relaties.client WHERE tenant_id = $1", org.id) == 1


async def test_fifty_concurrent_numbers_have_no_gap(default_limits_api: Callable[[Tenant], Api], org: Tenant) -> None:
    """Fifty clients take the next number at once. A number that was entered by hand before is skipped."""
    await org.add_client("By hand", "0007")
    created_clients, errors = split_results(
        await run_concurrently(lambda _: default_limits_api(org).data(CREATE, input={"name": "X", "takesNextNumber": True})), "client"
    )
    assert errors == []
    assert sorted(client["number"] for client in created_clients) == [f"{number:04}" for number in range(1, AT_ONCE + 2) if number != 7]


async def set_archived(api: Api, mutation: str, key: str, version: int = 1) -> dict[str, Any]:
    """Archive or unarchive the client, and return the payload."""
    payload: dict[str, Any] = (await api.data(mutation_document(mutation), input={"id": key, "expectedVersion": version}))[mutation]
    return payload


async def test_one_of_fifty_archivings_of_one_client_succeeds(
    default_limits_api: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection
) -> None:
    """The others get `ALREADY_ARCHIVED`, and the version rises by one."""
    client = await org.add_client("Jansen")
    await org.add_project(client)
    payloads = await asyncio.gather(
        *(set_archived(default_limits_api(org), "clientArchive", global_id("Client", client)) for _ in range(AT_ONCE))
    )
    archived_clients, errors = split_results(payloads, "client")
    assert (len(archived_clients), len(errors)) == (1, AT_ONCE - 1)
    assert {(each["code"], *each["path"]) for each in errors} == {("ALREADY_ARCHIVED", "id")}
    assert await owner.fetchval("SELECT sum(version) FROM relaties.client WHERE tenant_id = $1", org.id) == 2
    assert await owner.fetchval("SELECT sum(version) FROM relaties.project WHERE tenant_id = $1", org.id) == 2


async def test_concurrent_archiving_and_unarchiving_are_serialized(
    default_limits_api: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection
) -> None:
    """Each succeeds or gets an error that fits. In the end the client and its projects have the same state.

    The versions that are expected follow each other, as if each caller had read the client at another time.
    """
    client = await org.add_client("Jansen")
    for name in "ABC":
        await org.add_project(client, name)
    tries = ["clientArchive", "clientUnarchive"] * (AT_ONCE // 2)
    api, key = default_limits_api(org), global_id("Client", client)
    payloads = await asyncio.gather(*(set_archived(api, mutation, key, 1 + index % 6) for index, mutation in enumerate(tries)))
    successful = [mutation for mutation, payload in zip(tries, payloads, strict=True) if not payload["userErrors"]]
    codes = {mutation: set[str]() for mutation in tries}
    for mutation, payload in zip(tries, payloads, strict=True):
        codes[mutation] |= {error["code"] for error in payload["userErrors"]}
    assert "clientArchive" in successful
    assert codes["clientArchive"] <= {"ALREADY_ARCHIVED", "VERSION_CONFLICT"}
    assert codes["clientUnarchive"] <= {"NOT_ARCHIVED", "VERSION_CONFLICT"}
    row = await owner.fetchrow("SELECT version, archived_at, archive_operation_id FROM relaties.client WHERE id = $1", client)
    assert row is not None
    assert successful.count("clientArchive") - successful.count("clientUnarchive") == (row["archived_at"] is not None)
    assert row["version"] == 1 + len(successful)
    projects = await owner.fetch("SELECT version, archived_at, archive_operation_id FROM relaties.project WHERE client_id = $1", client)
    assert [tuple(each) for each in projects] == [tuple(row)] * 3


@pytest.mark.parametrize("is_first", [True, False], ids=["archived first", "changed first"])
async def test_archiving_concurrent_with_a_client_update(
    default_limits_api: Callable[[Tenant], Api], org: Tenant, *, is_first: bool
) -> None:
    """The one that comes first succeeds. After the update, the archiving has an outdated version."""
    api = default_limits_api(org)
    for run in range(SOME_RUNS):
        key = global_id("Client", await org.add_client(f"Before {run}"))
        asks = [
            set_archived(api, "clientArchive", key),
            api.data(UPDATE, input={"id": key, "expectedVersion": 1, "name": f"After {run}"}),
        ]
        payloads = await asyncio.gather(*(asks if is_first else asks[::-1]))
        archived, data = payloads if is_first else payloads[::-1]
        updated = data["clientUpdate"]
        codes = [[each["code"] for each in payload["userErrors"]] for payload in (archived, updated)]
        assert codes in ([[], ["ALREADY_ARCHIVED"]], [["VERSION_CONFLICT"], []])
        client_data = (await api.data("query ($id: ID!) { client(by: {id: $id}) { name isArchived version } }", id=key))["client"]
        was_changed = updated["client"] is not None
        assert client_data == {"name": f"{'After' if was_changed else 'Before'} {run}", "isArchived": not was_changed, "version": 2}


@pytest.mark.parametrize("is_first", [True, False], ids=["archived first", "deleted first"])
async def test_archiving_concurrent_with_a_label_deletion(
    default_limits_api: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection, *, is_first: bool
) -> None:
    """The label is deleted from the client and its registrations before the archiving, or it stays on both."""
    api = default_limits_api(org)
    for run in range(SOME_RUNS):
        client = await org.add_client(f"Client {run}")
        label = await org.add_label(f"Label {run}", client)
        label_row = {"tenant_id": org.id, "registration_id": await org.add_registration(client), "label_id": label, "client_id": client}
        await insert_rows(owner, "registration_label", [{**label_row}])
        deleting = {"id": global_id("Label", label), "expectedVersion": 1}
        asks = [
            set_archived(api, "clientArchive", global_id("Client", client)),
            api.data(mutation_document("labelDelete"), input=deleting),
        ]
        payloads = await asyncio.gather(*(asks if is_first else asks[::-1]))
        archived, data = payloads if is_first else payloads[::-1]
        assert archived["userErrors"] == []
        codes = [each["code"] for each in data["labelDelete"]["userErrors"]]
        assert codes in ([], ["IN_USE"])
        remaining = [
            await owner.fetchval(f"SELECT count(*) FROM relaties.{table} WHERE tenant_id = $1 AND label_id = $2", org.id, label)
            for table in ("client_label", "registration_label")
        ]
        assert remaining == [len(codes)] * 2


class RandomChanges:
    """Random changes that conflict over a few clients and labels."""

    def __init__(self, org: Tenant, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 no secret
        self.labels = [global_id("Label", key) for key in org.labels]
        self.clients = [global_id("Client", key) for key in org.clients]

    def choose_some(self, ids: list[str]) -> list[str]:
        return self.chance.sample(ids, self.chance.randint(1, len(ids)))

    def choose_change(self) -> tuple[str, dict[str, object]]:
        """Return a mutation and its input, with ids in random order so that locks are requested in different orders."""
        new_label = {"new": {"name": f"New {self.chance.randint(0, 2)}"}}
        label_inputs = [*({"id": key} for key in self.choose_some(self.labels)), new_label]
        self.chance.shuffle(label_inputs)
        update_input: dict[str, object] = {
            "id": self.chance.choice(self.clients),
            "expectedVersion": self.chance.randint(1, 4),
            "labelsAdd": label_inputs,
        }
        both: dict[str, object] = {"clientIds": self.choose_some(self.clients), "labelIds": self.choose_some(self.labels)}
        archive_input: dict[str, object] = {"id": self.chance.choice(self.clients), "expectedVersion": self.chance.randint(1, 4)}
        return self.chance.choice(
            [
                ("clientLabelsAdd", both),
                ("clientLabelsRemove", both),
                ("clientUpdate", update_input),
                ("clientUpdate", {**update_input, "takesNextNumber": True}),
                ("clientCreate", {"name": "X", "takesNextNumber": True, "labels": label_inputs}),
                ("labelUpdate", {"id": self.chance.choice(self.labels), "expectedVersion": 1, "name": f"New {self.chance.randint(0, 2)}"}),
                ("labelDelete", {"id": self.chance.choice(self.labels), "expectedVersion": 1}),
                ("clientArchive", archive_input),
                ("clientUnarchive", archive_input),
            ]
        )


@pytest.mark.parametrize("seed", range(4))
async def test_c3_conflicting_changes_all_finish(default_limits_api: Callable[[Tenant], Api], owner: asyncpg.Connection, seed: int) -> None:
    """Labels and labelled clients change concurrently. Each change succeeds or fails with one of our own errors, never with a deadlock."""
    org = await create_tenant(owner)
    for index in range(4):
        await org.add_client(f"Client {index}")
    for index in range(8):
        await org.add_label(f"Label {index}", *org.clients[index % 2 :: 2])
    storm, api = RandomChanges(org, seed), default_limits_api(org)
    changes = [storm.choose_change() for _ in range(AT_ONCE)]

    async def ask(index: int) -> dict[str, Any]:
        name, input_values = changes[index]
        data: dict[str, Any] = await api.data(mutation_document(name), input=input_values)
        return data

    payloads = await run_concurrently(ask)
    codes = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert set(codes) <= LOST_RACES
    assert any(not payload["userErrors"] for payload in payloads)


async def test_request_cancelled_at_any_point_is_executed_once(
    default_limits_api: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection
) -> None:
    """The request is cancelled after a growing number of turns of the event loop and sent again with its key."""
    api, turns, is_through = default_limits_api(org), 0, False
    while not is_through:
        name = f"Label {turns}"
        query, key = LABEL.replace("(input: $input)", "(input: $input) @idempotent(key: $key)"), str(uuid4())
        query = query.replace("($input", "($key: String!, $input")
        task = asyncio.create_task(api.data(query, input={"name": name}, key=key))
        for _ in range(turns):
            await asyncio.sleep(0)
        is_through = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        payload = (await api.data(query, input={"name": name}, key=key))["labelCreate"]
        assert (payload["userErrors"], payload["label"]["name"]) == ([], name)
        rows = await owner.fetch("SELECT id FROM relaties.label WHERE tenant_id = $1 AND name = $2", org.id, name)
        assert [global_id("Label", row["id"]) for row in rows] == [payload["label"]["id"]]
        turns = turns + 1 + turns // 4  # every turn at first, then every few: each run cancels at another point
    assert turns > 16
    created_labels, errors = split_results(await run_concurrently(lambda index: api.data(LABEL, input={"name": f"After {index}"})), "label")
    assert (len(created_labels), errors) == (AT_ONCE, [])
