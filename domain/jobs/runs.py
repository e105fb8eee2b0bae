"""Perform the uninterrupted run of a job: it reads one snapshot, and reports its progress after each part in a transaction of its own.

Such a transaction locks the message, checks the claim and the permissions of the requester, and renews the lease. So a run that was
cancelled, that has lost its message or whose requester may no longer see the data ends within one part. A new owner of the job starts it
again from the beginning, with a new snapshot.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from db.engine.database import Database
from db.engine.errors import is_connection_lost
from db.engine.snapshot import SnapshotTransaction
from db.queries import job_messages as messages
from db.queries import jobs as rows
from db.queries import snapshots
from db.queries.job_messages import Message
from db.queries.jobs import Claim
from db.rows import DueJobRow
from db.tables import Channel
from domain.core.scope import Actor, Permission, Scope
from domain.jobs.handlers import ClaimLostError, Run, RunHandler, RunResult, RunStoppedError
from domain.jobs.lifecycle import MAX_ATTEMPTS
from domain.jobs.requesters import find_permissions

CHECKPOINT_ATTEMPTS = 5  # a mutation that starts another job of the organization locks the message until it is committed


@dataclass(frozen=True)
class RunContext:
    """The parts of its worker that a run needs."""

    database: Database
    message: Message
    job: DueJobRow
    claim_of: Callable[[Message, DueJobRow], Claim]
    stopping: asyncio.Event
    secrets: Sequence[bytes]
    folder: Path | None


@asynccontextmanager
async def perform(context: RunContext, handler: RunHandler) -> AsyncIterator[Callable[[], Awaitable[RunResult]]]:
    """Perform the run, and yield a function that returns its result or raises its error. Its local files exist until the block ends.

    Raises only the loss of a connection to the database.
    """
    with tempfile.TemporaryDirectory(dir=context.folder, ignore_cleanup_errors=True) as folder:
        try:
            # A job that has been tried too often fails without another run.
            result = None if context.job.attempts >= MAX_ATTEMPTS else await _run(context, handler, Path(folder))
        except Exception as error:
            if is_connection_lost(error):
                raise
            failure: Exception | None = error
        else:
            failure = None

        async def finish() -> RunResult:
            if failure:
                raise failure
            if result is None:
                raise ClaimLostError
            return result

        yield finish


async def _run(context: RunContext, handler: RunHandler, folder: Path) -> RunResult:
    job, job_input = context.job, json.loads(context.job.input)
    checkpoint = _Checkpoint(context, handler.permissions(job_input))
    async with AsyncExitStack() as stack:
        snapshot = await _open_snapshot(context, handler.requested_columns(job_input), stack)
        actor = Actor(snapshot.tenant, await find_permissions(snapshot, job.id), job.member_id, job.token_id, Channel.JOB)
        scope = Scope(actor, snapshot, context.secrets)
        scope.require_all(checkpoint.permissions)
        return await handler.run(Run(job.id, job_input, scope, folder, checkpoint.record))


async def _open_snapshot(context: RunContext, requested_columns: frozenset[str] | None, stack: AsyncExitStack) -> SnapshotTransaction:
    """Open the snapshot of a job that is claimed, after deletions of clients that are not committed yet: see `db.queries.snapshots`."""
    async with context.database.unit_of_work(context.message.tenant, is_long=True) as work:
        await snapshots.allow_snapshot(work)
        return await stack.enter_async_context(context.database.open_snapshot(context.message.tenant, requested_columns))


class _Checkpoint:
    """Record the progress of a run after each part, unless the run must end."""

    def __init__(self, context: RunContext, permissions: frozenset[Permission]) -> None:
        self.permissions = permissions
        self._context = context
        self._best = int(context.job.cursor or 0)
        self._attempts = context.job.attempts + 1

    async def record(self, count: int, total: int) -> None:
        """Raise `ClaimLostError`, `RunStoppedError` or `ForbiddenError` if the run must end."""
        if self._context.stopping.is_set():
            raise RunStoppedError
        if count > self._best:  # progress that no attempt has made before: the earlier ones no longer count
            self._best, self._attempts = count, 0
        for _ in range(CHECKPOINT_ATTEMPTS - 1):
            try:
                return await self._commit(count, total)
            except asyncpg.LockNotAvailableError:
                continue
        return await self._commit(count, total)

    async def _commit(self, count: int, total: int) -> None:
        message, job = self._context.message, self._context.job
        async with self._context.database.unit_of_work(message.tenant) as work:
            if not await messages.lock(work, message):
                raise ClaimLostError
            scope = Scope(Actor(work.tenant, await find_permissions(work, job.id)), work)
            scope.require_all(self.permissions)
            progress = {"count": count, "total": total, "cursor": str(self._best), "attempts": self._attempts}
            if not await rows.record_run(work, self._context.claim_of(message, job), **progress):
                raise ClaimLostError
