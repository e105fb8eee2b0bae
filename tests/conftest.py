"""A real database: the embedded server, a template migrated once; the tests ask as a role that is neither owner nor superuser."""

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

from db import demo
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
from tests.support.secret_log import SecretSearchHandler

# Nothing that a busy machine decides: neither how long an example takes, nor how long to make one.
settings.register_profile("relaties", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.load_profile("relaties")


@pytest.fixture(scope="session", autouse=True)
def _isolated_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests away from the machine's data."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where we run in the background, and by our children then
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
    """Create a folder that the account of PostgreSQL can enter; as root it cannot enter pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="relaties-"))
    folder.chmod(0o711)
    yield folder
    rmtree(folder)


@pytest.fixture(scope="session")
def server_url(postgres_dir: Path) -> Iterator[str]:
    """The address of a server as its superuser: the embedded one, or one with the programs in the folder RELATIES_TEST_PROGRAMS."""
    if programs := os.environ.get("RELATIES_TEST_PROGRAMS"):
        with run_cluster(Path(programs)) as url:
            yield url
    else:
        with run_server(postgres_dir / "server", notify=lambda _: None) as embedded:
            yield embedded.owner_url


@pytest.fixture(scope="session")
async def admin(server_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(with_database_name(server_url, "postgres"))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def fresh_database(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Makes databases with the tables in them; each is a copy of one that was migrated, or of one that nobody is connected to."""
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
    """The database that most tests share: each makes an organization of its own in it."""
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
async def demo_urls(fresh_database: Callable[..., Awaitable[str]], demo_token: str) -> tuple[str, str]:
    """The whole demo organization twice: in a database that no test changes, and in one to try changes in."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    await demo.load(owner, token_hash=hash_secret(demo_token), progress=lambda _what, _completed, _total: None)
    await owner.close()
    return url, await fresh_database(url)


@pytest.fixture(scope="session")
def demo_url(demo_urls: tuple[str, str]) -> str:
    return demo_urls[0]


@pytest.fixture(scope="session")
async def demo_api(demo_url: str, demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    """Asks as the owner of the demo organization."""
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
    """What readers sent during one test, the look-up of the token left out: it is kept for seconds, so it may or may not be there."""
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
    """An organization of the test's own, with nothing in it."""
    return await create_tenant(owner)


@pytest.fixture(scope="session")
async def api_for(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[..., Api]]:
    """Return an API client for a role of an organization, by default its owner."""
    async with connect_client(schema, database) as http:
        yield lambda tenant, role=Role.OWNER: Api(http, tenant.tokens[role])


@pytest.fixture(scope="session")
async def default_limits_api(owner_url: str, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    """Return an API client for an owner, on a server with the default limits."""
    database = await Database.connect(runtime_url(owner_url), Settings().database_limits)
    async with connect_client(schema, database) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])
    await database.close()
