"""Messages of the job queue. Each says that an organization has unfinished jobs; an organization has at most one.

So one job of an organization runs at a time, and organizations alternate. A message has only the id of the organization.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, Self
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, cast, column, select, table

from db.engine.protocols import UnitOfWork
from db.engine.statement import Command
from db.sql.expressions import TENANT, parameter
from db.tables import QUEUE_ENTRYPOINT, QUEUE_SCHEMA

_queue = table(
    "pgqueuer", column("id", BigInteger()), column("queue_manager_id", Uuid()), column("dedupe_key", Text()), schema=QUEUE_SCHEMA
)
LOCK = Command(
    select(_queue.c.id)
    .where(
        _queue.c.dedupe_key == cast(TENANT, Text()),
        _queue.c.id == parameter("message", BigInteger()),
        _queue.c.queue_manager_id == parameter("owner", Uuid()),
    )
    .with_for_update(),
    "message to lock",
)


@dataclass(frozen=True)
class Message:
    """A message that a worker has taken from the queue. `owner` is the id that the library gave to that run of the worker.

    `source` is the library's row. Its class is not named, because importing it would import the library.
    """

    tenant: UUID
    owner: UUID
    source: Any

    @classmethod
    def parse(cls, source: Any) -> Self:  # noqa: ANN401 see the class
        """Return the message of a row of the queue that a worker has taken."""
        return cls(UUID(source.payload.decode()), source.queue_manager_id, source)


async def lock(work: UnitOfWork, message: Message) -> bool:
    """Lock the message until the unit of work ends. Return False if the worker does not hold it any more, so it must write nothing."""
    return await work.execute(LOCK, message=message.source.id, owner=message.owner) == 1


async def send(work: UnitOfWork, delay: timedelta | None = None) -> None:
    """Send the message of the organization when the unit of work is committed. If it has one already, that one is locked until then.

    With that lock, a worker can take or delete the earlier message only when it sees what this unit of work has written. An insertion that
    skips the conflict would lock nothing: the worker could take the earlier message, find nothing to do and delete it before the commit.
    """
    queries, tenant = await _queries(work), str(work.tenant)
    await queries.enqueue(QUEUE_ENTRYPOINT, tenant.encode(), execute_after=delay, dedupe_key=tenant, on_conflict="update_priority")


async def delete(work: UnitOfWork, message: Message) -> None:
    """Delete a message that the unit of work has locked."""
    await (await _queries(work)).log_jobs([(message.source, "successful", None)])


async def _queries(work: UnitOfWork) -> Any:  # noqa: ANN401 see `Message`
    # The import blocks for some tenths of a second, so it runs in a thread.
    job_queue = await asyncio.to_thread(import_module, "db.job_queue")
    await work.session.flush()
    return job_queue.build_queries(work.driver)
