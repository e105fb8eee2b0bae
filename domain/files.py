"""Store files that jobs make, sign URLs to download them, and delete them once they have expired.

A file is in the database in parts, under the same row-level security as all data. So backups include it, each server on each machine can
serve it, and a download holds one part in memory.
"""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, ClassVar
from uuid import UUID

from db.engine.database import Database
from db.engine.protocols import UnitOfWork
from db.engine.query_stats import QueryStats
from db.queries import files as rows
from db.rows import FileRow
from db.tables import PART_BYTES, File
from db.tables.timestamps import now
from domain.core.scope import Scope
from domain.core.signing import TimedSigner

PATH = "/downloads/"
PURPOSE = b"download"
URL_LIFETIME = timedelta(minutes=15)
MAX_LIFETIME = timedelta(hours=24)
SIGNED = re.compile(r"([0-9a-f]{32})([A-Za-z0-9_-]{48})")  # the organization, and the token, whose payload is the id of the file
MAX_PURGED_BATCHES = 256  # of one call, 4 GB: it must not hold up the maintenance for long

of_jobs = rows.of_jobs


@dataclass(frozen=True)
class FileLimits:
    """The bytes that the unexpired files of an organization may take, and the time until a file expires."""

    max_bytes: int = 5_000_000_000
    lifetime: timedelta = MAX_LIFETIME


@dataclass(frozen=True)
class NewFile:
    """A file that a job has made."""

    job_id: UUID
    name: str
    content_type: str


class FileQuotaExceededError(Exception):
    """The file does not fit into the quota of its organization. Roll back the unit of work, or the savepoint of `store`."""

    code: ClassVar[str] = "FILE_QUOTA_EXCEEDED"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"The files of your organization may take {max_bytes} bytes together, and this one does not fit. Wait until an older file "
            "expires, or request less."
        )


class FileChangedError(Exception):
    """The local file became shorter while it was stored. This is a bug."""


async def store(work: UnitOfWork, new_file: NewFile, path: Path, limits: FileLimits = FileLimits()) -> UUID:
    """Store a finished local file in this unit of work, and return its id. One part of it is in memory at a time.

    The unit of work must be READ COMMITTED, so that it sees the files that others have committed meanwhile. Call this late in it: the
    quota is locked from the end of this call to the end of the unit of work. Raises `FileQuotaExceededError`.
    """
    local_file, size = await asyncio.to_thread(_open, path)
    try:
        # Refuse early what cannot fit. Only the check after the lock is exact.
        if await rows.total_bytes(work) + size > limits.max_bytes:
            raise FileQuotaExceededError(limits.max_bytes)
        created_at = now()
        file = File(
            tenant_id=work.tenant,
            **vars(new_file),
            size=size,
            created_at=created_at,
            expires_at=created_at + min(limits.lifetime, MAX_LIFETIME),
        )
        await rows.add(work, file)
        await _store_parts(work, file, local_file)
    finally:
        local_file.close()
    await rows.lock_quota(work)
    if await rows.total_bytes(work) > limits.max_bytes:
        raise FileQuotaExceededError(limits.max_bytes)
    return file.id


def _open(path: Path) -> tuple[BinaryIO, int]:
    local_file = path.open("rb")
    return local_file, os.fstat(local_file.fileno()).st_size


async def _store_parts(work: UnitOfWork, file: File, local_file: BinaryIO) -> None:
    for number in range(count_parts(file.size)):
        part_size = min(PART_BYTES, file.size - number * PART_BYTES)
        content = await asyncio.to_thread(local_file.read, part_size)
        if len(content) != part_size:
            raise FileChangedError
        await rows.add_part(work, file.id, number, content)


def count_parts(size: int) -> int:
    return -(-size // PART_BYTES)


async def delete_of_jobs(work: UnitOfWork, job_ids: Sequence[UUID]) -> int:
    """Delete the files of these jobs, and return their number. A download that is running ends without its last part."""
    file_ids = await rows.lock_of_jobs(work, job_ids)
    for file_id in file_ids:
        while not await rows.delete_parts(work, file_id):
            pass
        await rows.delete_without_parts(work, file_id)
    return len(file_ids)


async def purge_expired(database: Database) -> int:
    """Delete the expired files of all organizations, in short transactions, and return their number.

    What is left after `MAX_PURGED_BATCHES` is deleted by the next call. Concurrent calls work on different files.
    """
    file_count, batch_count = 0, 0
    for tenant in await rows.find_with_expired(database):
        while batch_count < MAX_PURGED_BATCHES:
            async with database.unit_of_work(tenant) as work:
                file_id = await rows.lock_expired(work)
                if file_id is None:
                    break
                batch_count += 1
                # The parts go first: if this is interrupted, the row of the file leads the next call to the rest of them.
                if await rows.delete_parts(work, file_id):
                    await rows.delete_without_parts(work, file_id)
                    file_count += 1
    return file_count


def sign_download(scope: Scope, file_id: UUID) -> str:
    """Return the path of a URL that downloads the file without a token, for `URL_LIFETIME`. The caller has checked the right to read it."""
    token = scope.signer(PURPOSE, URL_LIFETIME).issue(file_id.bytes, b"", issued_at=now())
    return f"{PATH}{scope.actor.tenant.hex}{token}"


@dataclass(frozen=True)
class SignedFile:
    """The organization and the id of a file, from a valid signature."""

    tenant: UUID
    file_id: UUID


def verify_download(secrets: Sequence[bytes], signed: str) -> SignedFile | None:
    """Return the file that the last part of a download's path names. None if it is not signed by this server, or too old."""
    match = SIGNED.fullmatch(signed)
    if match is None:
        return None
    tenant = UUID(hex=match[1])
    try:
        payload = TimedSigner(secrets, tenant, PURPOSE, URL_LIFETIME).accept(match[2], b"")
    except ValueError:
        return None
    return SignedFile(tenant, UUID(bytes=payload))


@dataclass(frozen=True)
class Download:
    """A file that is being downloaded. It holds a connection to the database only while it reads a part."""

    file: FileRow
    _database: Database
    _tenant: UUID

    async def read_part(self, number: int) -> bytes | None:
        """Return a part of the file. None if the file has expired or is deleted."""
        tx = self._database.read(self._tenant)
        tx.expect_one_statement()
        try:
            return await rows.read_part(tx, self.file.id, number)
        finally:
            await tx.end()


async def open_download(database: Database, signed_file: SignedFile, stats: QueryStats | None = None) -> Download | None:
    """Return the download of a file. None if the file has expired or is deleted."""
    tx = database.read(signed_file.tenant, stats)
    tx.expect_one_statement()
    try:
        (file,) = await rows.by_id(tx, [signed_file.file_id])
    finally:
        await tx.end()
    return Download(file, database, signed_file.tenant) if file else None
