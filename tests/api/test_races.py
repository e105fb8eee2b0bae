"""Test fifty concurrent requests, against an archiving and against each other, under the default limits."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.races import Payload, outcome_code, run_mutation
from tests.support.registrations import DAY, HOUR, LUNCH, TRIP

AT_ONCE = 50
CREATE, UPDATE, STATUS, DELETE = "registrationCreate", "registrationUpdate", "registrationStatusUpdate", "registrationDelete"
OK, NOT_FOUND, ALREADY_ARCHIVED, VERSION_CONFLICT = "DONE", "NOT_FOUND", "ALREADY_ARCHIVED", "VERSION_CONFLICT"
Arguments = dict[str, Any]


@dataclass(frozen=True)
class RaceScene:
    """Client that is about to be archived, one of its projects, another client, and a label."""

    org: Tenant
    client: UUID
    project: UUID
    other: UUID
    label: UUID

    async def rows(self) -> list[tuple[object, ...]]:
        """Return the registrations of the client and their labels, as stored."""
        own = "SELECT t.xmin::text, t::text FROM relaties.{} t WHERE tenant_id = $1 AND client_id = $2 ORDER BY t::text"
        tables = ("registration", "registration_label")
        return [tuple(row) for table in tables for row in await self.org.owner.fetch(own.format(table), self.org.id, self.client)]

    async def moments(self) -> list[datetime]:
        """Return when the registrations of the client last changed, and when each change was recorded."""
        sql = """SELECT updated_at FROM relaties.registration WHERE tenant_id = $1 AND client_id = $2 UNION ALL
            SELECT at FROM relaties.audit_event WHERE tenant_id = $1 AND client_id = $2 AND object_type LIKE 'Registration%'"""
        return [row[0] for row in await self.org.owner.fetch(sql, self.org.id, self.client)]


async def create_scene(org: Tenant) -> RaceScene:
    client, other = await org.add_client("Werk"), await org.add_client("Ander")
    return RaceScene(org, client, await org.add_project(client), other, await org.add_label(f"Label {len(org.labels)}"))


@dataclass(frozen=True)
class RacingWrite:
    """One of the fifty writes: its row, unless it creates one, and by how much it changes the client's number of registrations."""

    mutation: str
    arguments: Arguments
    row: UUID | None = None
    more: int = 0


