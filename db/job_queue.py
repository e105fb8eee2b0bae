"""Configure pgqueuer, the library that hands the messages of job queues to workers. Its tables have a schema of their own.

Importing the library takes some tenths of a second, so processes that serve requests import this module only when they start a job.
"""

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

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


def build_queries(connection: asyncpg.Connection) -> Queries:
    """Return the library's statements on a connection, and so in the transaction that is open on it."""
    builders = QueryBuilderEnvironment(SETTINGS), QueryQueueBuilder(SETTINGS), QuerySchedulerBuilder(SETTINGS)
    return Queries(AsyncpgDriver(connection), *builders)
