"""Store files as a job does, and sign their URLs."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from db.engine.database import Database
from domain.core.scope import ALL_PERMISSIONS, Actor, Scope
from domain.core.signing import TimedSigner
from domain.files import PATH, PURPOSE, URL_LIFETIME, FileLimits, NewFile, sign_download, store
from tests.support.api import SECRET_KEYS
from tests.support.builders import CREATED_AT, Tenant
from tests.support.owner import OwnerTransaction

NAME, CONTENT_TYPE = "clients.csv", "text/csv; charset=utf-8"
EXPIRE = "UPDATE relaties.file SET created_at = created_at - interval '2 days', expires_at = now() WHERE id = ANY ($1)"


def make_content(size: int) -> bytes:
    """Return bytes that differ from part to part, so that a wrong order or a wrong offset is seen."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


async def store_content(
    database: Database, org: Tenant, folder: Path, content: bytes, name: str = NAME, limits: FileLimits | None = None
) -> UUID:
    """Store a file of a new job, and return its id."""
    job = await org.add_job(status="SUCCEEDED", finished_at=CREATED_AT)
    path = folder / str(job)
    path.write_bytes(content)
    async with database.unit_of_work(org.id) as work:
        return await store(work, NewFile(job, name, CONTENT_TYPE), path, limits or FileLimits())


async def read_stored(owner: asyncpg.Connection, file_id: UUID) -> bytes:
    """Return the stored content of a file."""
    rows = await owner.fetch("SELECT content FROM relaties.file_part WHERE file_id = $1 ORDER BY number", file_id)
    return b"".join(row["content"] for row in rows)


async def expire(owner: asyncpg.Connection, *file_ids: UUID) -> None:
    """Move the times of files, so that they have expired now."""
    await owner.execute(EXPIRE, [*file_ids])


def sign(org: Tenant, file_id: UUID) -> str:
    """Return the path of a URL that downloads the file."""
    actor = Actor(org.id, ALL_PERMISSIONS)
    return sign_download(Scope(actor, OwnerTransaction(org.owner, org.id), SECRET_KEYS), file_id)


def sign_at(
    org: Tenant,
    file_id: UUID,
    issued_at: datetime,
    *,
    purpose: bytes = PURPOSE,
    max_age: timedelta = URL_LIFETIME,
    secret: bytes = SECRET_KEYS[0],
) -> str:
    """Return the path that is signed at another time, for another purpose or with another secret."""
    token = TimedSigner([secret], org.id, purpose, max_age).issue(file_id.bytes, b"", issued_at=issued_at)
    return f"{PATH}{org.id.hex}{token}"
