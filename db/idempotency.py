"""Queries of requests that were answered."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, tuple_
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import select

from db.engine import Work
from db.moments import now
from db.query import col
from db.tables import IdempotencyKey

KEPT = timedelta(hours=24)
SWEPT = 100  # old ones, each time
KEY = (col(IdempotencyKey.tenant_id), col(IdempotencyKey.subject), col(IdempotencyKey.key))


async def claimed(work: Work, subject: UUID, key: str, request_hash: bytes) -> bool:
    """Whether the key is ours; waits for a request at work with it, whose end decides. One that is older than a day is as good as none."""
    values = {"request_hash": request_hash, "outcome": None, "created_at": now()}
    made = insert(IdempotencyKey).values(tenant_id=work.tenant, subject=subject, key=key, **values)
    is_old = col(IdempotencyKey.created_at) < now() - KEPT
    claim = made.on_conflict_do_update(index_elements=["tenant_id", "subject", "key"], set_=values, where=is_old)
    found = await work.session.exec(claim.returning(func.length(col(IdempotencyKey.key))))
    return found.first() is not None


async def kept(work: Work, subject: UUID, key: str) -> IdempotencyKey:
    """The row of a key."""
    mine = select(IdempotencyKey).where(
        col(IdempotencyKey.tenant_id) == work.tenant, col(IdempotencyKey.subject) == subject, col(IdempotencyKey.key) == key
    )
    return (await work.session.exec(mine)).one()


REFUSED = col(IdempotencyKey.outcome)["value"] == JSONB.NULL
TOLD = cast(col(IdempotencyKey.outcome)["value"], Text).contains('"message"')


async def forget_refused(work: Work) -> None:
    """As if they had never been asked: they changed nothing, and would be refused again or not."""
    await work.session.exec(delete(IdempotencyKey).where(col(IdempotencyKey.tenant_id) == work.tenant, REFUSED))


async def with_sentences(work: Work) -> list[IdempotencyKey]:
    """Those whose value tells of parts that were refused."""
    return [*await work.session.exec(select(IdempotencyKey).where(col(IdempotencyKey.tenant_id) == work.tenant, TOLD))]


async def sweep(work: Work) -> None:
    """Some of the old ones; what another is at, that one does."""
    old = select(*KEY).where(col(IdempotencyKey.tenant_id) == work.tenant, col(IdempotencyKey.created_at) < now() - KEPT)
    await work.session.exec(delete(IdempotencyKey).where(tuple_(*KEY).in_(old.limit(SWEPT).with_for_update(skip_locked=True))))
