"""Where the database is: one's own by its address, or the embedded one of the data directory, started when nothing else has."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from db.faults import driver_error
from db.migrations import upgrade
from server.doctor import FEW, UNREACHABLE, UnfitError, unreachable
from server.settings import Settings


@dataclass(frozen=True)
class Place:
    """The addresses of the database: the server's role and, where it is known, the owner's."""

    runtime_url: str
    owner_url: str | None
    is_embedded: bool

    @property
    def owner(self) -> str:
        if self.owner_url is None:
            raise UnfitError("RELATIES_OWNER_URL: needed for this, the address of the database as the role that owns it.")
        return self.owner_url


@contextmanager
def place(settings: Settings, say: Callable[[str], None]) -> Iterator[Place]:
    """The embedded server is stopped at the end, unless another process uses it."""
    if settings.database_url:
        yield Place(str(settings.database_url), str(settings.owner_url) if settings.owner_url else None, is_embedded=False)
        return
    from db.embedded import EmbeddedError, run_server  # noqa: PLC0415 one who has a database of their own needs none of it

    try:
        with run_server(settings.data_dir, notify=say) as embedded:
            yield Place(embedded.runtime_url, embedded.owner_url, is_embedded=True)
    except EmbeddedError as wrong:
        raise UnfitError(str(wrong)) from wrong


async def migrated(found: Place) -> None:
    """Brings the tables up to date; the role of the server as well."""
    try:
        await upgrade(found.owner, found.runtime_url)
    except DBAPIError as failed:
        is_weak = isinstance(driver_error(failed), asyncpg.InsufficientPrivilegeError)
        cure = "The role needs CREATEROLE and BYPASSRLS." if is_weak else "Run it again once that is over."
        reason = str(failed.orig).rpartition(">: ")[2].rstrip(".")
        raise UnfitError(f"RELATIES_OWNER_URL: nothing was changed: {reason}. {cure}") from failed
    except UNREACHABLE as failed:
        raise UnfitError(unreachable("RELATIES_OWNER_URL", found.owner, failed)) from failed


@asynccontextmanager
async def as_owner(found: Place) -> AsyncIterator[Database]:
    """The database as its owner, for the commands that need no token; the embedded one with its tables up to date."""
    if found.is_embedded:
        await migrated(found)
    async with opened(found) as database:
        yield database


@asynccontextmanager
async def opened(found: Place) -> AsyncIterator[Database]:
    """The same where the tables are up to date already."""
    try:
        database = await Database.connect(found.owner, FEW)
    except UNREACHABLE as failed:
        raise UnfitError(unreachable("RELATIES_OWNER_URL", found.owner, failed)) from failed
    async with database:
        yield database
