"""Test pagination with random clients, orders and filters, in both directions, also while clients are added, renamed and deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from db.tables.keys import name_key, new_id
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant, create_tenant, insert_rows

PAGE_QUERY = """query (
  $order: ClientOrderInput, $filter: ClientFilterInput, $search: String, $first: Int, $after: String, $last: Int, $before: String
) {
  clients(orderBy: $order, filter: $filter, search: $search, first: $first, after: $after, last: $last, before: $before) {
    nodes { name } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
WORDS = st.sampled_from(["a", "A", "á", "b", "B b", "", "%", "_", "z", "\U0010fffe", "é"])
ORDERS = st.fixed_dictionaries(
    {"field": st.sampled_from(["NAME", "NUMBER", "CREATED_AT", "UPDATED_AT"]), "direction": st.sampled_from(["ASC", "DESC"])}
)
FILTERS = st.sampled_from([{}, {"status": "ACTIVE"}, {"status": "ARCHIVED"}, {"updatedSince": "2026-01-02T00:00:00Z"}])


@dataclass(frozen=True)
class ClientSeed:
    """Properties of a client to create. They often have equal names and moments and no number, so that sort keys are often equal."""

    word: str
    has_number: bool
    day: int
    is_archived: bool


SEEDS = st.lists(st.builds(ClientSeed, WORDS, st.booleans(), st.integers(0, 3), st.booleans()), max_size=12)


async def create_clients(owner: asyncpg.Connection, seeds: list[ClientSeed]) -> Tenant:
    """Create the clients, each with a name that ends in its index, so that all names differ."""
    org = await create_tenant(owner)
    rows = []
    for index, seed in enumerate(seeds):
        moment = CREATED_AT + timedelta(days=seed.day)
        number = f"{seed.word}{index}" if seed.has_number else None
        name = f"{seed.word} {index:02}"
        row = {"tenant_id": org.id, "id": new_id(), "name": name, "name_key": name_key(seed.word), "number": number}
        rest = {"number_key": number.casefold() if number else None, "kind": "COMPANY", "is_prospect": False, "version": 1}
        more = {"invoice_delivery": "EMAIL", "purchase_order_required": False, "created_at": moment, "updated_at": moment}
        rows.append({**row, **rest, **more, "archived_at": moment if seed.is_archived else None})
    await insert_rows(owner, "client", rows)
    org.clients.extend(UUID(str(row["id"])) for row in rows)
    return org


async def read_all_pages(api: Api, size: int, *, is_forward: bool, between: Callable[[list[str]], Any], **arguments: object) -> list[str]:
    """Return the names on all pages in one direction, and call `between` with them after each page but the last."""
    names: list[str] = []
    cursor = None
    while True:
        span = {"first": size, "after": cursor} if is_forward else {"last": size, "before": cursor}
        page = (await api.data(PAGE_QUERY, **arguments, **span))["clients"]
        page_names, info = [node["name"] for node in page["nodes"]], page["pageInfo"]
        assert len(page_names) <= size
        names = names + page_names if is_forward else page_names + names
        has_more = info["hasNextPage"] if is_forward else info["hasPreviousPage"]
        assert not has_more or len(page_names) == size
        if not has_more:
            return names
        cursor = info["endCursor"] if is_forward else info["startCursor"]
        await between(names)


async def do_nothing(_: list[str]) -> None:
    """Change nothing between two pages."""


@settings(max_examples=30)
@given(seeds=SEEDS, order=ORDERS, filter=FILTERS, size=st.integers(1, 5), search=st.none() | st.sampled_from(["a", "b", "%", "0"]))
async def test_forward_and_backward_pages_are_equal(
    owner: asyncpg.Connection,
    api_for: Callable[..., Api],
    seeds: list[ClientSeed],
    order: dict[str, str],
    filter: dict[str, str],
    size: int,
    search: str | None,
) -> None:
    """The pages list each client once, in the order of one large page. The opposite sort direction is the exact reverse."""
    api = api_for(await create_clients(owner, seeds))
    arguments = {"order": order, "filter": filter, "search": search}
    whole = (await api.data(PAGE_QUERY, **arguments, first=100))["clients"]
    names = [node["name"] for node in whole["nodes"]]
    assert len(set(names)) == len(names) == whole["totalCount"]
    assert await read_all_pages(api, size, is_forward=True, between=do_nothing, **arguments) == names
    assert await read_all_pages(api, size, is_forward=False, between=do_nothing, **arguments) == names
    opposite = {**arguments, "order": {**order, "direction": "DESC" if order["direction"] == "ASC" else "ASC"}}
    assert await read_all_pages(api, size, is_forward=True, between=do_nothing, **opposite) == names[::-1]


@settings(max_examples=30)
@given(seeds=SEEDS, order=ORDERS, size=st.integers(1, 3), is_forward=st.booleans(), data=st.data())
async def test_c7_concurrent_changes_neither_duplicate_nor_skip_clients(
    owner: asyncpg.Connection,
    api_for: Callable[..., Api],
    seeds: list[ClientSeed],
    order: dict[str, str],
    size: int,
    is_forward: bool,
    data: st.DataObject,
) -> None:
    """A client that exists throughout and keeps its position is listed once, and no unchanged name is listed twice."""
    org = await create_clients(owner, seeds)
    names = {key: f"{seed.word} {index:02}" for index, (key, seed) in enumerate(zip(org.clients, seeds, strict=True))}
    changed_names: set[str] = set()

    async def change_clients(_: list[str]) -> None:
        kind = data.draw(st.sampled_from(["make", "rename", "delete"]))
        if kind == "make":
            word = data.draw(WORDS)
            await org.add_client(f"new {new_id()}", None, name_key=name_key(word))
        elif names:
            key = data.draw(st.sampled_from(sorted(names, key=str)))
            changed_names.add(names[key])
            change = {
                "rename": "UPDATE relaties.client SET name_key = 'moved', updated_at = now() WHERE tenant_id = $1 AND id = $2",
                "delete": "DELETE FROM relaties.client WHERE tenant_id = $1 AND id = $2",
            }[kind]
            await owner.execute(change, org.id, key)

    all_names = await read_all_pages(api_for(org), size, is_forward=is_forward, between=change_clients, order=order)
    stable = [name for name in names.values() if name not in changed_names]
    assert [name for name in stable if all_names.count(name) != 1] == []
    assert [name for name in set(all_names) - changed_names if all_names.count(name) != 1] == []


async def test_cursor_of_another_order_or_an_altered_one_is_rejected(owner: asyncpg.Connection, api_for: Callable[..., Api]) -> None:
    api = api_for(await create_clients(owner, [ClientSeed("a", has_number=True, day=0, is_archived=False)] * 3))
    cursor = (await api.data(PAGE_QUERY, first=1))["clients"]["pageInfo"]["endCursor"]
    for order in ({"field": "NUMBER", "direction": "ASC"}, {"field": "NAME", "direction": "DESC"}):
        body = await api.execute(PAGE_QUERY, order=order, after=cursor)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
    body = await api.execute(PAGE_QUERY, after=("A" if cursor[0] != "A" else "B") + cursor[1:])
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
