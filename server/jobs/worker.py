"""Run background jobs in a process of their own, with messages that pgqueuer hands to it."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.applications import PgQueuer
from pgqueuer.models import Job as QueuedMessage
from pgqueuer.models import Schedule
from pgqueuer.types import Channel

from db.engine.database import APPLICATION_NAME, CONNECT_TIMEOUT, Database
from db.engine.errors import is_connection_lost
from db.job_queue import SETTINGS, WorkerQueries, build_queries
from db.tables import QUEUE_ENTRYPOINT
from domain.files import purge_expired
from domain.jobs.monitoring import send_missing_messages
from domain.jobs.runner import ChunkRunner
from server.jobs.metrics import JobMetrics

log = logging.getLogger("relaties")
MAX_CONCURRENT_CHUNKS = 2  # of different organizations; so a slow chunk does not hold up all others
EVERY_MINUTE = "* * * * *"
COMMAND_TIMEOUT_S = 10.0
RETRY_INTERVAL_S = 1.0


def report_chunk_error(job_id: UUID, error: Exception) -> None:
    """Log the error of a chunk. The log is the only place that has it."""
    log.error("a chunk of job %s failed", job_id, exc_info=error)


@dataclass
class JobWorker:
    """Take messages from the queue and run a chunk for each, until it is stopped."""

    direct_url: str
    database: Database
    runner: ChunkRunner
    metrics: JobMetrics
    _queue: PgQueuer | None = None

    async def run(self) -> None:
        """Run until `stop`. Connect again whenever the connection to the queue is lost."""
        while not self.runner.stopping.is_set():
            try:
                await self._run_queue()
            except Exception as error:
                if not is_connection_lost(error):
                    log.exception("the job queue failed")
            if not self.runner.stopping.is_set():
                log.warning("the connection to the job queue is lost; connecting again")
                await self._pause()

    def stop(self) -> None:
        """Take no more messages, and end once the running chunks are committed. Uninterrupted runs end after their current part."""
        self.runner.stopping.set()
        if self._queue:
            self._queue.shutdown.set()

    async def _run_queue(self) -> None:
        """Run the library's loop on one connection, until the worker is stopped or the connection is lost."""
        connection = await asyncpg.connect(
            self.direct_url, timeout=CONNECT_TIMEOUT, command_timeout=COMMAND_TIMEOUT_S, server_settings=APPLICATION_NAME
        )
        try:
            queries = build_queries(connection, WorkerQueries)
            queue = self._queue = PgQueuer(queries.driver, Channel(SETTINGS.channel), queries=queries)
            # Otherwise the loop would notice a lost connection only when it polls.
            connection.add_termination_listener(lambda _: queue.shutdown.set())
            queue.entrypoint(QUEUE_ENTRYPOINT)(self._handle)

            async def maintain(_schedule: Schedule) -> None:
                await self._maintain(queries)

            queue.schedule("maintenance", EVERY_MINUTE)(maintain)
            if self.runner.stopping.is_set():
                return
            await self._maintain(queries)
            await queue.run(
                dequeue_timeout=self.runner.lease / 3,
                batch_size=1,
                max_concurrent_tasks=MAX_CONCURRENT_CHUNKS,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self.runner.lease,
                log_aggregation_interval=timedelta(),
            )
        finally:
            self._queue = None
            connection.terminate()

    async def _handle(self, source: QueuedMessage) -> None:
        """Run one chunk, and repeat it after an error of the database. Once the worker is stopped, release the message instead.

        If that fails too, the message stays, and another worker takes it after the lease. No error leaves this function, because the
        library would write its text to the log of the queue.
        """
        while not self.runner.stopping.is_set():
            try:
                self.metrics.count_entries(await self.runner.handle(source))
            except Exception as error:
                if not is_connection_lost(error):
                    log.exception("a message of the job queue failed")
                await self._pause()
            else:
                return
        try:
            await self.runner.release(source)
        except Exception as error:
            if not is_connection_lost(error):
                log.exception("a message of the job queue could not be released")

    async def _pause(self) -> None:
        """Wait before the next attempt, or until the worker is stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.runner.stopping.wait(), RETRY_INTERVAL_S)

    async def _maintain(self, queries: Queries) -> None:
        """Purge the log of the queue, which grows with each chunk, send messages that are missing, and delete expired files."""
        await queries.clear_queue_log(QUEUE_ENTRYPOINT)
        await send_missing_messages(self.database)
        await purge_expired(self.database)
