"""Blocking tasks of an organization run one at a time with pauses between, so that other organizations run in the meantime."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from uuid import uuid4

import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from domain.core.scope import Actor
from server.admission.cpu_share import PAUSE_FACTOR, CpuShare
from server.app import Dispatcher, build_app
from server.errors import HttpError
from server.http.endpoint import GraphQLEndpoint
from server.limit_settings import ConcurrencyLimits
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, SECRET_KEYS, Api, connect_client, connect_to_application
from tests.support.builders import Tenant
from tests.support.eventually import wait_until
from tests.support.queueing import create_actor
from tests.support.virtual_time import run, spend

WORK_S = 0.125
SLOW_S, WAIT_S = 0.75, 2.0  # the pause of three times SLOW_S is longer than WAIT_S


async def run_blocking_task(cpu_share: CpuShare, actor: Actor, seconds: float = WORK_S) -> tuple[float, float]:
    """Run a blocking task, and return its start and end by the virtual clock."""
    loop = asyncio.get_running_loop()
    async with cpu_share.exclusive(actor):
        began = loop.time()
        spend(seconds)
        return began, loop.time()


def test_organization_pauses_three_times_as_long_as_its_task() -> None:
    async def main() -> None:
        mine, cpu_share = create_actor(uuid4()), CpuShare(ConcurrencyLimits())
        spans = await asyncio.gather(*(run_blocking_task(cpu_share, mine) for _ in range(4)))
        for (began, ended), (then, _) in pairwise(spans):
            assert (ended - began, then - ended) == (WORK_S, PAUSE_FACTOR * WORK_S)

    run(main())


def test_other_organization_runs_during_the_pause() -> None:
    async def main() -> None:
        cpu_share, order = CpuShare(ConcurrencyLimits()), list[str]()

        async def record(name: str, actor: Actor) -> None:
            await run_blocking_task(cpu_share, actor)
            order.append(name)

        mine = create_actor(uuid4())
        await asyncio.gather(*(record("mine", mine) for _ in range(3)), record("theirs", create_actor(uuid4())))
        assert order == ["mine", "theirs", "mine", "mine"]

    run(main())


def test_next_request_is_answered_after_a_slow_task() -> None:
    """The pause is at most half of the queue timeout, also when a slow machine made the task long."""

    async def main() -> None:
        mine, cpu_share = create_actor(uuid4()), CpuShare(ConcurrencyLimits(queue_timeout=WAIT_S))
        assert await run_blocking_task(cpu_share, mine, SLOW_S) == (0, SLOW_S)
        assert await run_blocking_task(cpu_share, mine, SLOW_S) == (SLOW_S + WAIT_S / 2, 2 * SLOW_S + WAIT_S / 2)

    run(main())


def test_too_many_or_too_long_waiting_requests_are_rejected() -> None:
    """Among five requests, one is over the limit of the queue and two wait longer than the timeout. None of them is counted afterwards."""

    async def main() -> None:
        mine, cpu_share = create_actor(uuid4()), CpuShare(ConcurrencyLimits(queue_size_per_organization=3, queue_timeout=WAIT_S))
        results = await asyncio.gather(*(run_blocking_task(cpu_share, mine, SLOW_S) for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in results] == [tuple, tuple, HttpError, HttpError, HttpError]
        assert {each.headers["retry-after"] for each in results if isinstance(each, HttpError)} == {"1"}
        assert cpu_share.waiting_count == 0

    run(main())


@pytest.fixture
async def api(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    """Return a function that creates API clients, on a server where at most four requests of an organization may wait."""
    async with connect_client(schema, database, Settings(queue_size_per_organization=4)) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])


async def test_cached_document_does_not_wait_for_new_ones(api: Callable[[Tenant], Api], org: Tenant, sample_org: Tenant) -> None:
    """Some of the new documents are answered and others rejected with 503. Known documents and other organizations are always answered."""
    known_query = "{ viewer { permissions } }"
    assert (await api(org).post({"query": known_query})).status_code == 200
    new = asyncio.gather(*(api(org).post({"query": f"query New{index} {known_query}"}) for index in range(20)))
    assert (await api(org).post({"query": known_query})).status_code == 200
    assert (await api(sample_org).post({"query": "query Theirs { viewer { permissions } }"})).status_code == 200
    assert {answer.status_code for answer in await new} == {200, 503}


async def test_introspection_runs_exclusively_per_organization(api: Callable[[Tenant], Api], org: Tenant, sample_org: Tenant) -> None:
    """Introspection blocks the event loop even if its document is cached. Another organization does not wait for it."""
    schema = "{ __schema { queryType { name } } }"
    assert (await api(sample_org).post({"query": schema})).status_code == 200
    many = asyncio.gather(*(api(org).post({"query": schema}) for _ in range(12)))
    assert (await api(sample_org).post({"query": "{ viewer { permissions } }"})).status_code == 200
    assert {answer.status_code for answer in await many} == {200, 503}


async def test_large_body_is_parsed_exclusively(api: Callable[[Tenant], Api], org: Tenant) -> None:
    """This holds also if the document is short and cached."""
    known_query = "{ viewer { permissions } }"
    assert (await api(org).post({"query": known_query})).status_code == 200
    many = asyncio.gather(*(api(org).post({"query": known_query, "variables": {"x": "x" * 30_000}}) for _ in range(12)))
    assert (await api(org).post({"query": known_query})).status_code == 200
    assert {answer.status_code for answer in await many} == {200, 503}


def create_endpoint(schema: strawberry.Schema, database: Database) -> tuple[GraphQLEndpoint, Callable[[str], Api]]:
    """Return the endpoint of a server, and a function that creates API clients for it. The timeouts are too long to expire in a test."""
    application = build_app(schema, database, Settings(queue_timeout=600, operation_timeout=600, rate_limit_burst=HUGE_LIMIT), SECRET_KEYS)
    assert isinstance(application.asgi_app, Dispatcher)
    http = connect_to_application(application)
    return application.asgi_app.endpoint, lambda token: Api(http, token)


KNOWN_QUERY = "{ viewer { member { role } } }"


def answers_by_role(role: Role) -> dict[str, object]:
    return {"viewer": {"member": {"role": role}}}


async def test_an_owner_is_served_beside_fifty_new_documents_of_a_viewer(
    schema: strawberry.Schema, database: Database, org: Tenant
) -> None:
    """The owner's cached document waits for no other, and a new one waits for one. Only the viewer's 51st is rejected."""
    endpoint, asking = create_endpoint(schema, database)
    cpu_share, known_documents = endpoint.cpu_share, endpoint.persisted_documents.cache._new_documents  # noqa: SLF001
    owner, viewer = asking(org.tokens[Role.OWNER]), asking(org.tokens[Role.VIEWER])
    assert [await each.data(KNOWN_QUERY) for each in (owner, viewer)] == [answers_by_role(Role.OWNER), answers_by_role(Role.VIEWER)]

    async def waiting(count: int) -> bool:
        await asyncio.sleep(0)
        return cpu_share.waiting_count == count

    async with asyncio.TaskGroup() as group, cpu_share.exclusive(create_actor(org.id)):
        flood = [group.create_task(viewer.data(f"query Viewer{number} {KNOWN_QUERY}")) for number in range(50)]
        await wait_until(lambda: waiting(50))
        response = await viewer.post({"query": f"query Viewer50 {KNOWN_QUERY}"})
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
        assert await owner.data(KNOWN_QUERY) == answers_by_role(Role.OWNER)
        assert cpu_share.waiting_count == 50
        new = group.create_task(owner.data(f"query Owner {KNOWN_QUERY}"))
        await wait_until(lambda: waiting(51))
        before = len(known_documents)
    assert new.result() == answers_by_role(Role.OWNER)
    assert [each.result() for each in flood] == [answers_by_role(Role.VIEWER)] * 50
    read = [each.operations[0].name for each in known_documents.values()][before:]
    assert read == ["Viewer0", "Owner", *(f"Viewer{number}" for number in range(1, 50))]


async def test_an_owner_is_served_beside_fifty_operations_of_a_viewer(schema: strawberry.Schema, database: Database, org: Tenant) -> None:
    """When all slots of the organization are taken, its tokens get free slots in turn."""
    endpoint, asking = create_endpoint(schema, database)
    owner, viewer, limiter = asking(org.tokens[Role.OWNER]), asking(org.tokens[Role.VIEWER]), endpoint.concurrency
    assert [await each.data(KNOWN_QUERY) for each in (owner, viewer)] == [answers_by_role(Role.OWNER), answers_by_role(Role.VIEWER)]
    order = list[str]()

    async def ask(name: str, api: Api) -> None:
        await api.data(KNOWN_QUERY)
        order.append(name)

    async def waiting(count: int) -> bool:
        await asyncio.sleep(0)
        return limiter.waiting_count == count

    async with (
        asyncio.TaskGroup() as group,
        limiter.slot(create_actor(org.id)),
        limiter.slot(create_actor(org.id)),
        limiter.slot(create_actor(org.id)),
    ):
        async with limiter.slot(create_actor(org.id)):
            tasks = [group.create_task(ask(f"viewer {number}", viewer)) for number in range(50)]
            await wait_until(lambda: waiting(50))
            tasks.append(group.create_task(ask("owner", owner)))
            await wait_until(lambda: waiting(51))
        await asyncio.gather(*tasks)  # one at a time, in the only free slot
    assert order == ["viewer 0", "owner", *(f"viewer {number}" for number in range(1, 50))]
