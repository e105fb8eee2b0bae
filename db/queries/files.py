"""Queries of files and their parts. An expired file is found only by those that delete it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    and_,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP

from db.engine.database import Database
from db.engine.protocols import Transaction, UnitOfWork
from db.engine.statement import Command, Query
from db.rows import FileBytesRow, FilePartRow, FileRow, IdRow
from db.sql.expressions import TENANT, col, columns, id_in, parameter
from db.sql.fetchers import RowFetcher
from db.tables import SCHEMA, File, FilePart
from db.tables.base import table_of

QUOTA_LOCK = 735_823_014  # the first key of an advisory lock: an arbitrary number that nothing else uses
DELETE_LIMIT = 64  # parts that one statement deletes, 16 MB: it takes some hundredths of a second
FILE, NUMBER = parameter("file", Uuid()), parameter("part", Integer())
IS_VALID = col(File.expires_at) > func.now()
ONE = literal_column("1", Integer())
INSERT = Command(
    insert(table_of(File)).values(
        tenant_id=TENANT,
        id=FILE,
        job_id=parameter("job", Uuid()),
        name=parameter("file_name", Text()),
        content_type=parameter("media_type", Text()),
        size=parameter("bytes", BigInteger()),
        created_at=parameter("created", TIMESTAMP(timezone=True)),
        expires_at=parameter("expires", TIMESTAMP(timezone=True)),
    ),
    "file",
)
INSERT_PART = Command(
    insert(table_of(FilePart)).values(tenant_id=TENANT, file_id=FILE, number=NUMBER, content=parameter("content_bytes", LargeBinary())),
    "part of a file",
)
BY_ID = Query(select(*columns(FileRow, File)).where(col(File.tenant_id) == TENANT, id_in(col(File.id)), IS_VALID), FileRow)
OF_JOBS = Query(select(*columns(FileRow, File)).where(col(File.tenant_id) == TENANT, id_in(col(File.job_id)), IS_VALID), FileRow)
PART = Query(
    select(*columns(FilePartRow, FilePart))
    .join_from(
        table_of(FilePart), table_of(File), and_(col(File.tenant_id) == col(FilePart.tenant_id), col(File.id) == col(FilePart.file_id))
    )
    .where(col(FilePart.tenant_id) == TENANT, col(FilePart.file_id) == FILE, col(FilePart.number) == NUMBER, IS_VALID),
    FilePartRow,
)
TOTAL_BYTES = Query(
    select(cast(func.coalesce(func.sum(col(File.size)), literal_column("0", Integer())), BigInteger()).label("total")).where(
        col(File.tenant_id) == TENANT, IS_VALID
    ),
    FileBytesRow,
)
LOCK_QUOTA = Command(
    select(func.pg_advisory_xact_lock(literal_column(str(QUOTA_LOCK), Integer()), func.hashtext(cast(TENANT, Text())))), "quota of files"
)
LOCK_OF_JOBS = Query(
    select(*columns(IdRow, File)).where(col(File.tenant_id) == TENANT, id_in(col(File.job_id))).order_by(col(File.id)).with_for_update(),
    IdRow,
)
LOCK_EXPIRED = Query(
    select(*columns(IdRow, File))
    .where(col(File.tenant_id) == TENANT, col(File.expires_at) <= func.now())
    .order_by(col(File.expires_at), col(File.id))
    .limit(ONE)
    .with_for_update(skip_locked=True),
    IdRow,
)
_PART_KEY = (col(FilePart.tenant_id), col(FilePart.file_id), col(FilePart.number))
DELETE_PARTS = Command(
    delete(table_of(FilePart)).where(
        tuple_(*_PART_KEY).in_(
            select(*_PART_KEY)
            .where(col(FilePart.tenant_id) == TENANT, col(FilePart.file_id) == FILE)
            .limit(literal_column(str(DELETE_LIMIT), Integer()))
        )
    ),
    "parts of a file",
)
DELETE = Command(delete(table_of(File)).where(col(File.tenant_id) == TENANT, col(File.id) == FILE), "file")
# A function of the database that reads the files of all organizations, which row-level security hides from the server.
WITH_EXPIRED = f"SELECT id FROM {SCHEMA}.organizations_with_expired_files()"  # noqa: S608 a constant of ours

by_id = RowFetcher(BY_ID)
of_jobs = RowFetcher(OF_JOBS, "job_id")


async def add(work: UnitOfWork, file: File) -> None:
    """Insert a file without its parts. It is not written through the session, as the audit log records only its job."""
    await work.execute(
        INSERT,
        file=file.id,
        job=file.job_id,
        file_name=file.name,
        media_type=file.content_type,
        bytes=file.size,
        created=file.created_at,
        expires=file.expires_at,
    )


async def add_part(work: UnitOfWork, file_id: UUID, number: int, content: bytes) -> None:
    await work.execute(INSERT_PART, file=file_id, part=number, content_bytes=content)


async def read_part(tx: Transaction, file_id: UUID, number: int) -> bytes | None:
    """Return a part of a file. None if the file has expired or is deleted."""
    return next((row.content for row in await tx.fetch(PART, file=file_id, part=number)), None)


async def total_bytes(tx: Transaction) -> int:
    """Return the bytes of the organization's files that have not expired."""
    (row,) = await tx.fetch(TOTAL_BYTES)
    return row.total


async def lock_quota(work: UnitOfWork) -> None:
    """Wait until no other unit of work of the organization holds this lock, and hold it until this one ends."""
    await work.execute(LOCK_QUOTA)


async def lock_of_jobs(work: UnitOfWork, job_ids: Sequence[UUID]) -> list[UUID]:
    """Lock the files of the jobs, also expired ones, and return their ids."""
    return [row.id for row in await work.fetch(LOCK_OF_JOBS, ids=[*job_ids])]


async def lock_expired(work: UnitOfWork) -> UUID | None:
    """Lock an expired file that no other transaction is deleting, and return its id."""
    return next((row.id for row in await work.fetch(LOCK_EXPIRED)), None)


async def delete_parts(work: UnitOfWork, file_id: UUID) -> bool:
    """Delete up to `DELETE_LIMIT` parts of a file. Return whether that were all."""
    return await work.execute(DELETE_PARTS, file=file_id) < DELETE_LIMIT


async def delete_without_parts(work: UnitOfWork, file_id: UUID) -> None:
    await work.execute(DELETE, file=file_id)


async def find_with_expired(database: Database) -> list[UUID]:
    """Return the organizations that have expired files."""
    return [row.id for row in await database.fetch_across_tenants(WITH_EXPIRED, IdRow)]
