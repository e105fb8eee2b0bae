"""Many clients at once: matched as an import matches them, done whole or as far as they can be, and told one by one."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from db.engine.database import Database
from db.tables import Role
from domain.organization.tokens import new_secret
from tests.ask import Api
from tests.builders import Tenant, add_token, tenant
from tests.forms import SHOWN, kept
from tests.ids import global_id

ERRORS = "userErrors { __typename code path message }"
UPSERT = f"""mutation ($input: ClientBulkUpsertInput!) {{ clientBulkUpsert(input: $input) {{
  results {{ action client {{ id name number version }} {ERRORS} }} {ERRORS} }} }}"""
WHOLE = f"mutation ($input: ClientBulkUpsertInput!) {{ clientBulkUpsert(input: $input) {{ results {{ client {{ ...Shown }} }} }} }} {SHOWN}"
ARCHIVED = datetime(2026, 1, 1, tzinfo=UTC)
Entry = dict[str, Any]


@pytest.fixture
def said(database: Database) -> Iterator[list[str]]:
    """What units of work said during one test."""
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(statement)

    engine = database._write_engine.sync_engine  # noqa: SLF001 nobody else asks
    event.listen(engine, "before_cursor_execute", hear)
    yield heard
    event.remove(engine, "before_cursor_execute", hear)


async def upsert(api: Api, *clients: Entry, on_error: str = "ALL_OR_NOTHING", mutation: str = UPSERT) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(mutation, input={"clients": clients, "onError": on_error}))["clientBulkUpsert"]
    return found


async def done(api: Api, *clients: Entry) -> list[tuple[str, str, str | None, int]]:
    """What was done to which client, without a refusal."""
    found = await upsert(api, *clients)
    assert found["userErrors"] == []
    assert [each["userErrors"] for each in found["results"]] == [[]] * len(clients)
    return [(each["action"], *(each["client"][name] for name in ("name", "number", "version"))) for each in found["results"]]


def refusals(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Codes and places of the refusals of all, which are those of each, in words."""
    told = [error for each in found["results"] for error in each["userErrors"]]
    assert told == found["userErrors"]
    assert all(error["message"].endswith(".") and len(error["message"]) > 10 for error in told)
    return [(error["code"], ".".join(error["path"])) for error in told]


def actions(found: dict[str, Any]) -> list[str]:
    """Only what was done has a client."""
    assert [each["client"] is None for each in found["results"]] == [each["action"] in {"REFUSED", "NOT_DONE"} for each in found["results"]]
    return [each["action"] for each in found["results"]]


async def test_s37_new_ones_are_made_and_others_take_what_differs(as_: Callable[..., Api], org: Tenant) -> None:
    """By number whatever the name, by name where neither has a number; a second run changes nothing."""
    api = as_(org)
    await org.add_client("Oude naam", "A-1", phone="+31 20 624 0000")
    await org.add_client("Café Zon")
    entries: list[Entry] = [
        {"name": "Nieuwe naam", "number": "a-1", "kvkNumber": "6875 0110"},
        {"name": "cafe  ZON", "notes": "Belt."},
        {"name": "Nieuw", "number": "N-1"},
        {"name": "Nieuw"},
    ]
    assert await done(api, *entries) == [
        ("UPDATED", "Nieuwe naam", "a-1", 2), ("UPDATED", "cafe  ZON", None, 2),
        ("CREATED", "Nieuw", "N-1", 1), ("CREATED", "Nieuw", None, 1),
    ]  # fmt: skip
    stored = await org.owner.fetchrow("SELECT phone, kvk_number FROM relaties.client WHERE tenant_id = $1 AND number_key = 'a-1'", org.id)
    assert tuple(stored or ()) == ("+31 20 624 0000", "68750110")
    before = await kept(org)
    assert await done(api, *entries) == [
        ("UNCHANGED", "Nieuwe naam", "a-1", 2), ("UNCHANGED", "cafe  ZON", None, 2),
        ("UNCHANGED", "Nieuw", "N-1", 1), ("UNCHANGED", "Nieuw", None, 1),
    ]  # fmt: skip
    assert await kept(org) == before
    assert before["client"] == 4


async def test_s39_a_number_makes_it_another_client(as_: Callable[..., Api], org: Tenant) -> None:
    """Of the same name as one without, or the other way about."""
    await org.add_client("Jansen")
    await org.add_client("Pietersen", "7")
    found = await done(as_(org), {"name": "Jansen", "number": "1"}, {"name": "Pietersen"})
    assert found == [("CREATED", "Jansen", "1", 1), ("CREATED", "Pietersen", None, 1)]
    assert (await kept(org))["client"] == 4


