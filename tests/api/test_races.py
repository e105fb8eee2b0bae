"""Fifty at once, against an archiving and against each other, on the server's own limits: done before, or refused for what there is."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.ask import Api
from tests.builders import Tenant
from tests.ids import global_id
from tests.racing import Payload, asked, code
from tests.registering import DAY, HOUR, LUNCH, TRIP

AT_ONCE = 50
CREATE, UPDATE, STATUS, DELETE = "registrationCreate", "registrationUpdate", "registrationStatusUpdate", "registrationDelete"
DONE, GONE, FROZEN, OUTDATED = "DONE", "NOT_FOUND", "ALREADY_ARCHIVED", "VERSION_CONFLICT"
Given = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A client that is about to be archived, one of its projects, another client, and a label."""

    org: Tenant
    client: UUID
    project: UUID
    other: UUID
    label: UUID

    async def rows(self) -> list[tuple[object, ...]]:
        """What is registered on the client and what it wears, as it lies there."""
        own = "SELECT t.xmin::text, t::text FROM relaties.{} t WHERE tenant_id = $1 AND client_id = $2 ORDER BY t::text"
        tables = ("registration", "registration_label")
        return [tuple(row) for table in tables for row in await self.org.owner.fetch(own.format(table), self.org.id, self.client)]

    async def moments(self) -> list[datetime]:
        """When what is registered on the client was last changed, and when each change of it was told."""
        sql = """SELECT updated_at FROM relaties.registration WHERE tenant_id = $1 AND client_id = $2 UNION ALL
            SELECT at FROM relaties.audit_event WHERE tenant_id = $1 AND client_id = $2 AND object_type LIKE 'Registration%'"""
        return [row[0] for row in await self.org.owner.fetch(sql, self.org.id, self.client)]


async def placed(org: Tenant) -> Place:
    client, other = await org.add_client("Werk"), await org.add_client("Ander")
    return Place(org, client, await org.add_project(client), other, await org.add_label(f"Label {len(org.labels)}"))


@dataclass(frozen=True)
class Write:
    """One of the fifty: of which row, unless it makes one; how many more there are on the client when it is done."""

    mutation: str
    given: Given
    row: UUID | None = None
    more: int = 0


