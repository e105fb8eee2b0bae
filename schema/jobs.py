"""GraphQL types of background jobs."""

from datetime import datetime
from operator import attrgetter

import strawberry

from db.rows import JobRow
from db.tables import JobFailureCode, JobKind, JobStatus
from domain.exports import starting
from domain.jobs import reads
from domain.organization import members
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import list_size, relation
from schema.core.row_type import Node, attribute, computed_field, row_type
from schema.members import Member

UNREADABLE = "callers without `CLIENTS_EXPORT`, or without `FINANCE_READ` if the file has figures."


@row_type(reads.JobProgress, description="Progress of a job.")
class JobProgress:
    done_count: int = computed_field(attrgetter("done_count"), "Number of entries that are processed.", name="done")
    total: int | None = attribute("Number of all entries. Null until the job has counted them.")
    rate: float | None = attribute("Entries per second since the job started. Null before the first entry is processed.")
    seconds_left: int | None = attribute("Estimated seconds until the job ends. Null if it is not running, or if that is unknown.")


@row_type(JobRow, reads.ExportJob, description="Reason why a job failed.")
class JobFailure:
    code: JobFailureCode = computed_field(attrgetter("failure_code"), "Stable code of the reason.")
    message: str = computed_field(attrgetter("failure_message"), "What happened, and what to do.")


@strawberry.interface(
    description="A background job. It continues after a crash, and what it has processed is kept if it fails or is cancelled. Members see "
    "their own jobs; with `ORGANIZATION_WRITE` they see all."
)
class Job(Node):
    kind: JobKind = attribute("Kind of job.")
    status: JobStatus = attribute("Status. Poll it, for example every two seconds, until it is final.")
    progress: JobProgress = computed_field(
        reads.estimate_progress, "Progress.", columns=("done_count", "total", "status", "started_at", "finished_at")
    )
    warnings: list[str] = attribute("What the job noticed, in sentences; at most 100.", directives=[list_size(5)])
    failure: JobFailure | None = computed_field(
        lambda job: job if job.failure_code else None, "Reason why the job failed. Null if it has not failed.", columns=("failure_code",)
    )
    created_by: Member | None = relation(members.by_id, "Member who started the job. Null for a machine token.", key="member_id")
    created_at: datetime = attribute("Time when the job was queued.")
    started_at: datetime | None = attribute("Time when a worker started the job. Null if none has.")
    finished_at: datetime | None = attribute("Time when the job ended. Null if it has not ended.")


@row_type(JobRow, description="A job that checks and rebuilds the stored revenue of all clients, in chunks of 500.")
class RevenueRebuildJob(Job): ...


@row_type(starting.ExportFile, description="A file that an export has made.")
class ClientExportFile:
    name: str = attribute("Name for the file, such as `clients-2026-01-31-0930.xlsx`.")
    size: float = attribute("Size in bytes.")
    expires_at: datetime = attribute("Time when the file is deleted.")


@row_type(
    reads.ExportJob,
    description="A job that writes clients to a file. It reads one snapshot: the file has the clients as they were when the job started to "
    "run.",
)
class ClientExportJob(Job):
    file: ClientExportFile | None = relation(
        starting.files_of_jobs, "The file. Null until the job has succeeded, once the file is deleted, and for " + UNREADABLE
    )
    download_url: str | None = relation(
        starting.download_urls,
        "URL that downloads the file without a token, relative to the URL of the server. It is valid for 15 minutes; each query returns a "
        "new one. Null when `file` is null.",
    )


@strawberry.type(description="A page of background jobs, newest first.")
class JobConnection(Connection[Job]):
    total_count: int | None = declare_total_count(reads.counts, cost=100)
