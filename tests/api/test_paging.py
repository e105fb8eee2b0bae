"""Paging by chance: random clients, orders and filters, both ways, while others are made, renamed and deleted in front."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from db.tables.keys import name_key, new_id
from tests.ask import Api
from tests.builders import EARLY, Tenant, insert, tenant

ASK = """query (
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
class Seed:
    """A client to be: equal names, moments and missing numbers are many, so that ties are too."""

    word: str
    has_number: bool
    day: int
    is_archived: bool


SEEDS = st.lists(st.builds(Seed, WORDS, st.booleans(), st.integers(0, 3), st.booleans()), max_size=12)


async def planted(owner: asyncpg.Connection, seeds: list[Seed]) -> Tenant:
    """The clients, each with a name that ends in its place, so that every one is told apart."""
    made = await tenant(owner)
    rows = []
    for place, seed in enumerate(seeds):
        moment = EARLY + timedelta(days=seed.day)
        number = f"{seed.word}{place}" if seed.has_number else None
        name = f"{seed.word} {place:02}"
        row = {"tenant_id": made.id, "id": new_id(), "name": name, "name_key": name_key(seed.word), "number": number}
        rest = {"number_key": number.casefold() if number else None, "kind": "COMPANY", "is_prospect": False, "version": 1}
        more = {"invoice_delivery": "EMAIL", "purchase_order_required": False, "created_at": moment, "updated_at": moment}
        rows.append({**row, **rest, **more, "archived_at": moment if seed.is_archived else None})
    await insert(owner, "client", rows)
    made.clients.extend(UUID(str(row["id"])) for row in rows)
    return made


async def walked(api: Api, size: int, *, is_forward: bool, between: Callable[[list[str]], Any], **arguments: object) -> list[str]:
    """The names on all pages, one way through; `between` is called with them after each page."""
    names: list[str] = []
    place = None
    while True:
        span = {"first": size, "after": place} if is_forward else {"last": size, "before": place}
        page = (await api.data(ASK, **arguments, **span))["clients"]
        found, info = [node["name"] for node in page["nodes"]], page["pageInfo"]
        assert len(found) <= size
        names = names + found if is_forward else found + names
        has_more = info["hasNextPage"] if is_forward else info["hasPreviousPage"]
        assert not has_more or len(found) == size
        if not has_more:
            return names
        place = info["endCursor"] if is_forward else info["startCursor"]
        await between(names)


async def nothing(_: list[str]) -> None:
    """Nobody else is at work."""


@settings(max_examples=30)
@given(seeds=SEEDS, order=ORDERS, filter=FILTERS, size=st.integers(1, 5), search=st.none() | st.sampled_from(["a", "b", "%", "0"]))
async def test_both_ways_through_the_pages_give_the_same(
    owner: asyncpg.Connection,
    as_: Callable[..., Api],
    seeds: list[Seed],
    order: dict[str, str],
    filter: dict[str, str],
    size: int,
    search: str | None,
) -> None:
    """Each client once, as many as the total, in the order of one large page; the opposite direction is its exact reverse."""
    api = as_(await planted(owner, seeds))
    wanted = {"order": order, "filter": filter, "search": search}
    whole = (await api.data(ASK, **wanted, first=100))["clients"]
    names = [node["name"] for node in whole["nodes"]]
    assert len(set(names)) == len(names) == whole["totalCount"]
    assert await walked(api, size, is_forward=True, between=nothing, **wanted) == names
    assert await walked(api, size, is_forward=False, between=nothing, **wanted) == names
    opposite = {**wanted, "order": {**order, "direction": "DESC" if order["direction"] == "ASC" else "ASC"}}
    assert await walked(api, size, is_forward=True, between=nothing, **opposite) == names[::-1]


@settings(max_examples=30)
@given(seeds=SEEDS, order=ORDERS, size=st.integers(1, 3), is_forward=st.booleans(), data=st.data())
async def test_c7_what_others_do_meanwhile_neither_doubles_nor_skips(
    owner: asyncpg.Connection,
    as_: Callable[..., Api],
    seeds: list[Seed],
    order: dict[str, str],
    size: int,
    is_forward: bool,
    data: st.DataObject,
) -> None:
    """A client that is there from beginning to end and keeps its place is seen once; none is seen twice under one name."""
    made = await planted(owner, seeds)
    names = {key: f"{seed.word} {place:02}" for place, (key, seed) in enumerate(zip(made.clients, seeds, strict=True))}
    touched: set[str] = set()

    async def others(_: list[str]) -> None:
        kind = data.draw(st.sampled_from(["make", "rename", "delete"]))
        if kind == "make":
            word = data.draw(WORDS)
            await made.add_client(f"new {new_id()}", None, name_key=name_key(word))
        elif names:
            key = data.draw(st.sampled_from(sorted(names, key=str)))
            touched.add(names[key])
            change = {
                "rename": "UPDATE relaties.client SET name_key = 'moved', updated_at = now() WHERE tenant_id = $1 AND id = $2",
                "delete": "DELETE FROM relaties.client WHERE tenant_id = $1 AND id = $2",
            }[kind]
            await owner.execute(change, made.id, key)

    seen = await walked(as_(made), size, is_forward=is_forward, between=others, order=order)
    stable = [name for name in names.values() if name not in touched]
    assert [name for name in stable if seen.count(name) != 1] == []
    assert [name for name in set(seen) - touched if seen.count(name) != 1] == []


async def test_a_cursor_of_another_order_is_refused(owner: asyncpg.Connection, as_: Callable[..., Api]) -> None:
    """And one that was edited; with the code of bad input."""
    api = as_(await planted(owner, [Seed("a", has_number=True, day=0, is_archived=False)] * 3))
    cursor = (await api.data(ASK, first=1))["clients"]["pageInfo"]["endCursor"]
    for order in ({"field": "NUMBER", "direction": "ASC"}, {"field": "NAME", "direction": "DESC"}):
        body = await api.ask(ASK, order=order, after=cursor)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
    body = await api.ask(ASK, after=("A" if cursor[0] != "A" else "B") + cursor[1:])
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
