"""Test the bulk upsert of clients: matching, saving all entries or only the valid ones, and the result of each entry."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLList, get_nullable_type
from sqlalchemy import event

from db.engine.database import Database
from db.tables import Role
from domain.organization.tokens import new_secret
from tests.support.api import Api
from tests.support.builders import Tenant, add_token, create_tenant, insert_rows
from tests.support.client_forms import CLIENT_FIELDS, count_rows
from tests.support.ids import global_id
from tests.support.mutation_inputs import input_type
from tests.support.snapshots import assert_unchanged

ERRORS = "userErrors { __typename code path message }"
UPSERT = f"""mutation ($input: ClientBulkUpsertInput!) {{ clientBulkUpsert(input: $input) {{
  results {{ action client {{ id name number version }} {ERRORS} }} {ERRORS} }} }}"""
WITH_ALL_PARTS = f"""mutation ($input: ClientBulkUpsertInput!) {{ clientBulkUpsert(input: $input) {{
  results {{ client {{ ...Shown }} }} }} }} {CLIENT_FIELDS}"""
ARCHIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
Entry = dict[str, Any]


@pytest.fixture
def write_statements(database: Database) -> Iterator[list[str]]:
    """Record the statements that units of work execute during one test."""
    executed_statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        executed_statements.append(statement)

    engine = database._write_engine.sync_engine  # noqa: SLF001 no public accessor
    event.listen(engine, "before_cursor_execute", record)
    yield executed_statements
    event.remove(engine, "before_cursor_execute", record)


async def upsert(api: Api, *clients: Entry, on_error: str = "ALL_OR_NOTHING", mutation: str = UPSERT) -> dict[str, Any]:
    payload: dict[str, Any] = (await api.data(mutation, input={"clients": clients, "onError": on_error}))["clientBulkUpsert"]
    return payload


async def upsert_successfully(api: Api, *clients: Entry) -> list[tuple[str, str, str | None, int]]:
    """Upsert without errors, and return the action for each client."""
    payload = await upsert(api, *clients)
    assert payload["userErrors"] == []
    assert [each["userErrors"] for each in payload["results"]] == [[]] * len(clients)
    return [(each["action"], *(each["client"][name] for name in ("name", "number", "version"))) for each in payload["results"]]


def collect_errors(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Return code and path of each error, after checking that the errors of the entries are those of the payload."""
    errors = [error for each in payload["results"] for error in each["userErrors"]]
    assert errors == payload["userErrors"]
    assert all(error["message"].endswith(".") and len(error["message"]) > 10 for error in errors)
    return [(error["code"], ".".join(error["path"])) for error in errors]


def list_actions(payload: dict[str, Any]) -> list[str]:
    """Return the action of each entry, after checking that exactly the failed entries have no client."""
    assert [each["client"] is None for each in payload["results"]] == [
        each["action"] in {"REFUSED", "NOT_DONE"} for each in payload["results"]
    ]
    return [each["action"] for each in payload["results"]]


async def test_s37_new_clients_are_created_and_others_updated(api_for: Callable[..., Api], org: Tenant) -> None:
    """Entries match by number, or by name if neither side has a number. A second run changes nothing."""
    api = api_for(org)
    await org.add_client("Oude naam", "A-1", phone="+31 20 624 0000")
    await org.add_client("Café Zon")
    entries: list[Entry] = [
        {"name": "Nieuwe naam", "number": "a-1", "kvkNumber": "6875 0110"},
        {"name": "cafe  ZON", "notes": "Belt."},
        {"name": "Nieuw", "number": "N-1"},
        {"name": "Nieuw"},
    ]
    assert await upsert_successfully(api, *entries) == [
        ("UPDATED", "Nieuwe naam", "a-1", 2), ("UPDATED", "cafe  ZON", None, 2),
        ("CREATED", "Nieuw", "N-1", 1), ("CREATED", "Nieuw", None, 1),
    ]  # fmt: skip
    row = await org.owner.fetchrow("SELECT phone, kvk_number FROM relaties.client WHERE tenant_id = $1 AND number_key = 'a-1'", org.id)
    assert tuple(row or ()) == ("+31 20 624 0000", "68750110")
    before = await count_rows(org)
    assert await upsert_successfully(api, *entries) == [
        ("UNCHANGED", "Nieuwe naam", "a-1", 2), ("UNCHANGED", "cafe  ZON", None, 2),
        ("UNCHANGED", "Nieuw", "N-1", 1), ("UNCHANGED", "Nieuw", None, 1),
    ]  # fmt: skip
    assert await count_rows(org) == before
    assert before["client"] == 4


