"""The migration that recomputes stored keys: only keys change, and a client whose number folds to an older one's has no key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import strawberry

from db.engine.database import Database
from db.migrations import downgrade, folding, upgrade
from db.tables import Role
from db.tables.keys import KEY_SEPARATOR
from tests.support.api import Api, connect_client
from tests.support.builders import CREATED_AT, Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.ids import global_id
from tests.support.processes import run_relaties
from tests.support.snapshots import assert_unchanged, compare_snapshots, find_tables, read_snapshot

PREVIOUS_REVISION = "0012"
ERROR_FIELDS = "userErrors { code path message }"
UPDATE = f"mutation ($input: ClientUpdateInput!) {{ clientUpdate(input: $input) {{ client {{ name number version }} {ERROR_FIELDS} }} }}"
CLIENT_BY_NUMBER = "query ($number: String!) { client(by: {number: $number}) { name } }"


def fold_old_way(text: str) -> str:
    """Fold a name as the old code did, which for the names here is only by case."""
    return text.casefold()


@dataclass
class OldKeysDatabase:
    """A database at the old revision, with two organizations whose keys are folded the old way."""

    url: str
    owner: asyncpg.Connection
    first_org: Tenant
    other: Tenant
    ids: dict[str, UUID]

    async def add_client(self, org: Tenant, name: str, number: str | None, *, day: int = 0, **more: object) -> None:
        keys = {"name_key": fold_old_way(name), "number_key": number and number.strip().casefold()}
        created_at = CREATED_AT + timedelta(days=day)
        self.ids[name] = await org.add_client(name, number, **{**keys, "created_at": created_at, **more})

    async def fetch_keys(self, table: str = "client", column: str = "number_key") -> dict[str, Any]:
        return {row["name"]: row[column] for row in await self.owner.fetch(f"SELECT name, {column} FROM relaties.{table}")}


@pytest.fixture
async def old_database(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[OldKeysDatabase]:
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    old_keys_database = OldKeysDatabase(url, owner, await create_tenant(owner, "Een"), await create_tenant(owner, "Twee"), {})
    await downgrade(url, revision=PREVIOUS_REVISION)
    await old_keys_database.add_client(old_keys_database.first_org, "later", "A1", day=2)
    await old_keys_database.add_client(old_keys_database.first_org, "first", "\ufeffA1", day=1)
    await old_keys_database.add_client(
        old_keys_database.first_org, "last", "\uff21\uff11", day=3, archived_at=datetime(2026, 5, 1, tzinfo=UTC)
    )
    await old_keys_database.add_client(old_keys_database.first_org, "kept", "B2", day=1)
    # Created at the same time, so the ids decide which one is older.
    await old_keys_database.add_client(old_keys_database.first_org, "same number later", "B\u200b2", day=1)
    await old_keys_database.add_client(old_keys_database.first_org, "wide", "\uff23\uff13")
    await old_keys_database.add_client(old_keys_database.first_org, "no number", None)
    await old_keys_database.add_client(old_keys_database.first_org, "unseen", "\u3164")
    await old_keys_database.add_client(old_keys_database.first_org, "Z\u200bo\u00adë", "D4")
    await old_keys_database.add_client(old_keys_database.other, "theirs", "A\u20601")
    yield old_keys_database
    await owner.close()


async def test_numbers_are_folded_again_and_the_first_keeps_the_key(old_database: OldKeysDatabase) -> None:
    """The first is the oldest by time of creation, then by id, within each organization."""
    await upgrade(old_database.url, None)
    assert await old_database.fetch_keys() == {
        "first": "a1", "later": None, "last": None, "kept": "b2", "same number later": None, "wide": "c3", "no number": None,
        "unseen": None, "Z\u200bo\u00adë": "d4", "theirs": "a1",
    }  # fmt: skip
    assert (await old_database.fetch_keys(column="name_key"))["Z\u200bo\u00adë"] == "zoe"


async def test_only_keys_change(old_database: OldKeysDatabase) -> None:
    """Texts, versions and timestamps stay, and no events are recorded. A second upgrade changes nothing."""
    tenants, tables = (old_database.first_org.id, old_database.other.id), await find_tables(old_database.owner)
    before = await read_snapshot(old_database.owner, *tenants, tables=tables)
    await upgrade(old_database.url, None)
    after = await read_snapshot(old_database.owner, *tenants, tables=tables)
    changed = compare_snapshots(before, after)
    assert {column for steps in changed.values() for column in steps} == {"name_key", "number_key"}
    assert {key[0] for key in changed} == {"client"}
    await downgrade(old_database.url, revision=PREVIOUS_REVISION)
    assert [name for name, key in (await old_database.fetch_keys()).items() if key is None] == ["no number"]
    await upgrade(old_database.url, None)
    assert compare_snapshots(after, await read_snapshot(old_database.owner, *tenants, tables=tables)) == {}


async def test_contacts_and_labels_are_folded_again(old_database: OldKeysDatabase) -> None:
    """The oldest label of a name gets the key. The keys of the others get their ids as suffixes, so that they sort next to it."""
    names = {"Gold": 3, "\u200bGold": 1, "G\u00adold": 2, "Silver": 0}
    gold = [
        await old_database.first_org.add_label(name, name_key=fold_old_way(name), created_at=CREATED_AT + timedelta(days=day))
        for name, day in names.items()
    ]
    theirs = await old_database.other.add_label("\ufeffGold", name_key="\ufeffgold")
    contact = await old_database.first_org.add_contact("Zo\u00eb")
    await old_database.owner.execute("UPDATE relaties.contact SET name_key = 'zo\u00eb an' WHERE id = $1", contact)
    await upgrade(old_database.url, None)
    keys = {row["id"]: row["name_key"] for row in await old_database.owner.fetch("SELECT id, name_key FROM relaties.label")}
    assert keys == {
        gold[1]: "gold", gold[0]: f"gold{KEY_SEPARATOR}{gold[0].hex}", gold[2]: f"gold{KEY_SEPARATOR}{gold[2].hex}", gold[3]: "silver",
        theirs: "gold",
    }  # fmt: skip
    assert await old_database.owner.fetchval("SELECT name_key FROM relaties.contact WHERE id = $1", contact) == "zoe an"


async def test_rows_are_read_in_batches(old_database: OldKeysDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batches cover the rows of all organizations."""
    monkeypatch.setattr(folding, "BATCH", 3)
    await upgrade(old_database.url, None)
    assert [name for name, key in (await old_database.fetch_keys()).items() if key == "a1"] == ["first", "theirs"]


