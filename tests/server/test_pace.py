"""What holds up the whole worker is done in turn, with rests between: others come in between, and nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from domain.core.scope import ALL_PERMISSIONS, Actor
from server.admission.cpu_share import PAUSE_FACTOR, CpuShare
from server.app import Dispatcher, build_app
from server.errors import HttpError
from server.http.endpoint import GraphQLEndpoint
from server.settings import ConcurrencyLimits, Settings
from tests.ask import MUCH, SECRETS, Api, connected, connected_to
from tests.builders import Tenant
from tests.virtual_time import run, spend
from tests.waiting import until

WORK_S = 0.125
SLOW_S, WAIT_S = 0.75, 2.0  # three times as long as the one is more than the other


def actor(tenant: UUID) -> Actor:
    return Actor(tenant, ALL_PERMISSIONS, token_id=uuid4())


async def worked(pace: CpuShare, who: Actor, seconds: float = WORK_S) -> tuple[float, float]:
    """From when to when, by the clock of the test's own loop."""
    loop = asyncio.get_running_loop()
    async with pace.exclusive(who):
        began = loop.time()
        spend(seconds)
        return began, loop.time()


def test_an_organization_rests_three_times_as_long_as_it_worked() -> None:
    """However much of it waits."""

    async def main() -> None:
        mine, pace = actor(uuid4()), CpuShare(ConcurrencyLimits())
        spans = await asyncio.gather(*(worked(pace, mine) for _ in range(4)))
        for (began, ended), (then, _) in pairwise(spans):
            assert (ended - began, then - ended) == (WORK_S, PAUSE_FACTOR * WORK_S)

    run(main())


def test_another_organization_comes_in_between() -> None:
    """It waits for no rest but its own."""

    async def main() -> None:
        pace, order = CpuShare(ConcurrencyLimits()), list[str]()

        async def noted(name: str, who: Actor) -> None:
            await worked(pace, who)
            order.append(name)

        mine = actor(uuid4())
        await asyncio.gather(*(noted("mine", mine) for _ in range(3)), noted("theirs", actor(uuid4())))
        assert order == ["mine", "theirs", "mine", "mine"]

    run(main())


def test_a_rest_refuses_nobody() -> None:
    """Whose piece took most of what the next may wait, the machine being slow, can still ask the next."""

    async def main() -> None:
        mine, pace = actor(uuid4()), CpuShare(ConcurrencyLimits(queue_timeout=WAIT_S))
        assert await worked(pace, mine, SLOW_S) == (0, SLOW_S)
        assert await worked(pace, mine, SLOW_S) == (SLOW_S + WAIT_S / 2, 2 * SLOW_S + WAIT_S / 2)

    run(main())


def test_who_waits_with_too_many_or_for_too_long_is_told_to_come_back() -> None:
    """One with too many at once, two after the time that one may wait; none of them is counted any more."""

    async def main() -> None:
        mine, pace = actor(uuid4()), CpuShare(ConcurrencyLimits(queue_size_per_organization=3, queue_timeout=WAIT_S))
        said = await asyncio.gather(*(worked(pace, mine, SLOW_S) for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in said] == [tuple, tuple, HttpError, HttpError, HttpError]
        assert {each.headers["retry-after"] for each in said if isinstance(each, HttpError)} == {"1"}
        assert pace.waiting_count == 0

    run(main())


@pytest.fixture
async def api(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    """A server where few documents of an organization may wait to be read."""
    async with connected(schema, database, Settings(queue_size_per_organization=4)) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])


async def test_a_known_document_waits_for_none_that_is_new(api: Callable[[Tenant], Api], org: Tenant, crowded: Tenant) -> None:
    """Of many new ones some are answered and some have to come back; known ones and other organizations' are answered throughout."""
    known = "{ viewer { permissions } }"
    assert (await api(org).post({"query": known})).status_code == 200
    new = asyncio.gather(*(api(org).post({"query": f"query New{place} {known}"}) for place in range(20)))
    assert (await api(org).post({"query": known})).status_code == 200
    assert (await api(crowded).post({"query": "query Theirs { viewer { permissions } }"})).status_code == 200
    assert {answer.status_code for answer in await new} == {200, 503}


async def test_the_schema_is_shown_to_an_organization_in_turn(api: Callable[[Tenant], Api], org: Tenant, crowded: Tenant) -> None:
    """Though its document is known: showing it keeps everybody waiting. Another organization has its own turn."""
    schema = "{ __schema { queryType { name } } }"
    assert (await api(crowded).post({"query": schema})).status_code == 200
    many = asyncio.gather(*(api(org).post({"query": schema}) for _ in range(12)))
    assert (await api(crowded).post({"query": "{ viewer { permissions } }"})).status_code == 200
    assert {answer.status_code for answer in await many} == {200, 503}


