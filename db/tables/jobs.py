"""Background jobs. The row of a job is what users see of it, and what decides how it continues after a crash."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import Column, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field as ColumnField

from db.tables.base import ENUM_TEXT, Entity, check, enum_check, foreign_key, organization_foreign_key
from db.tables.timestamps import now


class JobKind(StrEnum):
    """The work of a job."""

    REVENUE_REBUILD = "REVENUE_REBUILD"
    CLIENT_EXPORT = "CLIENT_EXPORT"


class JobStatus(StrEnum):
    """The status of a job. The last three are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class JobFailureCode(StrEnum):
    """Why a job failed."""

    ACCESS_LOST = "ACCESS_LOST"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    FILE_QUOTA_EXCEEDED = "FILE_QUOTA_EXCEEDED"
    TOO_MANY_ROWS = "TOO_MANY_ROWS"


UNFINISHED = text("status IN ('QUEUED', 'RUNNING')")


class Job(Entity, table=True):
    """A background job. It runs in chunks; each chunk commits its changes together with `cursor` and `done_count`.

    `owner` is the worker that claimed the job, until `lease_until` at least. `attempts` counts the claims since the last committed chunk.
    A job that runs without interruption starts at 0 with each claim. Its `cursor` is the highest count that it has reached, and `attempts`
    counts the claims since it last got further.

    `cursor`, `warnings` and `failure_message` hold no personal data. `input` may name a client, such as in the search of an export, until
    the job ends; the deletion of a client ends such jobs.
    """

    __tablename__ = "job"
    __table_args__ = (
        organization_foreign_key(),
        foreign_key("member", "member_id"),
        foreign_key("api_token", "token_id"),
        enum_check("kind", JobKind),
        enum_check("status", JobStatus),
        enum_check("failure_code", JobFailureCode),
        check("counts", "done_count >= 0 AND total >= 0 AND attempts >= 0"),
        check("failure", "(status = 'FAILED') = (failure_code IS NOT NULL) AND (failure_code IS NULL) = (failure_message IS NULL)"),
        check("finished", "(finished_at IS NULL) = (status IN ('QUEUED', 'RUNNING'))"),
        check("lease", "(status = 'RUNNING') = (owner IS NOT NULL) AND (owner IS NULL) = (lease_until IS NULL)"),
        Index("job_unfinished", "tenant_id", text("status DESC"), "id", postgresql_where=UNFINISHED),
        Index("job_running", "tenant_id", unique=True, postgresql_where=text("status = 'RUNNING'")),  # one at a time
        Index("job_by_member", "tenant_id", "member_id", "id"),
        Index("job_by_token", "tenant_id", "token_id", "id"),
    )
    kind: Annotated[JobKind, ENUM_TEXT]
    status: Annotated[JobStatus, ENUM_TEXT] = JobStatus.QUEUED
    member_id: UUID | None = None
    token_id: UUID | None = None
    input: dict[str, Any] = ColumnField(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    cursor: str | None = ColumnField(default=None, max_length=200)
    done_count: int = 0
    total: int | None = None
    warnings: list[str] = ColumnField(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    failure_code: Annotated[JobFailureCode | None, ENUM_TEXT] = None
    failure_message: str | None = ColumnField(default=None, max_length=500)
    attempts: int = 0
    owner: UUID | None = None
    lease_until: datetime | None = None
    created_at: datetime = ColumnField(default_factory=now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