async def test_all_parts_are_taken(as_: Callable[..., Api], org: Tenant) -> None:
    """Addresses, labels and financial settings, of new ones and of old ones; what is left out stays, and null clears."""
    api, label = as_(org), global_id("Label", await org.add_label("Vast"))
    await org.add_client("Oud", "1", email="oud@test.example", invoice_delivery="POST")
    address = {"type": "PRIMARY", "city": "Ede", "postalCode": "6711ab", "country": "NL"}
    parts: Entry = {
        "addresses": [address],
        "labels": [{"id": label}],
        "financial": {"defaultHourlyRate": "90", "iban": "NL91ABNA0417164300"},
    }
    found = await upsert(api, {"name": "Oud", "number": "1", **parts}, {"name": "Nieuw", **parts}, mutation=WHOLE)
    old, new = [each["client"] for each in found["results"]]
    for client in (old, new):
        assert [(each["city"], each["postalCode"]) for each in client["addresses"]] == [("Ede", "6711 AB")]
        assert client["labels"] == [{"name": "Vast", "color": "#102030"}]
        assert (client["financial"]["defaultHourlyRate"], client["financial"]["iban"]) == ({"amount": "90.0000"}, "NL91ABNA0417164300")
    assert (old["email"], old["financial"]["invoiceDelivery"], old["version"], new["kind"]) == ("oud@test.example", "POST", 2, "COMPANY")
    cleared: Entry = {"email": None, "addresses": [], "financial": {"iban": None}}
    (client,) = [each["client"] for each in (await upsert(api, {"name": "Oud", "number": "1", **cleared}, mutation=WHOLE))["results"]]
    assert client == {**old, "email": None, "addresses": [], "financial": {**old["financial"], "iban": None}, "version": 3}