async def test_s39_equal_name_with_another_number_creates_another_client(api_for: Callable[..., Api], org: Tenant) -> None:
    """A missing number counts as another number, on either side."""
    await org.add_client("Jansen")
    await org.add_client("Pietersen", "7")
    actions_by_client = await upsert_successfully(api_for(org), {"name": "Jansen", "number": "1"}, {"name": "Pietersen"})
    assert actions_by_client == [("CREATED", "Jansen", "1", 1), ("CREATED", "Pietersen", None, 1)]
    assert (await count_rows(org))["client"] == 4


async def test_all_parts_are_saved(api_for: Callable[..., Api], org: Tenant) -> None:
    """New and existing clients get addresses, labels and financial settings. Omitted fields keep their value, and null clears them."""
    api, label = api_for(org), global_id("Label", await org.add_label("Vast"))
    await org.add_client("Oud", "1", email="oud@test.example", invoice_delivery="POST")
    address = {"type": "PRIMARY", "city": "Ede", "postalCode": "6711ab", "country": "NL"}
    parts: Entry = {
        "addresses": [address],
        "labelsAdd": [{"id": label}],
        "financial": {"defaultHourlyRate": "90", "iban": "NL91ABNA0417164300"},
    }
    payload = await upsert(api, {"name": "Oud", "number": "1", **parts}, {"name": "Nieuw", **parts}, mutation=WITH_ALL_PARTS)
    old, new = [each["client"] for each in payload["results"]]
    for client in (old, new):
        assert [(each["city"], each["postalCode"]) for each in client["addresses"]] == [("Ede", "6711 AB")]
        assert client["labels"] == [{"name": "Vast", "color": "#102030"}]
        assert (client["financial"]["defaultHourlyRate"], client["financial"]["iban"]) == ({"amount": "90.0000"}, "NL91ABNA0417164300")
    assert (old["email"], old["financial"]["invoiceDelivery"], old["version"], new["kind"]) == ("oud@test.example", "POST", 2, "COMPANY")
    cleared: Entry = {"email": None, "financial": {"iban": None}}
    (client,) = [
        each["client"] for each in (await upsert(api, {"name": "Oud", "number": "1", **cleared}, mutation=WITH_ALL_PARTS))["results"]
    ]
    assert client == {**old, "email": None, "financial": {**old["financial"], "iban": None}, "version": 3}


async def test_labels_and_addresses_that_the_entry_does_not_name_stay(api_for: Callable[..., Api], org: Tenant) -> None:
    """Nothing tells what the caller has read, so an entry cannot remove what others added. An address of the same type is replaced."""
    client = await org.add_client("Oud", "1")
    old, removed, added, absent = [
        global_id("Label", await org.add_label(name, *clients))
        for name, clients in (("Van een ander", [client]), ("Weg", [client]), ("Erbij", []), ("Nooit", []))
    ]
    address = {"tenant_id": org.id, "client_id": client, "country": "NL"}
    await insert_rows(org.owner, "client_address", [{**address, "type": kind, "city": "Oud"} for kind in ("PRIMARY", "DELIVERY")])
    entry: Entry = {
        "name": "Oud", "number": "1", "addresses": [{"type": "PRIMARY", "city": "Ede", "country": "NL"}],
        "labelsAdd": [{"id": added}, {"id": old}, {"new": {"name": "Nieuw"}}], "labelsRemove": [removed, absent],
    }  # fmt: skip
    (result,) = (await upsert(api_for(org), entry, mutation=WITH_ALL_PARTS))["results"]
    assert [label["name"] for label in result["client"]["labels"]] == ["Erbij", "Nieuw", "Van een ander"]
    assert {each["type"]: each["city"] for each in result["client"]["addresses"]} == {"PRIMARY": "Ede", "DELIVERY": "Oud"}
    again = {name: value for name, value in entry.items() if name != "labelsAdd"} | {"labelsAdd": [{"id": added}]}
    async with assert_unchanged(org.owner, org.id):
        assert list_actions(await upsert(api_for(org), again)) == ["UNCHANGED"]
        both: Entry = {"name": "Oud", "number": "1", "labelsAdd": [{"id": added}], "labelsRemove": [old, added]}
        assert collect_errors(await upsert(api_for(org), both)) == [("INVALID", "clients.0.labelsRemove.1")]
    new: Entry = {"name": "Vers", "labelsAdd": [{"id": added}], "labelsRemove": [old]}
    (result,) = (await upsert(api_for(org), new, mutation=WITH_ALL_PARTS))["results"]
    assert [label["name"] for label in result["client"]["labels"]] == ["Erbij"]


