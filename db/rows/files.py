"""Rows of files."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


class FileRow(Row):
    id: UUID
    job_id: UUID
    name: str
    content_type: str
    size: int
    created_at: datetime
    expires_at: datetime


class FilePartRow(Row):
    content: bytes


class FileBytesRow(Row):
    """The sum of the sizes of files."""

    total: int
