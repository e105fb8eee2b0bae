"""Queries of idempotency keys."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, tuple_
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import select

from db.engine.protocols import UnitOfWork
from db.sql.expressions import col
from db.tables import IdempotencyKey
from db.tables.timestamps import now

RETENTION = timedelta(hours=24)
SWEEP_LIMIT = 100  # expired keys that one call deletes
KEY = (col(IdempotencyKey.tenant_id), col(IdempotencyKey.subject), col(IdempotencyKey.key))


async def claim(work: UnitOfWork, subject: UUID, key: str, request_hash: bytes) -> bool:
    """Claim the key and return whether that succeeded. Waits for a running request that has claimed it.

    A key older than `RETENTION` counts as absent and is claimed again.
    """
    values = {"request_hash": request_hash, "outcome": None, "created_at": now()}
    insertion = insert(IdempotencyKey).values(tenant_id=work.tenant, subject=subject, key=key, **values)
    is_old = col(IdempotencyKey.created_at) < now() - RETENTION
    statement = insertion.on_conflict_do_update(index_elements=["tenant_id", "subject", "key"], set_=values, where=is_old)
    result = await work.session.exec(statement.returning(func.length(col(IdempotencyKey.key))))
    return result.first() is not None


async def get(work: UnitOfWork, subject: UUID, key: str) -> IdempotencyKey:
    """Return the row of a key that exists."""
    statement = select(IdempotencyKey).where(
        col(IdempotencyKey.tenant_id) == work.tenant, col(IdempotencyKey.subject) == subject, col(IdempotencyKey.key) == key
    )
    return (await work.session.exec(statement)).one()


WAS_REJECTED = col(IdempotencyKey.outcome)["value"] == JSONB.NULL
HAS_MESSAGE = cast(col(IdempotencyKey.outcome)["value"], Text).contains('"message"')


async def delete_rejected(work: UnitOfWork) -> None:
    """Delete the keys of rejected requests: those changed nothing, and a retry must be decided again."""
    await work.session.exec(delete(IdempotencyKey).where(col(IdempotencyKey.tenant_id) == work.tenant, WAS_REJECTED))


async def find_with_messages(work: UnitOfWork) -> list[IdempotencyKey]:
    """Return the keys whose stored value contains error messages."""
    return [*await work.session.exec(select(IdempotencyKey).where(col(IdempotencyKey.tenant_id) == work.tenant, HAS_MESSAGE))]


async def delete_expired(work: UnitOfWork) -> None:
    """Delete up to `SWEEP_LIMIT` expired keys. Skips those that another transaction is deleting."""
    expired_keys = select(*KEY).where(col(IdempotencyKey.tenant_id) == work.tenant, col(IdempotencyKey.created_at) < now() - RETENTION)
    await work.session.exec(
        delete(IdempotencyKey).where(tuple_(*KEY).in_(expired_keys.limit(SWEEP_LIMIT).with_for_update(skip_locked=True)))
    )
