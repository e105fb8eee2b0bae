"""End the jobs that hold data of a client which is being deleted, and delete their files."""

from datetime import datetime, timedelta

from db.queries import jobs as rows
from db.queries import snapshots
from db.tables import JobKind, JobStatus
from domain import files
from domain.core.scope import WriteScope
from domain.jobs import lifecycle

# Times of files and clients come from the clocks of different machines.
CLOCK_DIFFERENCE = timedelta(minutes=5)
WARNING = "A client was deleted while this export had its data, so the export was cancelled. Start it again."


async def erase_exports(scope: WriteScope, since: datetime) -> None:
    """Erase the exports that may hold a client of the organization that exists since a time and is deleted in this unit of work.

    A running export has the client in its snapshot. A queued one may name it in its search. No export can open a snapshot until the commit.
    """
    await snapshots.prevent_snapshots(scope)
    for job in await rows.lock_unfinished(scope, JobKind.CLIENT_EXPORT):
        if job.status == JobStatus.RUNNING or job.input.get("names_clients"):
            job.warnings = [*job.warnings, WARNING]
            lifecycle.finish(job, JobStatus.CANCELLED)
    await files.delete_of_jobs(scope, await rows.find_with_files(scope, JobKind.CLIENT_EXPORT, since - CLOCK_DIFFERENCE))