def creates(place: Place) -> list[Write]:
    """On the client, on its project, and on days long gone, of each kind."""
    spots: list[Given] = [{"clientId": global_id("Client", place.client)}, {"projectId": global_id("Project", place.project)}]
    days = [DAY, DAY, "2001-01-01"]
    return [
        Write(CREATE, {"registeredOn": days[turn % 3], "work": (HOUR, LUNCH, TRIP)[turn // 3 % 3], **spots[turn % 2]}, more=1)
        for turn in range(20)
    ]


def into(place: Place, row: UUID, turn: int) -> Write:
    """From the other client to the client, or to its project."""
    spot = {"clientId": global_id("Client", place.client)} if turn % 2 else {"projectId": global_id("Project", place.project)}
    return Write(UPDATE, {**of(row), **spot}, row, 1)


def change(place: Place, row: UUID, turn: int) -> Write:
    """Of what is there already: each in turn."""
    worn = {"labelIds": [global_id("Label", place.label)]}
    return [
        Write(UPDATE, {**of(row), "note": f"Note {turn}"}, row),
        Write(UPDATE, {**of(row), "clientId": global_id("Client", place.other)}, row, -1),
        Write(STATUS, {**of(row), "status": "PENDING"}, row),
        Write(UPDATE, {**of(row), **worn}, row),
        Write(DELETE, of(row), row, -1),
    ][turn % 5]


def of(row: UUID) -> Given:
    return {"id": global_id("Registration", row), "expectedVersion": 1}


async def fifty(place: Place, chance: random.Random) -> list[Write]:
    """Twenty that make one; of the thirty others twelve meet another one of the same row, two meet on their way in."""
    here = [await place.org.add_registration(place.client, place.project if turn % 2 else None) for turn in range(18)]
    there = [await place.org.add_registration(place.other) for _ in range(5)]
    rows = [*here, *here[:6]]
    moves = [into(place, row, turn) for turn, row in enumerate([*there, there[0]])]
    writes = [*creates(place), *(change(place, row, turn) for turn, row in enumerate(rows)), *moves]
    assert len(writes) == AT_ONCE
    chance.shuffle(writes)
    return writes


def must_be_right(found: list[tuple[Write, str]]) -> None:
    """Each is done, or comes after the archiving; or another one of the same row was done first."""
    done = [write for write, outcome in found if write.row and outcome == DONE]
    first = {write.row: write for write in done}
    assert len(first) == len(done)
    for write, outcome in found:
        if outcome not in {DONE, FROZEN}:
            before = first.get(write.row)
            assert before
            assert outcome == (GONE if before.mutation == DELETE else OUTDATED)


async def test_the_fifty_are_of_every_kind(org: Tenant) -> None:
    """Of all that can be done with a registration, there is something."""
    writes = await fifty(await placed(org), random.Random(0))  # noqa: S311 no secret
    assert {write.mutation for write in writes} == {CREATE, UPDATE, STATUS, DELETE}
    assert {write.more for write in writes} == {-1, 0, 1}


@pytest.mark.parametrize("runs", [2, pytest.param(20, marks=pytest.mark.proof)])
async def test_s46_of_fifty_writes_against_an_archiving_none_comes_after_it(
    usual: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection, runs: int
) -> None:
    """Each is done before it, or refused for it; as the registrations are when it is done, so they stay."""
    api, seen = usual(org), set[str]()
    for seed in range(runs):
        chance, place = random.Random(seed), await placed(org)  # noqa: S311 no secret
        writes = await fifty(place, chance)
        before = await counted(place)

        async def archive(place: Place = place) -> tuple[Payload, list[tuple[object, ...]]]:
            return await asked(api, "clientArchive", id=global_id("Client", place.client)), await place.rows()

        tries: list[Any] = [asked(api, write.mutation, **write.given) for write in writes]
        turn = chance.randrange(5, AT_ONCE - 5)
        payloads = await asyncio.gather(*tries[:turn], archive(), *tries[turn:])
        archived, as_it_was = payloads.pop(turn)
        assert code(archived) == DONE
        found = [(write, code(payload)) for write, payload in zip(writes, payloads, strict=True)]
        must_be_right(found)
        assert await place.rows() == as_it_was
        after = await counted(place)
        assert after == before + sum(write.more for write, outcome in found if outcome == DONE)
        archived_at = await owner.fetchval("SELECT archived_at FROM relaties.client WHERE id = $1", place.client)
        assert max(await place.moments()) <= archived_at
        seen |= {outcome for _, outcome in found}
    assert {DONE, FROZEN} <= seen <= {DONE, FROZEN, OUTDATED, GONE}


async def counted(place: Place) -> int:
    sql = "SELECT count(*) FROM relaties.registration WHERE tenant_id = $1 AND client_id = $2"
    found: int = await place.org.owner.fetchval(sql, place.org.id, place.client)
    return found


async def test_of_fifty_changes_of_one_registration_one_is_made(usual: Callable[[Tenant], Api], org: Tenant) -> None:
    """The others see the version that it has now, and none of them changed it."""
    api, row = usual(org), await org.add_registration(await org.add_client("Werk"))
    payloads = await asyncio.gather(*(asked(api, UPDATE, **of(row), note=f"Note {turn}") for turn in range(AT_ONCE)))
    outcomes = [code(payload) for payload in payloads]
    assert sorted(outcomes) == [DONE] + [OUTDATED] * (AT_ONCE - 1)
    assert {tuple(error["path"]) for payload in payloads for error in payload["userErrors"]} == {("expectedVersion",)}
    found = await org.owner.fetchrow("SELECT note, version FROM relaties.registration WHERE id = $1", row)
    assert tuple(found or ()) == (f"Note {outcomes.index(DONE)}", 2)
