"""Configure pgqueuer, the library that hands the messages of job queues to workers. Its tables have a schema of their own.

Importing the library takes some tenths of a second, so processes that serve requests import this module only when they start a job.
"""

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import JOB_STATUS, Channel

from db.tables import QUEUE_SCHEMA

# All names are given here, because the library would otherwise read them from environment variables such as `CHANNEL` and `TRIGGER`.
SETTINGS = DBSettings(
    prefix="",
    db_schema=QUEUE_SCHEMA,
    channel=Channel(QUEUE_SCHEMA),
    function="fn_pgqueuer_changed",
    trigger="tg_pgqueuer_changed",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    statistics_table="pgqueuer_statistics",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=False,
)


class WorkerQueries(Queries):
    """The library's statements for the loop of a worker, except for the one that deletes a message after its handler has ended.

    The transaction of a chunk deletes its message itself. The library would delete it by its id alone: a worker that was stopped for longer
    than its lease would delete the message that another worker holds by then, and nothing would continue the organization's jobs.
    """

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """Keep the message."""


def build_queries(connection: asyncpg.Connection, kind: type[Queries] = Queries) -> Queries:
    """Return the library's statements on a connection, and so in the transaction that is open on it."""
    builders = QueryBuilderEnvironment(SETTINGS), QueryQueueBuilder(SETTINGS), QuerySchedulerBuilder(SETTINGS)
    return kind(AsyncpgDriver(connection), *builders)
