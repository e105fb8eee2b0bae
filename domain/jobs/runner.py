"""Run background jobs so that their effect is exactly once, however often a worker dies.

A message of the queue stands for an organization with unfinished jobs, and is held by one worker at a time. The worker claims the oldest
job and runs one chunk of it, or all of it (see `domain.jobs.runs`). The transaction of the chunk locks the message first, and writes
nothing if the worker no longer holds it. It commits the changes of the chunk, the progress of the job, the end of the message and, if jobs
are left, the next message. Nothing happens after that commit, so there is nothing to lose.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
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
from domain.core.scope import Actor, WriteScope
from domain.jobs import lifecycle
from domain.jobs.handlers import ClaimLostError, Handler, JobFailedError, JobHandler, RunHandler, RunStoppedError
from domain.jobs.lifecycle import MAX_ATTEMPTS
from domain.jobs.requesters import find_permissions
from domain.jobs.runs import RunContext, perform

NO_DELAY = timedelta()
BUSY_DELAY = timedelta(seconds=2)
UNKNOWN_KIND_DELAY = timedelta(seconds=5)
MAX_WARNINGS = 100  # of a job
Action: TypeAlias = Callable[[UnitOfWork], Awaitable[int]]
"""What a chunk or the end of a run does in its unit of work. Returns the number of entries."""


@dataclass(frozen=True)
class ChunkRunner:
    """Run chunks for a worker.

    `lease` is the time after which others may claim the job of a worker that died. `retry_delay` is the time until the first retry of a
    chunk that failed. `report_error` gets the id of the job and the error of a chunk; no text of the error is stored. `runs` limits the
    uninterrupted runs at once, so that chunks of others run beside them; these have their local files in `folder`. Once `stopping` is set,
    runs end after the part that they are at.
    """

    database: Database
    handlers: Mapping[JobKind, Handler]
    report_error: Callable[[UUID, Exception], None]
    lease: timedelta
    retry_delay: timedelta = timedelta(seconds=1)
    secrets: Sequence[bytes] = field(default=(), repr=False)
    runs: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    folder: Path | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

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
        """Run one chunk of the oldest job of the message's organization, or all of it. Return the number of entries that were committed."""
        job = await self._claim(message)
        return 0 if job is None else await self._run_claimed(message, job)

    async def _run_claimed(self, message: Message, job: DueJobRow) -> int:
        handler = self.handlers[JobKind(job.kind)]
        if isinstance(handler, JobHandler):
            return await self._settle(message, job, lambda work: self._advance(work, message, job, handler))
        async with self.runs:
            return await self._run_without_interruption(message, job, handler)

    async def _claim(self, message: Message) -> DueJobRow | None:
        """Claim the oldest job and count the attempt, in a transaction of its own: a chunk that kills the worker must count as well."""
        async with self.database.unit_of_work(message.tenant) as work:
            if not await messages.lock(work, message):
                return None
            while (job := await rows.find_due(work)) and (delay := self._refusal_delay(job)) is None:
                if await rows.claim(work, self._claim_of(message, job)):
                    return job
            await messages.delete(work, message)
            if job:
                await messages.send(work, delay)
        return None

    def _refusal_delay(self, job: DueJobRow) -> timedelta | None:
        """Return the time to wait before a worker looks at the job again, or None if this one can run it now."""
        handler = self.handlers.get(JobKind(job.kind)) if job.kind in self.handlers else None
        if handler is None:  # a worker with newer code knows its kind
            return UNKNOWN_KIND_DELAY
        return BUSY_DELAY if isinstance(handler, RunHandler) and self.runs.locked() else None

    async def _run_without_interruption(self, message: Message, job: DueJobRow, handler: RunHandler) -> int:
        context = RunContext(self.database, message, job, self._claim_of, self.stopping, self.secrets, self.folder)
        async with perform(context, handler) as finish:

            async def end(work: UnitOfWork) -> int:
                scope = await self._open_scope(work, job, handler)
                result = await finish()
                await result.store(scope)
                warnings = self._limit_warnings(result.warnings, job)
                if not await rows.record_chunk(
                    work, self._claim_of(message, job), total=result.count, count=0, cursor=None, warnings=warnings
                ):
                    raise ClaimLostError
                await lifecycle.succeed(work, job.id)
                return result.count

            return await self._settle(message, job, end)

    async def _settle(self, message: Message, job: DueJobRow, action: Action) -> int:
        """Run the action in a unit of work that also ends the message, and sends the next one if jobs are left."""
        origin = ChangeOrigin(job.member_id, job.token_id, Channel.JOB, self.handlers[JobKind(job.kind)].operation)
        async with self.database.unit_of_work(message.tenant, origin, is_long=True) as work:
            if not await messages.lock(work, message):
                return 0
            count, delay = await self._try(work, message, job, action)
            await messages.delete(work, message)
            if await rows.find_due(work):
                await messages.send(work, delay)
        return count

    async def _try(self, work: UnitOfWork, message: Message, job: DueJobRow, action: Action) -> tuple[int, timedelta]:
        """Run the action in a savepoint. Return the number of entries, and the time to wait before the organization's next chunk."""
        delay = NO_DELAY
        try:
            if job.attempts >= MAX_ATTEMPTS:
                raise JobFailedError(JobFailureCode.ATTEMPTS_EXHAUSTED)  # noqa: TRY301 the same as below
            async with work.savepoint():
                return await action(work), delay
        except ClaimLostError:
            pass
        except RunStoppedError:
            await rows.release(work, self._claim_of(message, job), job.attempts)
        except ForbiddenError:
            await lifecycle.fail(work, job.id, JobFailureCode.ACCESS_LOST)
        except JobFailedError as error:
            await lifecycle.fail(work, job.id, error.code)
        except Exception as error:
            if is_connection_lost(error) or work.driver.is_closed():
                raise
            self.report_error(job.id, error)
            delay = await self._delay_retry(work, job)
        return 0, delay

    async def _delay_retry(self, work: UnitOfWork, job: DueJobRow) -> timedelta:
        """Return the time until the next attempt. Fail the job if this was the last one."""
        if job.attempts + 1 < MAX_ATTEMPTS:
            return self.retry_delay * (job.attempts + 1)
        await lifecycle.fail(work, job.id, JobFailureCode.ATTEMPTS_EXHAUSTED)
        return NO_DELAY

    async def _advance(self, work: UnitOfWork, message: Message, job: DueJobRow, handler: JobHandler) -> int:
        """Run the chunk and record the progress. Check before and after it that the requester has the permission."""
        scope = await self._open_scope(work, job, handler)
        total = await handler.count(scope) if job.total is None else job.total
        chunk = await handler.run(scope, json.loads(job.input), job.cursor)
        chunk = replace(chunk, warnings=self._limit_warnings(chunk.warnings, job))
        if not await rows.record_chunk(work, self._claim_of(message, job), total=total, **vars(chunk)):
            raise ClaimLostError
        await self._open_scope(work, job, handler)
        if chunk.cursor is None:
            await lifecycle.succeed(work, job.id)
        return chunk.count

    def _limit_warnings(self, warnings: Sequence[str], job: DueJobRow) -> list[str]:
        return [*warnings[: max(0, MAX_WARNINGS - job.warning_count)]]

    def _claim_of(self, message: Message, job: DueJobRow) -> Claim:
        return Claim(job.id, message.owner, now() + self.lease)

    async def _open_scope(self, work: UnitOfWork, job: DueJobRow, handler: Handler) -> WriteScope:
        """Return a scope with the permissions that the requester has now. Raises `ForbiddenError` if the job's are not among them."""
        permissions = await find_permissions(work, job.id)
        scope = WriteScope(Actor(work.tenant, permissions, job.member_id, job.token_id, Channel.JOB), work, self.secrets)
        scope.require_all(handler.permissions(json.loads(job.input)))
        return scope