async def create_faulty_entries(org: Tenant) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Return valid entries around entries that are rejected for every reason, and the expected errors."""
    for name, number, more in (
        ("Een", "1", {}), ("Weg", "2", {"archived_at": ARCHIVED_AT}), ("Dubbel", None, {}), ("Dubbel", None, {}),
        ("Dicht", None, {"archived_at": ARCHIVED_AT}),
    ):  # fmt: skip
        await org.add_client(name, number, **more)
    entries: list[Entry] = [
        {"name": "Eerste"},
        {"name": "Anders", "number": "1", "kvkNumber": "1", "email": "x", "addresses": [{"type": "PRIMARY", "country": "XX"}]},
        {"name": "Weg", "number": "2", "email": "x"},
        {"name": "dubbel", "financial": {"vatRateId": global_id("VatRate", org.id)}},
        {"name": "Dicht"},
        {"name": "eerste", "kvkNumber": "1"},
        {"name": "", "number": "9"},
        {"name": "Ander", "number": "9"},
        {"name": "Een", "number": "1"},
        {"name": "Laatste", "number": "10"},
    ]
    return entries, [
        *(("INVALID", "clients.1.email"), ("INVALID", "clients.1.kvkNumber"), ("INVALID", "clients.1.addresses.0.country")),
        *(("ALREADY_ARCHIVED", "clients.2.number"), ("INVALID", "clients.2.email")),
        *(("AMBIGUOUS", "clients.3.name"), ("NOT_FOUND", "clients.3.financial.vatRateId"), ("ALREADY_ARCHIVED", "clients.4.name")),
        *(("DUPLICATE", "clients.5.name"), ("INVALID", "clients.5.kvkNumber"), ("INVALID", "clients.6.name")),
        *(("DUPLICATE", "clients.7.number"), ("DUPLICATE", "clients.8.number")),
    ]


async def test_one_rejected_entry_prevents_all_changes(api_for: Callable[..., Api], org: Tenant) -> None:
    entries, faults = await create_faulty_entries(org)
    before = await count_rows(org)
    payload = await upsert(api_for(org), *entries)
    assert collect_errors(payload) == faults
    assert list_actions(payload) == ["NOT_DONE", *["REFUSED"] * 8, "NOT_DONE"]
    assert await count_rows(org) == before
    assert await org.owner.fetchval("SELECT max(version) FROM relaties.client WHERE tenant_id = $1", org.id) == 1


async def test_rejected_entries_are_skipped_on_request(api_for: Callable[..., Api], org: Tenant) -> None:
    """The valid entries are saved, and only they are recorded in the audit log and the outbox."""
    entries, faults = await create_faulty_entries(org)
    before = await count_rows(org)
    payload = await upsert(api_for(org), *entries, on_error="SKIP_FAILED")
    assert collect_errors(payload) == faults
    assert list_actions(payload) == ["CREATED", *["REFUSED"] * 8, "CREATED"]
    after = await count_rows(org)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "client": 2, "audit_event": 2, "outbox_event": 2,
    }  # fmt: skip
    events = await org.owner.fetch("SELECT operation, changes->'name'->>1 AS name FROM relaties.audit_event WHERE tenant_id = $1", org.id)
    assert {tuple(row) for row in events} == {("clientBulkUpsert", "Eerste"), ("clientBulkUpsert", "Laatste")}


async def test_rejected_entries_do_not_affect_entries_before_or_after(api_for: Callable[..., Api], org: Tenant) -> None:
    """The savepoint of a rejected entry undoes only the changes of that entry."""
    for number in "123":
        await org.add_client("A", number)
    entries: list[Entry] = [{"name": "B", "number": number, "labelsAdd": [{"new": {"name": "Rood"}}]} for number in "123"]
    entries[2]["labelsAdd"] = []
    payload = await upsert(api_for(org), *entries, on_error="SKIP_FAILED")
    assert list_actions(payload) == ["UPDATED", "REFUSED", "UPDATED"]
    assert collect_errors(payload) == [("NAME_TAKEN", "clients.1.labelsAdd.0.new.name")]
    names = await org.owner.fetch("SELECT name, version FROM relaties.client WHERE tenant_id = $1 ORDER BY number", org.id)
    assert [tuple(row) for row in names] == [("B", 2), ("A", 1), ("B", 2)]


def position_in_input(path: list[str]) -> list[int]:
    """Return the path as numbers that sort in the order of the input: indexes of lists, and indexes of fields in their input types."""
    kind, position = input_type("clientBulkUpsert"), list[int]()
    for step in path:
        bare = get_nullable_type(kind)
        if isinstance(bare, GraphQLList):
            kind = bare.of_type
            position.append(int(step))
        else:
            assert isinstance(bare, GraphQLInputObjectType)
            kind = bare.fields[step].type
            position.append([*bare.fields].index(step))
    return position


@pytest.mark.parametrize("on_error", ["ALL_OR_NOTHING", "SKIP_FAILED"])
async def test_errors_are_in_the_order_of_the_input(api_for: Callable[..., Api], org: Tenant, on_error: str) -> None:
    """The order is that of the entries, of the fields in an entry, and of the entries of its list, whatever check finds an error."""
    unknown_label = {"id": global_id("Label", org.id)}
    rules: Entry = {
        "kvkNumber": "1", "email": "x", "financial": {"vatRateId": global_id("VatRate", org.id), "iban": "x", "bic": "x"},
        "labelsAdd": [unknown_label, {"new": {"name": "", "color": "x"}}, *[{"new": {"name": "Dubbel"}}] * 10, {"new": {"name": ""}}],
        "addresses": [{"type": "PRIMARY", "country": "XX"}, {"type": "PRIMARY", "postalCode": "1"}],
    }  # fmt: skip
    entries, faults = await create_faulty_entries(org)
    entries += [{"name": f"N{index}", **rules} for index in range(11)] + [{"name": "n0", **rules}]
    payload = await upsert(api_for(org), *entries, on_error=on_error)
    paths = [path.split(".") for _, path in collect_errors(payload)]
    assert len(paths) == len(faults) + 12 * 21 + 1
    assert paths == sorted(paths, key=position_in_input)


@pytest.mark.parametrize("on_error", ["ALL_OR_NOTHING", "SKIP_FAILED"])
async def test_repeated_request_with_key_gives_the_same_result(api_for: Callable[..., Api], org: Tenant, on_error: str) -> None:
    """The stored result includes the errors of each entry. The same key with other entries is rejected."""
    entries, _ = await create_faulty_entries(org)
    body = {"query": UPSERT, "variables": {"input": {"clients": entries, "onError": on_error}}}
    api = api_for(org)
    first = (await api.post(body, **{"idempotency-key": "one"})).json()
    before = await count_rows(org)
    assert (await api.post(body, **{"idempotency-key": "one"})).json() == first
    assert await count_rows(org) == before
    assert len(first["data"]["clientBulkUpsert"]["results"]) == 10
    body["variables"] = {"input": {"clients": entries[:1]}}
    (error,) = (await api.post(body, **{"idempotency-key": "one"})).json()["data"]["clientBulkUpsert"]["userErrors"]
    assert (error["code"], await count_rows(org)) == ("IDEMPOTENCY_KEY_REUSED", before)


async def test_accepts_1_to_100_entries(api_for: Callable[..., Api], org: Tenant) -> None:
    """An empty list fails in the domain. More than 100 entries fail before any value of the list is coerced."""
    payload = await upsert(api_for(org))
    assert (payload["results"], [(each["code"], each["path"]) for each in payload["userErrors"]]) == ([], [("INVALID", ["clients"])])
    body = await api_for(org).execute(UPSERT, input={"clients": [{"name": f"C{index}"} for index in range(101)]})
    assert [(error["message"][:32], error["extensions"]) for error in body["errors"]] == [
        ("`$input.clients` has 101 entries", {"code": "BAD_USER_INPUT", "path": ["input", "clients"]})
    ]
    assert (await count_rows(org))["client"] == 0


async def test_hundred_entries_are_matched_by_two_statements(api_for: Callable[..., Api], org: Tenant, write_statements: list[str]) -> None:
    """One statement matches all numbers and one all names. Unchanged entries write nothing."""
    api = api_for(org)
    entries: list[Entry] = [{"name": f"C{index}", **({"number": str(index)} if index % 2 else {})} for index in range(100)]
    assert {each[0] for each in await upsert_successfully(api, *entries)} == {"CREATED"}
    write_statements.clear()
    assert {each[0] for each in await upsert_successfully(api, *entries)} == {"UNCHANGED"}
    assert sum("FROM relaties.client " in each and "FOR UPDATE" in each for each in write_statements) == 2
    assert [each for each in write_statements if each.startswith(("INSERT", "UPDATE", "DELETE"))] == []


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_requires_permission_to_import(api_for: Callable[..., Api], org: Tenant, role: Role) -> None:
    before = await count_rows(org)
    body = await api_for(org, role).execute(UPSERT, input={"clients": [{"name": "A"}], "onError": "SKIP_FAILED"})
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"clientBulkUpsert": None}, ["FORBIDDEN"])
    assert await count_rows(org) == before


@pytest.mark.parametrize(
    ("rights", "entry"),
    [
        (["CLIENTS_READ", "CLIENTS_IMPORT"], {"name": "A"}),
        (["CLIENTS_READ", "CLIENTS_WRITE"], {"name": "A"}),
        (["CLIENTS_READ", "CLIENTS_WRITE", "CLIENTS_IMPORT"], {"name": "A", "financial": {"paymentTermDays": 14}}),
    ],
)
async def test_requires_permissions_for_all_parts(api_for: Callable[..., Api], org: Tenant, rights: list[str], entry: Entry) -> None:
    """The token needs permission to import and to write clients, and to write figures if an entry has any. Otherwise nothing is saved."""
    api, secret = api_for(org), new_secret()
    await add_token(org.owner, org.id, secret, role="OWNER", scope=rights)
    before = await count_rows(org)
    body = await replace(api, token=secret).execute(UPSERT, input={"clients": [{"name": "B"}, entry], "onError": "SKIP_FAILED"})
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"clientBulkUpsert": None}, ["FORBIDDEN"])
    assert await count_rows(org) == before


async def test_clients_of_another_organization_are_not_matched(api_for: Callable[..., Api], org: Tenant) -> None:
    other = await create_tenant(org.owner, "Other")
    await other.add_client("A", "1")
    await other.add_client("B")
    assert await upsert_successfully(api_for(org), {"name": "X", "number": "1"}, {"name": "B"}) == [
        ("CREATED", "X", "1", 1),
        ("CREATED", "B", None, 1),
    ]
    rows = await org.owner.fetch("SELECT name, version FROM relaties.client WHERE tenant_id = $1 ORDER BY name", other.id)
    assert [tuple(row) for row in rows] == [("A", 1), ("B", 1)]


async def test_concurrent_upserts_create_each_client_once(api_for: Callable[..., Api], org: Tenant) -> None:
    """Clients without a number have no unique constraint, so only the lock keeps them apart."""
    api = api_for(org)
    entries: list[Entry] = [{"name": "A"}, {"name": "B", "number": "1"}]
    payloads = await asyncio.gather(*(upsert(api, *entries) for _ in range(4)))
    assert sorted(list_actions(each) for each in payloads) == [["CREATED", "CREATED"], *[["UNCHANGED", "UNCHANGED"]] * 3]
    assert (await count_rows(org))["client"] == 2
