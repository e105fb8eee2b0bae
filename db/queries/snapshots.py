"""A lock between the long snapshots of an organization and the deletion of its clients.

A job takes the lock, shared, while it opens its snapshot. A deletion takes it, exclusive, from before it looks for running jobs until its
commit. So a snapshot that contains the client belongs to a job that the deletion sees, and every other snapshot is opened after the commit.
"""

from sqlalchemy import Integer, Text, cast, func, literal_column, select

from db.engine.protocols import UnitOfWork
from db.engine.statement import Command
from db.sql.expressions import TENANT

SNAPSHOT_LOCK = 735_823_015  # the first key of an advisory lock: an arbitrary number that nothing else uses
KEYS = literal_column(str(SNAPSHOT_LOCK), Integer()), func.hashtext(cast(TENANT, Text()))
LOCK_SHARED = Command(select(func.pg_advisory_xact_lock_shared(*KEYS)), "snapshots of an organization")
LOCK_EXCLUSIVE = Command(select(func.pg_advisory_xact_lock(*KEYS)), "snapshots of an organization")
# A deletion can take a minute, longer than the role waits for a lock.
WAIT_LONGER = "SET LOCAL lock_timeout = 0"


async def allow_snapshot(work: UnitOfWork) -> None:
    """Wait for deletions that are not committed. Until the unit of work ends, no other one begins to look for running jobs."""
    await work.driver.execute(WAIT_LONGER)
    await work.execute(LOCK_SHARED)


async def prevent_snapshots(work: UnitOfWork) -> None:
    """Let no job of the organization open a snapshot until the unit of work ends."""
    await work.execute(LOCK_EXCLUSIVE)
