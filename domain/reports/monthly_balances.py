"""Compare the stored monthly balances of clients with their documents and payments, and repair them."""

from collections.abc import AsyncIterator
from uuid import UUID

from db.engine.database import Database
from db.queries import monthly_balances as rows
from domain.core.scope import Actor, Permission, open_write_scope

FIRST_ID = UUID(int=0)
BATCH_SIZE = 500  # clients that one unit of work checks and locks


async def verify_balances(owner: Database, organization: UUID, *, is_repairing: bool) -> AsyncIterator[tuple[int, int]]:
    """Yield for each batch of clients the number of checked and of wrong ones. Each batch is a unit of work."""
    after: UUID | None = FIRST_ID
    while after is not None:
        async with open_write_scope(owner, Actor.operator(organization), "doctor", is_long=True) as scope:
            scope.require(Permission.FINANCE_WRITE)
            ids = await rows.client_ids(scope, after, BATCH_SIZE)
            wrong_ids = await rows.find_inconsistent(scope, ids)
            if wrong_ids and is_repairing:
                await rows.rebuild(scope, wrong_ids)
        yield len(ids), len(wrong_ids)
        after = ids[-1] if len(ids) == BATCH_SIZE else None
