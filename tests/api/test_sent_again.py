"""Every mutation there is, sent a second time with the same key: by the directive, and by the request's header.

Made from the schema itself (`tests/inputs.py`), so that what is added later joins by itself.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from db.tables.keys import new_id
from server.documents.limits import exclusive_fields
from tests.ask import Api
from tests.ids import global_id
from tests.inputs import CORE, MUTATIONS, TRIES, Value, World, answer, document, input_type, leaves, longest, replaced, right, world
from tests.snapshots import differences, snapshot, unchanged


@pytest.fixture(scope="module")
async def mine(owner: asyncpg.Connection) -> World:
    """What no test here changes: it is only asked for what must be refused."""
    return await world(owner)


@pytest.fixture
async def fresh(owner: asyncpg.Connection) -> World:
    """One to be changed."""
    return await world(owner)


def other(name: str, given: dict[str, Value]) -> Value:
    """The same input but for one value, which is of the right type too."""
    for place in leaves(input_type(name), given, "Int", "String", "ID"):
        return replaced(given, place.path, {"Int": 2, "String": "Other", "ID": global_id("Client", new_id())}[place.of])
    raise AssertionError(f"{name} takes no number, text or id: say in tests/inputs.py what another input of it is.")


def _again(body: dict[str, Any], name: str) -> dict[str, Any]:
    """The same answer, but for a secret, which is shown once."""
    done = body["data"][name]
    return {"data": {name: done | {"secret": None} if "secret" in done else done}}


@pytest.mark.parametrize(("name", "turn"), TRIES)
@pytest.mark.parametrize("is_header", [True, False], ids=["header", "directive"])
async def test_a_request_that_comes_again_is_done_once(
    owner: asyncpg.Connection, as_: Callable[..., Api], fresh: World, name: str, turn: int, is_header: bool
) -> None:
    """The second time changes nothing and answers the same; other input under its key changes nothing and is refused."""
    given, api = right(fresh, name, turn), as_(fresh.tenant)
    query, headers = (document(name), {"idempotency-key": "k"}) if is_header else (document(name, '@idempotent(key: "k")'), {})

    async def asked(input: Value) -> dict[str, Any]:
        body: dict[str, Any] = (await api.post({"query": query, "variables": {"input": input}}, **headers)).json()
        return body

    before = await snapshot(owner, fresh.id)
    first = await asked(given)
    assert "errors" not in first, first
    refusals = first["data"][name]["userErrors"]
    assert refusals == [], f"The input of {name} that its types tell is refused: put what it needs besides into RIGHT of tests/inputs.py."
    trace = {"outbox_event", "idempotency_key", "deletion_record" if name == "clientDelete" else "audit_event"}
    assert {key[0] for key in differences(before, await snapshot(owner, fresh.id))} > trace
    async with unchanged(owner, fresh.id):
        assert await asked(given) == _again(first, name)
        reused = (await asked(other(name, given)))["data"][name]["userErrors"]
        assert [(each["code"], each["path"]) for each in reused] == [("IDEMPOTENCY_KEY_REUSED", [])]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_refusal_that_comes_again_is_the_same(owner: asyncpg.Connection, as_: Callable[..., Api], fresh: World, name: str) -> None:
    """It is kept too, with all that it says, and is all that is kept."""
    given = right(fresh, name)
    if not (places_ := leaves(input_type(name), given, "String", "ID")):
        raise AssertionError(f"{name} takes no text and no id: say in tests/inputs.py what it refuses.")
    wrong = "x" * (longest(places_[0]) + 1) if places_[0].of == "String" else global_id("Client", new_id())
    before = await snapshot(owner, fresh.id)
    ask = {"query": document(name, '@idempotent(key: "k")'), "variables": {"input": replaced(given, places_[0].path, wrong)}}
    first, second = [(await as_(fresh.tenant).post(ask)).json() for _ in range(2)]
    assert first == second
    assert first["data"][name]["userErrors"]
    assert [key[0] for key in differences(before, await snapshot(owner, fresh.id))] == ["idempotency_key"]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_header_is_for_one_mutation(owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str) -> None:
    """With two fields, also behind a fragment, which of them it is for cannot be told: neither is done. Of some there are no two."""
    asked = f"(input: $input) {answer(name)}"
    head = f"mutation ($input: {input_type(name)})"
    fragment = f"fragment F on Mutation {{ a: {name}{asked} b: {name}{asked} }}"
    async with unchanged(owner, mine.id):
        for query in (f"{head} {{ a: {name}{asked} b: {name}{asked} }}", f"{head} {{ ...F }} {fragment}"):
            sent = {"query": query, "variables": {"input": right(mine, name)}}
            body = (await as_(mine.tenant).post(sent, **{"idempotency-key": "k"})).json()
            found = body.get("data"), {error["extensions"]["code"] for error in body["errors"]}
            assert found == ((None, {"ONE_AT_A_TIME"}) if name in exclusive_fields(CORE) else ({"a": None, "b": None}, {"BAD_USER_INPUT"}))


async def test_a_key_may_be_a_variable_and_stand_anywhere_on_its_field(
    owner: asyncpg.Connection, as_: Callable[..., Api], fresh: World
) -> None:
    """A field that is written twice is one; the key counts wherever it stands, and the second request changes nothing."""
    head, field = "mutation ($key: String!, $input: LabelCreateInput!)", "labelCreate(input: $input)"
    query = f"{head} {{ {field} {{ userErrors {{ code }} }} {field} @idempotent(key: $key) {{ label {{ id }} }} }}"
    first = await as_(fresh.tenant).data(query, key="k", input={"name": "Once"})
    async with unchanged(owner, fresh.id):
        assert await as_(fresh.tenant).data(query, key="k", input={"name": "Once"}) == first
    assert first["labelCreate"]["label"]["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\tb", "\x7f"])
async def test_a_key_is_short_and_printable(owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, key: str) -> None:
    """Another is refused in words, and nothing is done."""
    async with unchanged(owner, mine.id):
        body = await as_(mine.tenant).data(
            document("labelCreate", f"@idempotent(key: {json.dumps(key)})"), input=right(mine, "labelCreate")
        )
    assert [each["code"] for each in body["labelCreate"]["userErrors"]] == ["INVALID"]


async def test_a_key_is_free_again_after_a_day(owner: asyncpg.Connection, as_: Callable[..., Api], fresh: World) -> None:
    """Not before; and with its next use those of the others that are as old are swept away."""
    api, query = as_(fresh.tenant), document("labelCreate", '@idempotent(key: "k")')
    for key in ("k", "other"):
        made = await api.data(query.replace('"k"', f'"{key}"'), input={"name": f"Made with {key}"})
        assert made["labelCreate"]["userErrors"] == []
    age = "UPDATE relaties.idempotency_key SET created_at = now() - $2::interval WHERE tenant_id = $1"
    for hours, wanted in ((23, ["IDEMPOTENCY_KEY_REUSED"]), (25, list[str]())):
        await owner.execute(age, fresh.id, timedelta(hours=hours))
        found = (await api.data(query, input={"name": "Another"}))["labelCreate"]["userErrors"]
        assert [each["code"] for each in found] == wanted
    assert [row["key"] for row in await owner.fetch("SELECT key FROM relaties.idempotency_key WHERE tenant_id = $1", fresh.id)] == ["k"]
