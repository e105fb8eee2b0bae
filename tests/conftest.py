"""Provide fixtures on a real PostgreSQL: an embedded server with a template that is migrated once.

Tests query as a role that neither owns the tables nor is a superuser, as the server does.
"""

import gc
import logging
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import asyncpg
import pytest
import strawberry
from hypothesis import HealthCheck, settings

from db.embedded import run_server
from db.engine.database import Database, DatabaseLimits
from db.engine.urls import with_database_name
from db.migrations import upgrade
from db.tables import Role
from domain.organization.tokens import hash_secret, new_secret
from schema.build import build
from server.observability.logging import log
from server.settings import Settings
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, create_sample_org, create_tenant
from tests.support.clusters import run_cluster
from tests.support.databases import runtime_url
from tests.support.embedded import fetch_value
from tests.support.secret_log import SecretSearchHandler
from tests.support.shared_demo import SharedDemo, choose_run_folder

# A busy machine must not decide whether a test passes: no limit on the time of an example, or on the time to generate one.
settings.register_profile("relaties", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.load_profile("relaties")


def pytest_collection_finish() -> None:
    """Exempt modules and collected tests from garbage collection, as the server does with its modules.

    With them a full collection takes 0.4 s, and tests that look for garbage collect often.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _isolated_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Store data of the embedded server in a temporary folder."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background processes ignore SIGINT, and children inherit that
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RELATIES_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _check_log_for_secrets() -> Iterator[None]:
    """Check rule A11 for the whole run: the log contains no token and no signing key."""
    handler, level = SecretSearchHandler(), log.level
    logging.getLogger().addHandler(handler)
    log.setLevel(logging.INFO)
    yield
    log.setLevel(level)
    logging.getLogger().removeHandler(handler)
    assert handler.lines_with_secrets == []


@pytest.fixture(scope="session")
def postgres_dir() -> Iterator[Path]:
    """Create a folder that PostgreSQL's account can enter. When the tests run as root, that account cannot enter pytest's own folders."""
    folder = Path(tempfile.mkdtemp(prefix="relaties-"))
    folder.chmod(0o711)
    yield folder
    rmtree(folder)


@pytest.fixture(scope="session")
def server_url(postgres_dir: Path) -> Iterator[str]:
    """Yield the superuser's URL of a server: the embedded one, or one from the programs in the folder `RELATIES_TEST_PROGRAMS`."""
    if programs := os.environ.get("RELATIES_TEST_PROGRAMS"):
        with run_cluster(Path(programs)) as url:
            yield url
    else:
        with run_server(postgres_dir / "server", notify=lambda _: None) as embedded:
            # Nothing has to survive a power cut, and each commit would wait for the disk.
            fetch_value(embedded.owner_url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
            yield embedded.owner_url


@pytest.fixture(scope="session")
async def admin(server_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(with_database_name(server_url, "postgres"))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def fresh_database(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Return a function that creates a database: a copy of a migrated template, or of a database without connections."""
    template, names = f"relaties_{uuid4().hex[:12]}", list[str]()
    await admin.execute(f"CREATE DATABASE {template}")
    await upgrade(with_database_name(server_url, template), runtime_url(with_database_name(server_url, template)))

    async def create(source: str | None = None) -> str:
        names.append(f"{template}_{len(names)}")
        await admin.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {source.rpartition('/')[2] if source else template}")
        return with_database_name(server_url, names[-1])

    yield create
    for name in (*names, template):
        with suppress(asyncpg.InvalidCatalogNameError):
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def owner_url(fresh_database: Callable[[], Awaitable[str]]) -> str:
    """Return the URL of the database that most tests share. Each of them creates its own organization in it."""
    return await fresh_database()


@pytest.fixture(scope="session")
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def demo_token() -> str:
    return new_secret()


@pytest.fixture(scope="session")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDemo]:
    rows = SharedDemo(choose_run_folder(tmp_path_factory.getbasetemp()) / "demo")
    yield rows
    rows.remove()


@pytest.fixture(scope="session")
async def demo_urls(fresh_database: Callable[..., Awaitable[str]], demo_token: str, shared_demo: SharedDemo) -> tuple[str, str]:
    """Return the URLs of two databases with the whole demo organization. Tests may change only the second."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    await shared_demo.load(owner, hash_secret(demo_token))
    await owner.close()
    return url, await fresh_database(url)


@pytest.fixture(scope="session")
def demo_url(demo_urls: tuple[str, str]) -> str:
    return demo_urls[0]


@pytest.fixture(scope="session")
async def demo_api(demo_url: str, demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    """Return an API client that authenticates as the owner of the demo organization."""
    database = await Database.connect(runtime_url(demo_url))
    async with connect_client(schema, database) as http:
        yield Api(http, demo_token)
    await database.close()


SENT_STATEMENTS: list[str] = []


@pytest.fixture(scope="session")
async def database(owner_url: str) -> AsyncIterator[Database]:
    test_database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=5, read_pool_timeout=30), on_statement=SENT_STATEMENTS.append
    )
    yield test_database
    await test_database.close()


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Yield the statements that the readers send during one test.

    Tests must ignore the lookup of the token, which is cached for seconds and so not always sent.
    """
    SENT_STATEMENTS.clear()
    yield SENT_STATEMENTS
    SENT_STATEMENTS.clear()


@pytest.fixture(scope="session")
def schema() -> strawberry.Schema:
    return build()


@pytest.fixture(scope="session")
async def sample_org(owner: asyncpg.Connection) -> Tenant:
    """Create an organization of sixty clients that no test changes."""
    return await create_sample_org(owner)


@pytest.fixture
async def org(owner: asyncpg.Connection) -> Tenant:
    """Create an empty organization for one test."""
    return await create_tenant(owner)


@pytest.fixture(scope="session")
async def api_for(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[..., Api]]:
    """Return a function that creates an API client for a role of an organization, by default its owner."""
    async with connect_client(schema, database) as http:
        yield lambda tenant, role=Role.OWNER: Api(http, tenant.tokens[role])


@pytest.fixture(scope="session")
async def default_limits_api(owner_url: str, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    """Return a function that creates an API client for an organization's owner, on a server with the default limits."""
    database = await Database.connect(runtime_url(owner_url), Settings().database_limits)
    async with connect_client(schema, database) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])
    await database.close()
