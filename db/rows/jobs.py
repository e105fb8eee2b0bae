"""Rows of jobs."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


class JobRow(Row):
    id: UUID
    kind: str
    status: str
    member_id: UUID | None
    token_id: UUID | None
    done_count: int
    total: int | None
    warnings: list[str]
    failure_code: str | None
    failure_message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class DueJobRow(Row):
    """A job that is queued or running. `input` is JSON."""

    id: UUID
    kind: str
    member_id: UUID | None
    token_id: UUID | None
    input: str
    cursor: str | None
    total: int | None
    warning_count: int
    attempts: int


class JobStatisticsRow(Row):
    """Numbers of the unfinished jobs of all organizations, and the time when the oldest of them was queued."""

    queued: int
    running: int
    oldest_created_at: datetime | None


class RequesterRow(Row):
    """The member and the token that started a job, as far as their permissions follow from it. The columns of a missing one are null."""

    member_id: UUID | None
    member_role: str | None
    member_is_active: bool | None
    token_id: UUID | None
    token_role: str | None
    scope: list[str] | None
    expires_at: datetime | None
    revoked_at: datetime | None