def creation_arguments(scene: RaceScene) -> list[RacingWrite]:
    """Return twenty creations, of all kinds of work, on the client and on its project, some of them back-dated."""
    targets: list[Arguments] = [{"clientId": global_id("Client", scene.client)}, {"projectId": global_id("Project", scene.project)}]
    days = [DAY, DAY, "2001-01-01"]
    return [
        RacingWrite(CREATE, {"registeredOn": days[number % 3], "work": (HOUR, LUNCH, TRIP)[number // 3 % 3], **targets[number % 2]}, more=1)
        for number in range(20)
    ]


def move_arguments(scene: RaceScene, row: UUID, index: int) -> RacingWrite:
    """Return a move from the other client to the client or to its project."""
    target = {"clientId": global_id("Client", scene.client)} if index % 2 else {"projectId": global_id("Project", scene.project)}
    return RacingWrite(UPDATE, {**registration_argument(row), **target}, row, 1)


def change_arguments(scene: RaceScene, row: UUID, index: int) -> RacingWrite:
    """Return one of five kinds of changes of a registration of the client, by index."""
    label_fields = {"labelIds": [global_id("Label", scene.label)]}
    return [
        RacingWrite(UPDATE, {**registration_argument(row), "note": f"Note {index}"}, row),
        RacingWrite(UPDATE, {**registration_argument(row), "clientId": global_id("Client", scene.other)}, row, -1),
        RacingWrite(STATUS, {**registration_argument(row), "status": "PENDING"}, row),
        RacingWrite(UPDATE, {**registration_argument(row), **label_fields}, row),
        RacingWrite(DELETE, registration_argument(row), row, -1),
    ][index % 5]


def registration_argument(row: UUID) -> Arguments:
    return {"id": global_id("Registration", row), "expectedVersion": 1}


async def choose_fifty_writes(scene: RaceScene, chance: random.Random) -> list[RacingWrite]:
    """Return twenty creations and thirty writes of existing rows, in random order.

    Six rows of the client and one of the other client have two writes, which conflict.
    """
    here = [await scene.org.add_registration(scene.client, scene.project if index % 2 else None) for index in range(18)]
    there = [await scene.org.add_registration(scene.other) for _ in range(5)]
    rows = [*here, *here[:6]]
    moves = [move_arguments(scene, row, index) for index, row in enumerate([*there, there[0]])]
    writes = [*creation_arguments(scene), *(change_arguments(scene, row, index) for index, row in enumerate(rows)), *moves]
    assert len(writes) == AT_ONCE
    chance.shuffle(writes)
    return writes


def check_outcomes(outcomes: list[tuple[RacingWrite, str]]) -> None:
    """Check that each write succeeded, or failed because of the archiving or of an earlier write of the same row."""
    successful = [write for write, outcome in outcomes if write.row and outcome == OK]
    first = {write.row: write for write in successful}
    assert len(first) == len(successful)
    for write, outcome in outcomes:
        if outcome not in {OK, ALREADY_ARCHIVED}:
            before = first.get(write.row)
            assert before
            assert outcome == (NOT_FOUND if before.mutation == DELETE else VERSION_CONFLICT)


async def test_fifty_writes_include_every_kind(org: Tenant) -> None:
    writes = await choose_fifty_writes(await create_scene(org), random.Random(0))  # noqa: S311 no secret
    assert {write.mutation for write in writes} == {CREATE, UPDATE, STATUS, DELETE}
    assert {write.more for write in writes} == {-1, 0, 1}


@pytest.mark.parametrize("runs", [2, pytest.param(20, marks=pytest.mark.proof)])
async def test_s46_no_write_succeeds_after_a_concurrent_archiving(
    default_limits_api: Callable[[Tenant], Api], org: Tenant, owner: asyncpg.Connection, runs: int
) -> None:
    """Each write succeeds before the archiving or is rejected after it. The registrations stay as they were when it committed."""
    api, outcome_codes = default_limits_api(org), set[str]()
    for seed in range(runs):
        chance, scene = random.Random(seed), await create_scene(org)  # noqa: S311 no secret
        writes = await choose_fifty_writes(scene, chance)
        before = await count_rows(scene)

        async def archive(scene: RaceScene = scene) -> tuple[Payload, list[tuple[object, ...]]]:
            return await run_mutation(api, "clientArchive", id=global_id("Client", scene.client), expectedVersion=1), await scene.rows()

        tries: list[Any] = [run_mutation(api, write.mutation, **write.arguments) for write in writes]
        position = chance.randrange(5, AT_ONCE - 5)
        payloads = await asyncio.gather(*tries[:position], archive(), *tries[position:])
        archived, as_it_was = payloads.pop(position)
        assert outcome_code(archived) == OK
        outcomes = [(write, outcome_code(payload)) for write, payload in zip(writes, payloads, strict=True)]
        check_outcomes(outcomes)
        assert await scene.rows() == as_it_was
        after = await count_rows(scene)
        assert after == before + sum(write.more for write, outcome in outcomes if outcome == OK)
        archived_at = await owner.fetchval("SELECT archived_at FROM relaties.client WHERE id = $1", scene.client)
        assert max(await scene.moments()) <= archived_at
        outcome_codes |= {outcome for _, outcome in outcomes}
    assert {OK, ALREADY_ARCHIVED} <= outcome_codes <= {OK, ALREADY_ARCHIVED, VERSION_CONFLICT, NOT_FOUND}


async def count_rows(scene: RaceScene) -> int:
    sql = "SELECT count(*) FROM relaties.registration WHERE tenant_id = $1 AND client_id = $2"
    count: int = await scene.org.owner.fetchval(sql, scene.org.id, scene.client)
    return count


async def test_one_of_fifty_changes_of_one_registration_succeeds(default_limits_api: Callable[[Tenant], Api], org: Tenant) -> None:
    """The others get the new version, and only the successful note is stored."""
    api, row = default_limits_api(org), await org.add_registration(await org.add_client("Werk"))
    payloads = await asyncio.gather(
        *(run_mutation(api, UPDATE, **registration_argument(row), note=f"Note {number}") for number in range(AT_ONCE))
    )
    outcomes = [outcome_code(payload) for payload in payloads]
    assert sorted(outcomes) == [OK] + [VERSION_CONFLICT] * (AT_ONCE - 1)
    assert {tuple(error["path"]) for payload in payloads for error in payload["userErrors"]} == {("expectedVersion",)}
    stored_row = await org.owner.fetchrow("SELECT note, version FROM relaties.registration WHERE id = $1", row)
    assert tuple(stored_row or ()) == (f"Note {outcomes.index(OK)}", 2)
