"""Open the database: the one at `DATABASE_URL`, or the embedded one of the data directory, which is started if necessary."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy.exc import DBAPIError

from db.engine.database import Database
from db.engine.errors import driver_error
from db.migrations import upgrade
from server.database_checks import SMALL_POOL
from server.settings import Settings
from server.startup_errors import CONNECTION_ERRORS, StartupError, describe_connection_error


@dataclass(frozen=True)
class DatabaseUrls:
    """URLs of the database for the server's role and, if known, for the owner."""

    runtime_url: str
    owner_url: str | None
    is_embedded: bool

    @property
    def required_owner_url(self) -> str:
        if self.owner_url is None:
            raise StartupError("RELATIES_OWNER_URL: required by this command. Set it to the URL of the database for the role that owns it.")
        return self.owner_url


@contextmanager
def open_database(settings: Settings, report_status: Callable[[str], None]) -> Iterator[DatabaseUrls]:
    """Yield the URLs of the database. At the end, stop an embedded server unless another process uses it."""
    if settings.database_url:
        yield DatabaseUrls(str(settings.database_url), str(settings.owner_url) if settings.owner_url else None, is_embedded=False)
        return
    from db.embedded import EmbeddedError, run_server  # noqa: PLC0415 not needed with `DATABASE_URL`

    try:
        with run_server(settings.data_dir, notify=report_status) as server:
            yield DatabaseUrls(server.runtime_url, server.owner_url, is_embedded=True)
    except EmbeddedError as error:
        raise StartupError(str(error)) from error


async def migrate_database(urls: DatabaseUrls) -> None:
    """Bring the tables and the server's role up to date."""
    try:
        await upgrade(urls.required_owner_url, urls.runtime_url)
    except DBAPIError as error:
        lacks_rights = isinstance(driver_error(error), asyncpg.InsufficientPrivilegeError)
        advice = "The role needs CREATEROLE and BYPASSRLS." if lacks_rights else "Fix the cause and run the command again."
        reason = str(error.orig).rpartition(">: ")[2].rstrip(".")
        raise StartupError(f"RELATIES_OWNER_URL: nothing was changed: {reason}. {advice}") from error
    except CONNECTION_ERRORS as error:
        raise StartupError(describe_connection_error("RELATIES_OWNER_URL", urls.required_owner_url, error)) from error


@asynccontextmanager
async def open_as_owner(urls: DatabaseUrls) -> AsyncIterator[Database]:
    """Connect as the owner, for commands that need no token. Migrate an embedded database first."""
    if urls.is_embedded:
        await migrate_database(urls)
    async with connect_as_owner(urls) as database:
        yield database


@asynccontextmanager
async def connect_as_owner(urls: DatabaseUrls) -> AsyncIterator[Database]:
    """Connect as the owner without migrating."""
    try:
        database = await Database.connect(urls.required_owner_url, SMALL_POOL)
    except CONNECTION_ERRORS as error:
        raise StartupError(describe_connection_error("RELATIES_OWNER_URL", urls.required_owner_url, error)) from error
    async with database:
        yield database
