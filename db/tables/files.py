"""Files that jobs make, such as exports. Their bytes are in the database, so that each server on each machine can serve them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field as ColumnField

from db.tables.base import Entity, Table, check, foreign_key
from db.tables.timestamps import now

PART_BYTES = 262_144  # the bytes of a part; a download holds one part in memory


class File(Entity, table=True):
    """A file that a job has made. Once it has expired it is never served, and maintenance deletes it."""

    __tablename__ = "file"
    __table_args__ = (
        foreign_key("job", "job_id"),
        check("size", "size >= 0"),
        check("expires", "expires_at > created_at"),
        Index("file_by_job", "tenant_id", "job_id"),
        Index("file_by_expiry", "tenant_id", "expires_at", "id"),
    )
    job_id: UUID
    name: str = ColumnField(max_length=200)
    content_type: str = ColumnField(max_length=100)
    size: int = ColumnField(sa_type=BigInteger)
    created_at: datetime = ColumnField(default_factory=now)
    expires_at: datetime


class FilePart(Table, table=True):
    """A part of a file. All parts have `PART_BYTES`, except that the last one may have fewer. An empty file has no parts."""

    __tablename__ = "file_part"
    __table_args__ = (
        foreign_key("file", "file_id"),
        check("number", "number >= 0"),
        check("content", f"octet_length(content) BETWEEN 1 AND {PART_BYTES}"),
    )
    file_id: UUID = ColumnField(primary_key=True)
    number: int = ColumnField(primary_key=True)
    content: bytes = ColumnField(sa_type=LargeBinary)
