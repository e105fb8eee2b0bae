"""The health endpoints: alive, and ready once the database answers and has the right tables."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette

from db.engine.database import Database
from db.engine.health_probe import HealthProbe
from server.observability.health import Health
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.databases import PASSWORD, runtime_url
from tests.support.eventually import wait_until
from tests.support.processes import find_free_port, run_server

DOWN = (503, {"status": "database unreachable"})
READY = (200, {"status": "ready"})


def connect_client(health: Health) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=health.build_routes())), base_url="http://test", timeout=30)


async def fetch_readiness(health: Health) -> tuple[int, object]:
    async with connect_client(health) as http:
        return status_and_body(await http.get("/readyz"))


def status_and_body(response: httpx.Response) -> tuple[int, object]:
    return response.status_code, response.json()


@pytest.fixture
async def probe(owner_url: str) -> AsyncIterator[HealthProbe]:
    health_probe = HealthProbe(runtime_url(owner_url))
    yield health_probe
    health_probe.close()


async def test_h9_health_with_the_database_down(fresh_database: Callable[[], Awaitable[str]], admin: asyncpg.Connection) -> None:
    """The server stays alive, and is ready again once the database is back. Responses contain no version, address or password."""
    url = await fresh_database()
    name, port = url.rpartition("/")[2], find_free_port()
    production = {"RELATIES_ENV": "production", "RELATIES_SECRET_KEY": "k" * 32, "RELATIES_METRICS_PORT": str(port)}
    with run_server("--no-demo", DATABASE_URL=runtime_url(url), **production) as server:
        async with httpx.AsyncClient(base_url=server.address, limits=httpx.Limits(max_keepalive_connections=0), timeout=30) as http:
            assert status_and_body(await http.get("/readyz")) == READY
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            answers = [await http.get(path) for path in ("/livez", "/readyz", "/metrics", "/health")]
            assert [answer.status_code for answer in answers] == [200, 503, 404, 404]
            assert (answers[0].json(), status_and_body(answers[1])) == ({"status": "alive"}, DOWN)
            assert (await http.get(f"http://127.0.0.1:{port}/metrics")).status_code == 200
            everything = "".join(f"{answer.headers} {answer.text}" for answer in answers)
            assert not [word for word in (PASSWORD + "@", name, "asyncpg", "uvicorn", "postgresql", "0.1.0") if word in everything]
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

            async def is_ready() -> bool:
                return status_and_body(await http.get("/readyz")) == READY

            await wait_until(is_ready)


async def test_ready_while_all_connections_are_in_use(api_for: Callable[..., Api], org: Tenant, database: Database) -> None:
    """The probe uses a connection of its own."""
    reads = [database.read(org.id) for _ in range(5)]
    await asyncio.gather(*(read._open() for read in reads))  # noqa: SLF001
    assert database.read_connections_in_use == 5
    assert status_and_body(await api_for(org).http.get("/readyz")) == READY
    for read in reads:
        await read.end()


async def test_draining_server_is_not_ready(probe: HealthProbe) -> None:
    """It is still alive."""
    health = Health(probe)
    assert await fetch_readiness(health) == READY
    health.is_draining = True
    assert await fetch_readiness(health) == (503, {"status": "draining"})
    async with connect_client(health) as http:
        assert status_and_body(await http.get("/livez")) == (200, {"status": "alive"})
        assert (await http.get("/livez")).headers["cache-control"] == "no-store"


async def test_not_ready_without_the_right_tables(fresh_database: Callable[[], Awaitable[str]], server_url: str) -> None:
    """They are missing, or of another version."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    await owner.execute("UPDATE relaties.alembic_version SET version_num = 'another'")
    for address in (runtime_url(url), server_url):
        probe = HealthProbe(address)
        assert await fetch_readiness(Health(probe)) == (503, {"status": "migrations missing"})
        probe.close()
    await owner.close()


async def test_not_ready_while_the_database_rejects_or_hangs() -> None:
    """The response comes within the timeout for any number of callers, who share one query."""
    assert await fetch_readiness(Health(HealthProbe(f"postgresql://me:pw@127.0.0.1:{find_free_port()}/x"))) == DOWN
    came = list[asyncio.StreamWriter]()
    async with await asyncio.start_server(lambda _, writer: came.append(writer), "127.0.0.1") as silent:
        probe = HealthProbe(f"postgresql://me:pw@127.0.0.1:{silent.sockets[0].getsockname()[1]}/x?sslmode=disable", timeout=60)
        health = Health(probe, timeout_s=0.05)
        assert await asyncio.gather(*(fetch_readiness(health) for _ in range(20))) == [DOWN] * 20
        assert await fetch_readiness(health) == DOWN
        assert len(came) == 1
        came[0].close()
        assert health._status_task is not None  # noqa: SLF001
        await asyncio.wait({health._status_task}, timeout=30)  # noqa: SLF001
        assert await fetch_readiness(Health(HealthProbe(probe._url, timeout=0.05), timeout_s=60)) == DOWN  # noqa: SLF001
        came[1].close()


async def test_lost_connection_is_reopened(probe: HealthProbe, owner: asyncpg.Connection) -> None:
    """The next probe reopens it at the latest."""
    health = Health(probe)
    assert await fetch_readiness(health) == READY
    pid = await probe.fetch_value("SELECT pg_backend_pid()")
    await owner.execute("SELECT pg_terminate_backend($1)", pid)

    async def is_ready() -> bool:
        return await fetch_readiness(health) == READY

    await wait_until(is_ready)
    assert await probe.fetch_value("SELECT pg_backend_pid()") != pid
