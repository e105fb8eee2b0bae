"""A real database: the embedded server, a template migrated once; the tests ask as a role that is neither owner nor superuser."""

import logging
import os
import re
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
from server.observability.logging import build_formatter, log
from server.settings import LogFormat, Settings
from tests.ask import SECRETS, Api, connected
from tests.builders import Tenant, crowd, tenant
from tests.clusters import cluster

RUNTIME, PASSWORD = "relaties_test", "test"
# Nothing that a busy machine decides: neither how long an example takes, nor how long to make one.
settings.register_profile("relaties", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.load_profile("relaties")


@pytest.fixture(scope="session", autouse=True)
def _data_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reaches the machine's data."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where we run in the background, and by our children then
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RELATIES_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


class Searched(logging.Handler):
    """Every line of the log as a server in production would write it, searched for what it must not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(build_formatter(LogFormat.JSON))
        self.found = list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        written = self.format(record)
        if re.search(r"rlt_[A-Za-z0-9_-]{43}", written) or any(secret.decode() in written for secret in SECRETS):
            self.found.append(written)


@pytest.fixture(scope="session", autouse=True)
def _no_secret_is_logged() -> Iterator[None]:
    """A11 for the whole run: no token, whoever made it, and no key that signs."""
    searched, level = Searched(), log.level
    logging.getLogger().addHandler(searched)
    log.setLevel(logging.INFO)
    yield
    log.setLevel(level)
    logging.getLogger().removeHandler(searched)
    assert searched.found == []


@pytest.fixture(scope="session")
def reachable() -> Iterator[Path]:
    """A folder that the account that PostgreSQL runs as can reach, which as root pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="relaties-"))
    folder.chmod(0o711)
    yield folder
    rmtree(folder)


@pytest.fixture(scope="session")
def server_url(reachable: Path) -> Iterator[str]:
    """The address of a server as its superuser: the embedded one, or one with the programs in the folder RELATIES_TEST_PROGRAMS."""
    if programs := os.environ.get("RELATIES_TEST_PROGRAMS"):
        with cluster(Path(programs)) as url:
            yield url
    else:
        with run_server(reachable / "server", notify=lambda _: None) as embedded:
            yield embedded.owner_url


@pytest.fixture(scope="session")
async def admin(server_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(with_database_name(server_url, "postgres"))
    yield connection
    await connection.close()


def runtime_url(owner_url: str) -> str:
    """The same database, as the role of the server."""
    host = owner_url.rpartition("@")[2]
    return f"postgresql://{RUNTIME}:{PASSWORD}@{host}"


@pytest.fixture(scope="session")
async def fresh_database(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Makes databases with the tables in them; each is a copy of one that was migrated, or of one that nobody is connected to."""
    template, made = f"relaties_{uuid4().hex[:12]}", list[str]()
    await admin.execute(f"CREATE DATABASE {template}")
    await upgrade(with_database_name(server_url, template), runtime_url(with_database_name(server_url, template)))

    async def fresh(of: str | None = None) -> str:
        made.append(f"{template}_{len(made)}")
        await admin.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {of.rpartition('/')[2] if of else template}")
        return with_database_name(server_url, made[-1])

    yield fresh
    for name in (*made, template):
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
    await demo.load(owner, token_hash=hash_secret(demo_token), progress=lambda _what, _done, _total: None)
    await owner.close()
    return url, await fresh_database(url)


@pytest.fixture(scope="session")
def demo_url(demo_urls: tuple[str, str]) -> str:
    return demo_urls[0]


@pytest.fixture(scope="session")
async def demo_api(demo_url: str, demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    """Asks as the owner of the demo organization."""
    database = await Database.connect(runtime_url(demo_url))
    async with connected(schema, database) as http:
        yield Api(http, demo_token)
    await database.close()


SENT: list[str] = []


@pytest.fixture(scope="session")
async def database(owner_url: str) -> AsyncIterator[Database]:
    made = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=5, read_pool_timeout=30), on_statement=SENT.append)
    yield made
    await made.close()


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What readers sent during one test, the look-up of the token left out: it is kept for seconds, so it may or may not be there."""
    SENT.clear()
    yield SENT
    SENT.clear()


@pytest.fixture(scope="session")
def schema() -> strawberry.Schema:
    return build()


@pytest.fixture(scope="session")
async def crowded(owner: asyncpg.Connection) -> Tenant:
    """Sixty clients that no test changes."""
    return await crowd(owner)


@pytest.fixture
async def org(owner: asyncpg.Connection) -> Tenant:
    """An organization of the test's own, with nothing in it."""
    return await tenant(owner)


@pytest.fixture(scope="session")
async def as_(database: Database, schema: strawberry.Schema) -> AsyncIterator[Callable[..., Api]]:
    """Asks as a role of an organization, its owner unless told otherwise."""
    async with connected(schema, database) as http:
        yield lambda tenant, role=Role.OWNER: Api(http, tenant.tokens[role])


@pytest.fixture(scope="session")
async def usual(owner_url: str, schema: strawberry.Schema) -> AsyncIterator[Callable[[Tenant], Api]]:
    """Asks as an owner, of a server with the limits that it has unless told otherwise."""
    database = await Database.connect(runtime_url(owner_url), Settings().database_limits)
    async with connected(schema, database) as http:
        yield lambda tenant: Api(http, tenant.tokens[Role.OWNER])
    await database.close()