async def faulty(org: Tenant) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Good ones between such as are refused for every reason; and why."""
    for name, number, more in (
        ("Een", "1", {}), ("Weg", "2", {"archived_at": ARCHIVED}), ("Dubbel", None, {}), ("Dubbel", None, {}),
        ("Dicht", None, {"archived_at": ARCHIVED}),
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


async def test_one_that_is_refused_keeps_all_from_being_done(as_: Callable[..., Api], org: Tenant) -> None:
    """Every fault of every one is told, and nothing is other than it was."""
    entries, faults = await faulty(org)
    before = await kept(org)
    found = await upsert(as_(org), *entries)
    assert refusals(found) == faults
    assert actions(found) == ["NOT_DONE", *["REFUSED"] * 8, "NOT_DONE"]
    assert await kept(org) == before
    assert await org.owner.fetchval("SELECT max(version) FROM relaties.client WHERE tenant_id = $1", org.id) == 1


async def test_those_that_are_refused_are_left_out_where_that_is_asked(as_: Callable[..., Api], org: Tenant) -> None:
    """The others are kept, with their trace and no other."""
    entries, faults = await faulty(org)
    before = await kept(org)
    found = await upsert(as_(org), *entries, on_error="SKIP_FAILED")
    assert refusals(found) == faults
    assert actions(found) == ["CREATED", *["REFUSED"] * 8, "CREATED"]
    after = await kept(org)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "client": 2, "audit_event": 2, "outbox_event": 2,
    }  # fmt: skip
    told = await org.owner.fetch("SELECT operation, changes->'name'->>1 AS name FROM relaties.audit_event WHERE tenant_id = $1", org.id)
    assert {tuple(row) for row in told} == {("clientBulkUpsert", "Eerste"), ("clientBulkUpsert", "Laatste")}


async def test_what_was_done_before_a_refusal_stays_done_and_what_comes_after_is_done(as_: Callable[..., Api], org: Tenant) -> None:
    """A step back touches neither, also where the same row was changed."""
    for number in "123":
        await org.add_client("A", number)
    entries: list[Entry] = [{"name": "B", "number": number, "labels": [{"new": {"name": "Rood"}}]} for number in "123"]
    entries[2]["labels"] = []
    found = await upsert(as_(org), *entries, on_error="SKIP_FAILED")
    assert actions(found) == ["UPDATED", "REFUSED", "UPDATED"]
    assert refusals(found) == [("NAME_TAKEN", "clients.1.labels.0.new.name")]
    names = await org.owner.fetch("SELECT name, version FROM relaties.client WHERE tenant_id = $1 ORDER BY number", org.id)
    assert [tuple(row) for row in names] == [("B", 2), ("A", 1), ("B", 2)]


@pytest.mark.parametrize("on_error", ["ALL_OR_NOTHING", "SKIP_FAILED"])
async def test_the_same_key_gives_the_same_outcome(as_: Callable[..., Api], org: Tenant, on_error: str) -> None:
    """Refusals of each too; nothing is done again."""
    entries, _ = await faulty(org)
    asked = {"query": UPSERT, "variables": {"input": {"clients": entries, "onError": on_error}}}
    api = as_(org)
    first = (await api.post(asked, **{"idempotency-key": "one"})).json()
    before = await kept(org)
    assert (await api.post(asked, **{"idempotency-key": "one"})).json() == first
    assert await kept(org) == before
    assert len(first["data"]["clientBulkUpsert"]["results"]) == 10
    asked["variables"] = {"input": {"clients": entries[:1]}}
    (error,) = (await api.post(asked, **{"idempotency-key": "one"})).json()["data"]["clientBulkUpsert"]["userErrors"]
    assert (error["code"], await kept(org)) == ("IDEMPOTENCY_KEY_REUSED", before)


async def test_there_are_1_to_100(as_: Callable[..., Api], org: Tenant) -> None:
    """None is refused by the rule, and more than a hundred before anything is coerced."""
    found = await upsert(as_(org))
    assert (found["results"], [(each["code"], each["path"]) for each in found["userErrors"]]) == ([], [("INVALID", ["clients"])])
    body = await as_(org).ask(UPSERT, input={"clients": [{"name": f"C{place}"} for place in range(101)]})
    assert [(error["message"][:32], error["extensions"]) for error in body["errors"]] == [
        ("`$input.clients` has 101 entries", {"code": "BAD_USER_INPUT"})
    ]
    assert (await kept(org))["client"] == 0


async def test_a_hundred_are_matched_by_two_statements(as_: Callable[..., Api], org: Tenant, said: list[str]) -> None:
    """One for all numbers, one for all names; those that are as they were cost no change."""
    api = as_(org)
    entries: list[Entry] = [{"name": f"C{place}", **({"number": str(place)} if place % 2 else {})} for place in range(100)]
    assert {each[0] for each in await done(api, *entries)} == {"CREATED"}
    said.clear()
    assert {each[0] for each in await done(api, *entries)} == {"UNCHANGED"}
    assert sum("FROM relaties.client " in each and "FOR UPDATE" in each for each in said) == 2
    assert [each for each in said if each.startswith(("INSERT", "UPDATE", "DELETE"))] == []


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_it_takes_the_right_to_import(as_: Callable[..., Api], org: Tenant, role: Role) -> None:
    """Without it nothing is done."""
    before = await kept(org)
    body = await as_(org, role).ask(UPSERT, input={"clients": [{"name": "A"}], "onError": "SKIP_FAILED"})
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"clientBulkUpsert": None}, ["FORBIDDEN"])
    assert await kept(org) == before


@pytest.mark.parametrize(
    ("rights", "entry"),
    [
        (["CLIENTS_READ", "CLIENTS_IMPORT"], {"name": "A"}),
        (["CLIENTS_READ", "CLIENTS_WRITE"], {"name": "A"}),
        (["CLIENTS_READ", "CLIENTS_WRITE", "CLIENTS_IMPORT"], {"name": "A", "financial": {"paymentTermDays": 14}}),
    ],
)
async def test_it_takes_every_right_that_its_parts_take(as_: Callable[..., Api], org: Tenant, rights: list[str], entry: Entry) -> None:
    """To import, to write clients, and to write figures where there are any: without one nothing is done, the good ones neither."""
    api, secret = as_(org), new_secret()
    await add_token(org.owner, org.id, secret, role="OWNER", scope=rights)
    before = await kept(org)
    body = await replace(api, token=secret).ask(UPSERT, input={"clients": [{"name": "B"}, entry], "onError": "SKIP_FAILED"})
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"clientBulkUpsert": None}, ["FORBIDDEN"])
    assert await kept(org) == before


async def test_nothing_of_another_organization_is_met(as_: Callable[..., Api], org: Tenant) -> None:
    """The same number and the same name are another client there."""
    other = await tenant(org.owner, "Other")
    await other.add_client("A", "1")
    await other.add_client("B")
    assert await done(as_(org), {"name": "X", "number": "1"}, {"name": "B"}) == [("CREATED", "X", "1", 1), ("CREATED", "B", None, 1)]
    rows = await org.owner.fetch("SELECT name, version FROM relaties.client WHERE tenant_id = $1 ORDER BY name", other.id)
    assert [tuple(row) for row in rows] == [("A", 1), ("B", 1)]


async def test_two_that_meet_make_each_client_once(as_: Callable[..., Api], org: Tenant) -> None:
    """Also those without a number, which nothing else keeps apart."""
    api = as_(org)
    entries: list[Entry] = [{"name": "A"}, {"name": "B", "number": "1"}]
    found = await asyncio.gather(*(upsert(api, *entries) for _ in range(4)))
    assert sorted(actions(each) for each in found) == [["CREATED", "CREATED"], *[["UNCHANGED", "UNCHANGED"]] * 3]
    assert (await kept(org))["client"] == 2
