"""Compare the stored monthly balances of clients with their documents and payments, and repair them: at the command line or as a job."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from db.engine.database import Database
from db.queries import monthly_balances as rows
from db.tables import JobKind
from domain.core.errors import pluralize
from domain.core.scope import Actor, Permission, WriteScope, open_write_scope
from domain.jobs import lifecycle
from domain.jobs.handlers import Chunk, JobHandler

FIRST_ID = UUID(int=0)
BATCH_SIZE = 500  # clients that one unit of work checks and locks


async def verify_balances(owner: Database, organization: UUID, *, is_repairing: bool) -> AsyncIterator[tuple[int, int]]:
    """Yield for each batch of clients the number of checked and of wrong ones. Each batch is a unit of work."""
    after: UUID | None = FIRST_ID
    while after is not None:
        async with open_write_scope(owner, Actor.operator(organization), "doctor", is_long=True) as scope:
            scope.require(Permission.FINANCE_WRITE)
            ids, wrong_ids = await _verify_batch(scope, after, is_repairing=is_repairing)
        yield len(ids), len(wrong_ids)
        after = _next_start(ids)


async def _verify_batch(scope: WriteScope, after: UUID, *, is_repairing: bool) -> tuple[list[UUID], list[UUID]]:
    """Return the clients of the batch after a client, and those of them whose balances are wrong."""
    ids = await rows.client_ids(scope, after, BATCH_SIZE)
    wrong_ids = await rows.find_inconsistent(scope, ids)
    if wrong_ids and is_repairing:
        await rows.rebuild(scope, wrong_ids)
    return ids, wrong_ids


def _next_start(ids: list[UUID]) -> UUID | None:
    return ids[-1] if len(ids) == BATCH_SIZE else None


async def start_rebuild(scope: WriteScope, *, is_repairing: bool) -> UUID:
    """Start a job that compares the balances of all clients with their documents and payments. Return its id."""
    scope.require(REBUILD.permission)
    return await lifecycle.start(scope, JobKind.REVENUE_REBUILD, {"is_repairing": is_repairing})


async def _rebuild_chunk(scope: WriteScope, input: Mapping[str, Any], cursor: str | None) -> Chunk:
    is_repairing = input["is_repairing"]
    ids, wrong_ids = await _verify_batch(scope, UUID(cursor) if cursor else FIRST_ID, is_repairing=is_repairing)
    after = _next_start(ids)
    effect = "was rebuilt" if is_repairing else "was not changed"
    warnings = [f"The stored revenue of {pluralize(len(wrong_ids), 'client')} was wrong and {effect}."] if wrong_ids else []
    return Chunk(len(ids), None if after is None else str(after), warnings)


REBUILD = JobHandler("revenueRebuildStart", Permission.ORGANIZATION_WRITE, rows.count_clients, _rebuild_chunk)
