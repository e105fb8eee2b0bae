"""What holds up the whole worker is done in turn, with rests between: others come in between, and nobody waits for ever."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
import strawberry

from db.engine import Database
from db.tables import Role
from server.limits import TurnLimits
from server.pace import REST, Pace
from server.refusals import Unanswerable
from server.settings import Settings
from tests.ask import Api, connected
from tests.builders import Tenant

WORK_S = 0.02
SLOW_S, WAIT_S = 0.8, 2.0  # three times as long as the one is more than the other


def busy_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def worked(pace: Pace, tenant: UUID, seconds: float = WORK_S) -> tuple[float, float]:
    """From when to when."""
    async with pace.kept(tenant):
        began = time.monotonic()
        busy_for(seconds)
        return began, time.monotonic()


async def test_an_organization_rests_three_times_as_long_as_it_worked() -> None:
    """However much of it waits."""
    mine = uuid4()
    pace = Pace(TurnLimits())
    spans = await asyncio.gather(*(worked(pace, mine) for _ in range(4)))
    for (began, ended), (then, _) in pairwise(spans):
        assert then - ended >= min(REST * (ended - began), TurnLimits().wait_s / 2) * 0.9


async def test_another_organization_comes_in_between() -> None:
    """It waits for no rest but its own."""
    pace, order = Pace(TurnLimits()), list[str]()

    async def noted(name: str, tenant: UUID) -> None:
        await worked(pace, tenant)
        order.append(name)

    mine = uuid4()
    await asyncio.gather(*(noted("mine", mine) for _ in range(3)), noted("theirs", uuid4()))
    assert order == ["mine", "theirs", "mine", "mine"]


async def test_a_rest_refuses_nobody() -> None:
    """Whose piece took most of what the next may wait, the machine being slow, can still ask the next."""
    mine, pace = uuid4(), Pace(TurnLimits(wait_s=WAIT_S))
    await worked(pace, mine, SLOW_S)
    await worked(pace, mine, SLOW_S)


async def test_who_waits_with_too_many_or_for_too_long_is_told_to_come_back() -> None:
    """And is not counted any more."""
    mine, pace = uuid4(), Pace(TurnLimits(waiting_of_organization=3, wait_s=WAIT_S))
    said = await asyncio.gather(*(worked(pace, mine, SLOW_S) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in said] == [tuple, tuple, Unanswerable, Unanswerable, Unanswerable]
    assert {each.headers["retry-after"] for each in said if isinstance(each, Unanswerable)} == {"1"}
    assert pace.waiting == 1  # the one that rests


@pytest.fixture
async def api(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    """A server where few documents of an organization may wait to be read."""
    async with connected(schema, database, Settings(waiting_of_organization=4)) as http:
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
