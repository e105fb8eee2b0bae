"""Many at once on the server's own limits: one wins, the others hear why, and nobody hears of the database."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.ask import Api
from tests.builders import Tenant, insert, tenant
from tests.ids import global_id
from tests.inputs import document

AT_ONCE = 50
REFUSED = """userErrors { code message path
  ... on NumberTakenError { existingClient { id number } }
  ... on VersionConflictError { currentVersion current { id ... on Client { name version } } } }"""
CREATE = f"mutation ($input: ClientCreateInput!) {{ clientCreate(input: $input) {{ client {{ id number }} {REFUSED} }} }}"
UPDATE = f"mutation ($input: ClientUpdateInput!) {{ clientUpdate(input: $input) {{ client {{ id name version }} {REFUSED} }} }}"
LABEL = f"mutation ($input: LabelCreateInput!) {{ labelCreate(input: $input) {{ label {{ id name }} {REFUSED} }} }}"
LOST_RACES = {"NOT_FOUND", "VERSION_CONFLICT", "NAME_TAKEN", "ALREADY_ARCHIVED", "NOT_ARCHIVED", "IN_USE"}
SOME_RUNS = 10


async def at_once(ask: Callable[[int], Awaitable[dict[str, Any]]], count: int = AT_ONCE) -> list[dict[str, Any]]:
    """The payloads of so many requests that begin together; each is a 200 without errors."""
    return [*(next(iter(data.values())) for data in await asyncio.gather(*(ask(place) for place in range(count))))]


def parted(payloads: list[dict[str, Any]], made: str) -> tuple[list[Any], list[dict[str, Any]]]:
    """What was made, and why the others were refused."""
    return [each[made] for each in payloads if each[made]], [error for each in payloads for error in each["userErrors"]]


async def test_c1_of_fifty_changes_of_one_version_one_is_made(usual: Callable[[Tenant], Api], org: Tenant) -> None:
    """The others see it: the client as it is now, and its version."""
    key, api = global_id("Client", await org.add_client("Before")), usual(org)
    payloads = await at_once(lambda place: api.data(UPDATE, input={"id": key, "expectedVersion": 1, "name": f"After {place}"}))
    (won,), errors = parted(payloads, "client")
    assert won["version"] == 2
    assert len(errors) == AT_ONCE - 1
    assert {(each["code"], *each["path"], each["currentVersion"]) for each in errors} == {("VERSION_CONFLICT", "expectedVersion", 2)}
    assert all(each["current"] == won for each in errors)


async def test_c5_of_fifty_clients_of_one_number_one_is_made(usual: Callable[[Tenant], Api], org: Tenant) -> None:
    """The others are told which it is, however they write the number."""
    api = usual(org)
    payloads = await at_once(lambda place: api.data(CREATE, input={"name": "X", "number": "k-1" if place % 2 else " K-1"}))
    (won,), errors = parted(payloads, "client")
    assert len(errors) == AT_ONCE - 1
    assert {(each["code"], *each["path"], each["existingClient"]["id"]) for each in errors} == {("NUMBER_TAKEN", "number", won["id"])}


async def test_of_fifty_labels_of_one_name_one_is_made(usual: Callable[[Tenant], Api], org: Tenant) -> None:
    """However they write it."""
    api = usual(org)
    payloads = await at_once(lambda place: api.data(LABEL, input={"name": "Café" if place % 2 else "CAFE"}))
    (_,), errors = parted(payloads, "label")
    assert len(errors) == AT_ONCE - 1
    assert {(each["code"], *each["path"]) for each in errors} == {("NAME_TAKEN", "name")}


async def test_fifty_requests_of_one_key_are_one(usual: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection) -> None:
    """All answer the same."""
    query = CREATE.replace("(input: $input)", '(input: $input) @idempotent(key: "k")')
    made, errors = parted(await at_once(lambda _: usual(org).data(query, input={"name": "Once", "takesNextNumber": True})), "client")
    assert errors == []
    assert made == [made[0]] * AT_ONCE
    assert await owner.fetchval("SELECT count(*) FROM relaties.client WHERE tenant_id = $1", org.id) == 1


async def test_fifty_numbers_in_turn_have_no_gap(usual: Callable[[Tenant], Api], org: Tenant) -> None:
    """Fifty clients that take the next number at once; what was given by hand before is passed over."""
    await org.add_client("By hand", "0007")
    made, errors = parted(await at_once(lambda _: usual(org).data(CREATE, input={"name": "X", "takesNextNumber": True})), "client")
    assert errors == []
    assert sorted(client["number"] for client in made) == [f"{number:04}" for number in range(1, AT_ONCE + 2) if number != 7]


async def archiving(api: Api, mutation: str, key: str) -> dict[str, Any]:
    """The payload."""
    found: dict[str, Any] = (await api.data(document(mutation), input={"id": key}))[mutation]
    return found


async def test_of_fifty_archivings_of_one_client_one_is_done(
    usual: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection
) -> None:
    """The others hear that it is archived already, and the client is one version on."""
    client = await org.add_client("Jansen")
    await org.add_project(client)
    payloads = await asyncio.gather(*(archiving(usual(org), "clientArchive", global_id("Client", client)) for _ in range(AT_ONCE)))
    made, errors = parted(payloads, "client")
    assert (len(made), len(errors)) == (1, AT_ONCE - 1)
    assert {(each["code"], *each["path"]) for each in errors} == {("ALREADY_ARCHIVED", "id")}
    assert await owner.fetchval("SELECT sum(version) FROM relaties.client WHERE tenant_id = $1", org.id) == 2
    assert await owner.fetchval("SELECT sum(version) FROM relaties.project WHERE tenant_id = $1", org.id) == 2


async def test_archiving_and_taking_back_at_once_come_one_after_the_other(
    usual: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection
) -> None:
    """Each is done or finds it done; in the end the client and its projects say the same."""
    client = await org.add_client("Jansen")
    for name in "ABC":
        await org.add_project(client, name)
    tries = ["clientArchive", "clientUnarchive"] * (AT_ONCE // 2)
    payloads = await asyncio.gather(*(archiving(usual(org), mutation, global_id("Client", client)) for mutation in tries))
    done = [mutation for mutation, payload in zip(tries, payloads, strict=True) if not payload["userErrors"]]
    codes = {mutation: set[str]() for mutation in tries}
    for mutation, payload in zip(tries, payloads, strict=True):
        codes[mutation] |= {error["code"] for error in payload["userErrors"]}
    assert codes["clientArchive"] <= {"ALREADY_ARCHIVED"}
    assert codes["clientUnarchive"] <= {"NOT_ARCHIVED"}
    row = await owner.fetchrow("SELECT version, archived_at, archive_operation_id FROM relaties.client WHERE id = $1", client)
    assert row is not None
    assert done.count("clientArchive") - done.count("clientUnarchive") == (row["archived_at"] is not None)
    assert row["version"] == 1 + len(done)
    projects = await owner.fetch("SELECT version, archived_at, archive_operation_id FROM relaties.project WHERE client_id = $1", client)
    assert [tuple(each) for each in projects] == [tuple(row)] * 3


@pytest.mark.parametrize("is_first", [True, False], ids=["archived first", "changed first"])
async def test_archiving_against_a_change_of_the_client(usual: Callable[[Tenant], Api], org: Tenant, *, is_first: bool) -> None:
    """In both orders: the change came before, or it was refused for what the client is by then; archived it is either way."""
    api = usual(org)
    for run in range(SOME_RUNS):
        key = global_id("Client", await org.add_client(f"Before {run}"))
        asks = [
            archiving(api, "clientArchive", key),
            api.data(UPDATE, input={"id": key, "expectedVersion": 1, "name": f"After {run}"}),
        ]
        found = await asyncio.gather(*(asks if is_first else asks[::-1]))
        archived, data = found if is_first else found[::-1]
        updated = data["clientUpdate"]
        assert archived["userErrors"] == []
        assert [each["code"] for each in updated["userErrors"]] in ([], ["ALREADY_ARCHIVED"])
        shown_ = (await api.data("query ($id: ID!) { client(by: {id: $id}) { name isArchived version } }", id=key))["client"]
        was_changed = updated["client"] is not None
        assert shown_ == {"name": f"{'After' if was_changed else 'Before'} {run}", "isArchived": True, "version": 2 + was_changed}


@pytest.mark.parametrize("is_first", [True, False], ids=["archived first", "deleted first"])
async def test_archiving_against_the_deletion_of_a_label(
    usual: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection, *, is_first: bool
) -> None:
    """The label goes before the client is archived, from it and its registrations; or it stays, with both."""
    api = usual(org)
    for run in range(SOME_RUNS):
        client = await org.add_client(f"Client {run}")
        label = await org.add_label(f"Label {run}", client)
        worn = {"tenant_id": org.id, "registration_id": await org.add_registration(client), "label_id": label, "client_id": client}
        await insert(owner, "registration_label", [{**worn}])
        deleting = {"id": global_id("Label", label), "expectedVersion": 1}
        asks = [
            archiving(api, "clientArchive", global_id("Client", client)),
            api.data(document("labelDelete"), input=deleting),
        ]
        found = await asyncio.gather(*(asks if is_first else asks[::-1]))
        archived, data = found if is_first else found[::-1]
        assert archived["userErrors"] == []
        codes = [each["code"] for each in data["labelDelete"]["userErrors"]]
        assert codes in ([], ["IN_USE"])
        left = [
            await owner.fetchval(f"SELECT count(*) FROM relaties.{table} WHERE tenant_id = $1 AND label_id = $2", org.id, label)
            for table in ("client_label", "registration_label")
        ]
        assert left == [len(codes)] * 2


class Storm:
    """Changes that cross each other over a few clients and labels."""

    def __init__(self, made: Tenant, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 no secret
        self.labels = [global_id("Label", key) for key in made.labels]
        self.clients = [global_id("Client", key) for key in made.clients]

    def some(self, of: list[str]) -> list[str]:
        return self.chance.sample(of, self.chance.randint(1, len(of)))

    def change(self) -> tuple[str, dict[str, object]]:
        """One of them, in an order of its own."""
        named = {"new": {"name": f"New {self.chance.randint(0, 2)}"}}
        chosen = [*({"id": key} for key in self.some(self.labels)), named]
        self.chance.shuffle(chosen)
        updated: dict[str, object] = {
            "id": self.chance.choice(self.clients),
            "expectedVersion": self.chance.randint(1, 9),
            "labels": chosen,
        }
        both: dict[str, object] = {"clientIds": self.some(self.clients), "labelIds": self.some(self.labels)}
        archived: dict[str, object] = {"id": self.chance.choice(self.clients)}
        return self.chance.choice(
            [
                ("clientLabelsAdd", both),
                ("clientLabelsRemove", both),
                ("clientUpdate", updated),
                ("clientUpdate", {**updated, "takesNextNumber": True}),
                ("clientCreate", {"name": "X", "takesNextNumber": True, "labels": chosen}),
                ("labelUpdate", {"id": self.chance.choice(self.labels), "expectedVersion": 1, "name": f"New {self.chance.randint(0, 2)}"}),
                ("labelDelete", {"id": self.chance.choice(self.labels), "expectedVersion": 1}),
                ("clientArchive", archived),
                ("clientUnarchive", archived),
            ]
        )


@pytest.mark.parametrize("seed", range(4))
async def test_c3_changes_that_cross_each_other_all_end(usual: Callable[[Tenant], Api], owner: asyncpg.Connection, seed: int) -> None:
    """Labels put on, taken off, renamed and deleted while clients that wear them change or are archived: done, or lost in words of ours."""
    made = await tenant(owner)
    for place in range(4):
        await made.add_client(f"Client {place}")
    for place in range(8):
        await made.add_label(f"Label {place}", *made.clients[place % 2 :: 2])
    storm, api = Storm(made, seed), usual(made)
    changes = [storm.change() for _ in range(AT_ONCE)]

    async def ask(place: int) -> dict[str, Any]:
        name, given = changes[place]
        found: dict[str, Any] = await api.data(document(name), input=given)
        return found

    payloads = await at_once(ask)
    codes = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert set(codes) <= LOST_RACES
    assert any(not payload["userErrors"] for payload in payloads)


async def test_a_request_whose_answer_was_lost_is_done_once(usual: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection) -> None:
    """Given up at any moment, at every turn of the loop between the first and the last, and sent again under its key."""
    api, turns, is_through = usual(org), 0, False
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
        found = await owner.fetch("SELECT id FROM relaties.label WHERE tenant_id = $1 AND name = $2", org.id, name)
        assert [global_id("Label", row["id"]) for row in found] == [payload["label"]["id"]]
        turns = turns + 1 + turns // 4
    assert turns > 16
    made, errors = parted(await at_once(lambda place: api.data(LABEL, input={"name": f"After {place}"})), "label")
    assert (len(made), errors) == (AT_ONCE, [])
