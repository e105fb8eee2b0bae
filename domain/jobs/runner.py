"""Run background jobs chunk by chunk, so that the effect of each chunk is exactly once however often a worker dies.

A message of the queue stands for an organization with unfinished jobs, and is held by one worker at a time. The worker claims the oldest
job and runs one chunk of it. The transaction of the chunk locks the message first, and writes nothing if the worker no longer holds it. It
commits the changes of the chunk, the progress of the job, the end of the message and, if jobs are left, the next message. Nothing happens
after that commit, so there is nothing to lose.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from db.audit import ChangeOrigin
from db.engine.database import Database
from db.engine.errors import is_connection_lost
from db.engine.protocols import UnitOfWork
from db.queries import job_messages as messages
from db.queries import jobs as rows
from db.queries.job_messages import Message
from db.queries.jobs import Claim
from db.rows import DueJobRow
from db.tables import Channel, JobFailureCode, JobKind
from db.tables.timestamps import now
from domain.core.errors import ForbiddenError
from domain.core.scope import Actor, Permission, WriteScope
from domain.jobs import lifecycle
from domain.jobs.lifecycle import MAX_ATTEMPTS
from domain.jobs.requesters import find_permissions

NO_DELAY = timedelta()
UNKNOWN_KIND_DELAY = timedelta(seconds=5)
MAX_WARNINGS = 100  # of a job


@dataclass(frozen=True)
class Chunk:
    """The result of a chunk: the number of entries, where the next chunk starts (None after the last one), and warnings for the user."""

    count: int
    cursor: str | None
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class JobHandler:
    """The work of a kind of job.

    `operation` starts it, `count` returns the number of its entries, and `run` processes a chunk of them from a cursor on.
    """

    operation: str
    permission: Permission
    count: Callable[[WriteScope], Awaitable[int]]
    run: Callable[[WriteScope, Mapping[str, Any], str | None], Awaitable[Chunk]]


class ClaimLostError(Exception):
    """The job was cancelled, or another worker claimed it, while the chunk ran."""


@dataclass(frozen=True)
class ChunkRunner:
    """Run chunks for a worker.

    `lease` is the time after which others may claim the job of a worker that died. `retry_delay` is the time until the first retry of a
    chunk that failed. `report_error` gets the id of the job and the error of a chunk; no text of the error is stored.
    """

    database: Database
    handlers: Mapping[JobKind, JobHandler]
    report_error: Callable[[UUID, Exception], None]
    lease: timedelta
    retry_delay: timedelta = timedelta(seconds=1)
    secrets: Sequence[bytes] = field(default=(), repr=False)

    async def handle(self, source: Any) -> int:  # noqa: ANN401 see `Message`
        """Run a chunk for a message as the queue hands it to a worker."""
        return await self.run(Message.parse(source))

    async def release(self, source: Any) -> None:  # noqa: ANN401 see `Message`
        """Give a message back without running a chunk, so that another worker takes it at once and not after the lease."""
        message = Message.parse(source)
        async with self.database.unit_of_work(message.tenant) as work:
            if await messages.lock(work, message):
                await messages.delete(work, message)
                await messages.send(work)

    async def run(self, message: Message) -> int:
        """Run one chunk of the oldest job of the message's organization. Return the number of entries that were committed."""
        job = await self._claim(message)
        return 0 if job is None else await self._run_claimed(message, job)

    async def _claim(self, message: Message) -> DueJobRow | None:
        """Claim the oldest job and count the attempt, in a transaction of its own: a chunk that kills the worker must count as well."""
        async with self.database.unit_of_work(message.tenant) as work:
            if not await messages.lock(work, message):
                return None
            while (job := await rows.find_due(work)) and job.kind in self.handlers:
                if await rows.claim(work, self._claim_of(message, job)):
                    return job
            await messages.delete(work, message)
            if job:  # a worker with newer code knows its kind
                await messages.send(work, UNKNOWN_KIND_DELAY)
        return None

    async def _run_claimed(self, message: Message, job: DueJobRow) -> int:
        origin = ChangeOrigin(job.member_id, job.token_id, Channel.JOB, self.handlers[JobKind(job.kind)].operation)
        async with self.database.unit_of_work(message.tenant, origin, is_long=True) as work:
            if not await messages.lock(work, message):
                return 0
            count, delay = await self._try_chunk(work, message, job)
            await messages.delete(work, message)
            if await rows.find_due(work):
                await messages.send(work, delay)
        return count

    async def _try_chunk(self, work: UnitOfWork, message: Message, job: DueJobRow) -> tuple[int, timedelta]:
        """Run the chunk in a savepoint. Return the number of entries, and the time to wait before the organization's next chunk."""
        try:
            if job.attempts >= MAX_ATTEMPTS:
                await lifecycle.fail(work, job.id, JobFailureCode.ATTEMPTS_EXHAUSTED)
                return 0, NO_DELAY
            async with work.savepoint():
                return await self._advance(work, message, job), NO_DELAY
        except ClaimLostError:
            return 0, NO_DELAY
        except ForbiddenError:
            await lifecycle.fail(work, job.id, JobFailureCode.ACCESS_LOST)
            return 0, NO_DELAY
        except Exception as error:
            if is_connection_lost(error) or work.driver.is_closed():
                raise
            self.report_error(job.id, error)
        if job.attempts + 1 >= MAX_ATTEMPTS:
            await lifecycle.fail(work, job.id, JobFailureCode.ATTEMPTS_EXHAUSTED)
            return 0, NO_DELAY
        return 0, self.retry_delay * (job.attempts + 1)

    async def _advance(self, work: UnitOfWork, message: Message, job: DueJobRow) -> int:
        """Run the chunk and record the progress. Check before and after it that the requester has the permission."""
        handler = self.handlers[JobKind(job.kind)]
        scope = await self._open_scope(work, job, handler)
        total = await handler.count(scope) if job.total is None else job.total
        chunk = await handler.run(scope, json.loads(job.input), job.cursor)
        if not await rows.record_chunk(work, self._claim_of(message, job), total=total, **vars(self._limit_warnings(chunk, job))):
            raise ClaimLostError
        await self._open_scope(work, job, handler)
        if chunk.cursor is None:
            await lifecycle.succeed(work, job.id)
        return chunk.count

    def _limit_warnings(self, chunk: Chunk, job: DueJobRow) -> Chunk:
        return replace(chunk, warnings=chunk.warnings[: max(0, MAX_WARNINGS - job.warning_count)])

    def _claim_of(self, message: Message, job: DueJobRow) -> Claim:
        return Claim(job.id, message.owner, now() + self.lease)

    async def _open_scope(self, work: UnitOfWork, job: DueJobRow, handler: JobHandler) -> WriteScope:
        """Return a scope with the permissions that the requester has now. Raises `ForbiddenError` if the job's is not among them."""
        permissions = await find_permissions(work, job.id)
        scope = WriteScope(Actor(work.tenant, permissions, job.member_id, job.token_id, Channel.JOB), work, self.secrets)
        scope.require(handler.permission)
        return scope