async def test_a_large_body_is_read_in_turn(api: Callable[[Tenant], Api], org: Tenant) -> None:
    """However little its document is, and known."""
    known = "{ viewer { permissions } }"
    assert (await api(org).post({"query": known})).status_code == 200
    many = asyncio.gather(*(api(org).post({"query": known, "variables": {"x": "x" * 30_000}}) for _ in range(12)))
    assert (await api(org).post({"query": known})).status_code == 200
    assert {answer.status_code for answer in await many} == {200, 503}


def endpoint_of(schema: strawberry.Schema, database: Database) -> tuple[GraphQLEndpoint, Callable[[str], Api]]:
    """The endpoint of a server, and a way to ask it as a token. A busy machine makes nobody wait too long."""
    served = build_app(schema, database, Settings(queue_timeout=600, operation_timeout=600, rate_limit_burst=MUCH), SECRETS)
    assert isinstance(served.asgi_app, Dispatcher)
    http = connected_to(served)
    return served.asgi_app.endpoint, lambda token: Api(http, token)


KNOWN = "{ viewer { member { role } } }"


def answered(role: Role) -> dict[str, object]:
    return {"viewer": {"member": {"role": role}}}


async def test_an_owner_is_served_beside_fifty_new_documents_of_a_viewer(
    schema: strawberry.Schema, database: Database, org: Tenant
) -> None:
    """A known document waits for none of them, and a new one for one of them. All are answered but the one too many."""
    endpoint, asking = endpoint_of(schema, database)
    pace, kept = endpoint.cpu_share, endpoint.persisted_documents.cache._new_documents  # noqa: SLF001
    owner, viewer = asking(org.tokens[Role.OWNER]), asking(org.tokens[Role.VIEWER])
    assert [await each.data(KNOWN) for each in (owner, viewer)] == [answered(Role.OWNER), answered(Role.VIEWER)]

    async def waiting(count: int) -> bool:
        await asyncio.sleep(0)
        return pace.waiting_count == count

    async with asyncio.TaskGroup() as group, pace.exclusive(actor(org.id)):
        flood = [group.create_task(viewer.data(f"query Viewer{number} {KNOWN}")) for number in range(50)]
        await until(lambda: waiting(50))
        refused = await viewer.post({"query": f"query Viewer50 {KNOWN}"})
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
        assert await owner.data(KNOWN) == answered(Role.OWNER)
        assert pace.waiting_count == 50
        new = group.create_task(owner.data(f"query Owner {KNOWN}"))
        await until(lambda: waiting(51))
        before = len(kept)
    assert new.result() == answered(Role.OWNER)
    assert [each.result() for each in flood] == [answered(Role.VIEWER)] * 50
    read = [each.operations[0].name for each in kept.values()][before:]
    assert read == ["Viewer0", "Owner", *(f"Viewer{number}" for number in range(1, 50))]


async def test_an_owner_is_served_beside_fifty_operations_of_a_viewer(schema: strawberry.Schema, database: Database, org: Tenant) -> None:
    """Where all of the organization's places are taken, its tokens have the next free one in turn."""
    endpoint, asking = endpoint_of(schema, database)
    owner, viewer, turns = asking(org.tokens[Role.OWNER]), asking(org.tokens[Role.VIEWER]), endpoint.concurrency
    assert [await each.data(KNOWN) for each in (owner, viewer)] == [answered(Role.OWNER), answered(Role.VIEWER)]
    order = list[str]()

    async def ask(name: str, api: Api) -> None:
        await api.data(KNOWN)
        order.append(name)

    async def waiting(count: int) -> bool:
        await asyncio.sleep(0)
        return turns.waiting_count == count

    async with asyncio.TaskGroup() as group, turns.slot(actor(org.id)), turns.slot(actor(org.id)), turns.slot(actor(org.id)):
        async with turns.slot(actor(org.id)):
            asked = [group.create_task(ask(f"viewer {number}", viewer)) for number in range(50)]
            await until(lambda: waiting(50))
            asked.append(group.create_task(ask("owner", owner)))
            await until(lambda: waiting(51))
        await asyncio.gather(*asked)  # one at a time, in the one place that is free
    assert order == ["viewer 0", "owner", *(f"viewer {number}" for number in range(1, 50))]
