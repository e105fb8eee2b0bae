"""Run background jobs in tests: a database of its own, the library's queue as a worker sees it, and handlers of jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.types import QueueEntrypoint, QueueManagerId

from db.engine.database import Database, DatabaseLimits
from db.job_queue import build_queries
from db.queries.job_messages import Message
from db.tables import QUEUE_ENTRYPOINT, JobKind, Label, Role
from db.tables.keys import name_key, new_id
from domain.core.scope import Permission, WriteScope, open_write_scope
from domain.jobs import lifecycle
from domain.jobs.handlers import Chunk, Handler, JobHandler, RunHandler
from domain.jobs.runner import ChunkRunner
from domain.organization.tokens import authenticate
from tests.support.builders import Tenant
from tests.support.databases import runtime_url

LEASE = timedelta(seconds=30)
CHUNKS = 3
JOB_COLUMNS = "status, done_count, total, attempts, owner IS NOT NULL AS is_owned, failure_code, failure_message, cursor"


async def no_action() -> None: ...


def label_handler(during: Callable[[], Awaitable[None]] = no_action, chunks: int = CHUNKS) -> JobHandler:
    """Return a handler whose chunks each add a label of 10 entries. `during` runs between the label and the end of the chunk."""

    async def count(_scope: WriteScope) -> int:
        return 10 * chunks

    async def run(scope: WriteScope, _input: Mapping[str, Any], cursor: str | None) -> Chunk:
        number = int(cursor or 0) + 1
        name = f"Chunk {number} {new_id()}"
        scope.session.add(Label(tenant_id=scope.tenant, name=name, name_key=name_key(name), color="#102030"))
        await during()
        return Chunk(10, None if number == chunks else str(number), [f"Chunk {number}"])

    return JobHandler("labelsAdd", Permission.ORGANIZATION_WRITE, count, run)


@dataclass
class QueueWorker:
    """A worker without a loop: it takes messages from the queue and runs chunks, one at a time."""

    connection: asyncpg.Connection
    runner: ChunkRunner
    errors: list[Exception]
    owner: UUID = field(default_factory=new_id)

    async def take(self, lease: timedelta = LEASE) -> Message | None:
        """Take a message as the library does: a queued one, or one of a worker without a heartbeat for `lease`."""
        entrypoints = {QueueEntrypoint(QUEUE_ENTRYPOINT): EntrypointExecutionParameter(concurrency_limit=0)}
        messages = await build_queries(self.connection).dequeue(1, entrypoints, QueueManagerId(self.owner), None, lease)
        return Message.parse(messages[0]) if messages else None

    async def step(self) -> UUID | None:
        """Take a message and run one chunk. Return the organization, or None if there was no message."""
        message = await self.take()
        if message is None:
            return None
        await self.runner.run(message)
        return message.tenant

    async def work_off(self) -> list[UUID]:
        """Run chunks until no message is left. Return their organizations in order."""
        tenants = list[UUID]()
        while tenant := await self.step():
            tenants.append(tenant)
        return tenants


@dataclass
class JobDatabase:
    """A database for the jobs of one test: as the owner, and as the server."""

    owner: asyncpg.Connection
    database: Database
    url: str
    connections: list[asyncpg.Connection] = field(default_factory=list)

    async def worker(self, handler: Handler | None = None, folder: Path | None = None) -> QueueWorker:
        """Return a worker. A handler in chunks is that of rebuilds, and one of uninterrupted runs that of exports."""
        connection = await asyncpg.connect(runtime_url(self.url))
        self.connections.append(connection)
        errors = list[Exception]()
        rebuild = handler if isinstance(handler, JobHandler) else label_handler()
        handlers: dict[JobKind, Handler] = {JobKind.REVENUE_REBUILD: rebuild}
        if isinstance(handler, RunHandler):
            handlers[JobKind.CLIENT_EXPORT] = handler
        runner = ChunkRunner(self.database, handlers, lambda _, error: errors.append(error), LEASE, timedelta(), folder=folder)
        return QueueWorker(connection, runner, errors)

    async def start(self, org: Tenant, role: Role = Role.OWNER, input: Mapping[str, object] | None = None) -> UUID:
        """Start a job with the token of the role's member."""
        identity = await authenticate(self.database, org.tokens[role])
        assert identity is not None
        async with open_write_scope(self.database, identity[0], "revenueRebuildStart") as scope:
            scope.allows(Permission.ORGANIZATION_WRITE)
            return await lifecycle.start(scope, JobKind.REVENUE_REBUILD, input)

    async def cancel(self, org: Tenant, job: UUID, role: Role = Role.OWNER) -> None:
        identity = await authenticate(self.database, org.tokens[role])
        assert identity is not None
        async with open_write_scope(self.database, identity[0], "jobCancel") as scope:
            await lifecycle.cancel(scope, job)

    async def job(self, job: UUID) -> dict[str, Any]:
        return dict(await self.owner.fetchrow(f"SELECT {JOB_COLUMNS} FROM relaties.job WHERE id = $1", job) or {})

    async def labels(self, org: Tenant) -> list[str]:
        """Return the numbers of the chunks whose labels were committed."""
        rows = await self.owner.fetch(
            "SELECT split_part(name, ' ', 2) AS number FROM relaties.label WHERE tenant_id = $1 ORDER BY id", org.id
        )
        return [row["number"] for row in rows]

    async def message_count(self) -> int:
        count: int = await self.owner.fetchval("SELECT count(*) FROM relaties_queue.pgqueuer")
        return count


@asynccontextmanager
async def open_job_database(url: str) -> AsyncIterator[JobDatabase]:
    owner = await asyncpg.connect(url)
    async with await Database.connect(runtime_url(url), DatabaseLimits(write_pool_size=8)) as database:
        jobs = JobDatabase(owner, database, url)
        try:
            yield jobs
        finally:
            for connection in (*jobs.connections, jobs.owner):
                await connection.close()