@pytest.fixture
async def api(old_database: OldKeysDatabase, schema: strawberry.Schema) -> AsyncIterator[Api]:
    await upgrade(old_database.url, runtime_url(old_database.url))
    database = await Database.connect(runtime_url(old_database.url))
    async with connect_client(schema, database) as http:
        yield Api(http, old_database.first_org.tokens[Role.OWNER])
    await database.close()


async def test_a_client_without_a_key_can_be_changed_but_its_number_is_taken(old_database: OldKeysDatabase, api: Api) -> None:
    """Once the other client has another number, the number can be set again, and the client is found by it."""

    async def update(client: str, version: int, **fields: object) -> Any:  # noqa: ANN401 JSON
        input_values = {"id": global_id("Client", old_database.ids[client]), "expectedVersion": version, **fields}
        return (await api.data(UPDATE, input=input_values))["clientUpdate"]

    assert (await api.data(CLIENT_BY_NUMBER, number="A1"))["client"] == {"name": "first"}
    changed = await update("later", 1, name="renamed")
    assert changed == {"client": {"name": "renamed", "number": "A1", "version": 2}, "userErrors": []}
    async with assert_unchanged(old_database.owner, old_database.first_org.id, old_database.other.id):
        for number in ("A1", "a1\u200b", "\uff21\uff11"):
            payload = await update("later", 2, number=number)
            message = "first already has the number \ufeffA1. Choose another number."
            assert payload == {"client": None, "userErrors": [{"code": "NUMBER_TAKEN", "path": ["number"], "message": message}]}
    assert (await update("first", 1, number="A2"))["userErrors"] == []
    assert (await api.data(CLIENT_BY_NUMBER, number="A1"))["client"] is None
    assert (await update("later", 2, number="A1"))["client"] == {"name": "renamed", "number": "A1", "version": 3}
    assert (await api.data(CLIENT_BY_NUMBER, number="\uff41\uff11"))["client"] == {"name": "renamed"}
    assert (await update("same number later", 1, number=None))["client"]["number"] is None


async def test_client_without_a_key_is_not_matched_by_name(api: Api) -> None:
    """A bulk upsert by its name creates another client, and one by its number changes the older client."""
    query = """mutation ($clients: [ClientUpsertInput!]!) { clientBulkUpsert(input: {clients: $clients}) {
      results { action client { name number } } userErrors { message } } }"""
    clients = [{"name": "later", "phone": "+31 20 123 4567"}, {"name": "first", "number": "A1"}]
    payload = (await api.data(query, clients=clients))["clientBulkUpsert"]
    assert payload["userErrors"] == []
    assert [each["action"] for each in payload["results"]] == ["CREATED", "UPDATED"]
    assert payload["results"][0]["client"] == {"name": "later", "number": None}
    listed = await api.data("{ clients(first: 100, orderBy: {field: NUMBER}) { nodes { name } } }")
    names = [node["name"] for node in listed["clients"]["nodes"]]
    assert names[:4] == ["first", "kept", "wide", "Z\u200bo\u00ad\u00eb"]
    assert await api.data('{ clients(search: "zoe") { nodes { number } } }') == {"clients": {"nodes": [{"number": "D4"}]}}


async def test_doctor_lists_rows_without_a_key(old_database: OldKeysDatabase, tmp_path: Path) -> None:
    """They are listed by organization, with their ids and their numbers. Without such rows, the check is ok."""
    settings = {"DATABASE_URL": runtime_url(old_database.url), "RELATIES_OWNER_URL": old_database.url, "RELATIES_DATA_DIR": str(tmp_path)}
    label, _ = await old_database.other.add_label("\u200bGold", name_key="\u200bgold"), await old_database.other.add_label("Gold")
    await upgrade(old_database.url, None)
    result = run_relaties("doctor", **settings)
    numbers = {"last": "'\\uff21\\uff11'", "later": "'A1'", "same number later": "'B\\u200b2'", "unseen": "'\\u3164'"}
    clients = sorted((old_database.ids[name], f"client {old_database.ids[name]} of Een: {number}") for name, number in numbers.items())
    prefix = "[wrong] These cannot be found by number or name, because an older client or label has the same in another form: "
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(prefix)]
    assert result.returncode == 1
    second = await old_database.owner.fetchval("SELECT id FROM relaties.label WHERE id <> $1", label)
    listed = "; ".join([*(text for _, text in clients), f"label {second} of Twee: 'Gold'"])
    assert line == f"{prefix}{listed}. Change one of each pair with `clientUpdate` or `labelUpdate`."
    await old_database.owner.execute("UPDATE relaties.client SET number = NULL WHERE number_key IS NULL")
    await old_database.owner.execute("DELETE FROM relaties.label")
    assert "[ok]    numbers of clients and names of labels are unique" in run_relaties("doctor", **settings).stdout.splitlines()
