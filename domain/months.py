"""Whether what is kept of the clients' months is what their documents and payments come to; where it is not, it is put right."""

from collections.abc import AsyncIterator
from uuid import UUID

from db import months as rows
from db.engine import Database
from domain.scope import Actor, Permission, writing

FIRST = UUID(int=0)
AT_ONCE = 500  # clients that are looked at, and held, by one unit of work


async def wrong(owner: Database, organization: UUID, *, is_mended: bool) -> AsyncIterator[tuple[int, int]]:
    """How many clients were looked at, and how many of them were wrong: part after part, each a unit of work."""
    after: UUID | None = FIRST
    while after is not None:
        async with writing(owner, Actor.operator(organization), "doctor", is_long=True) as scope:
            scope.must(Permission.FINANCE_WRITE)
            ids = await rows.client_ids(scope, after, AT_ONCE)
            found = await rows.find_inconsistent(scope, ids)
            if found and is_mended:
                await rows.rebuild(scope, found)
        yield len(ids), len(found)
        after = ids[-1] if len(ids) == AT_ONCE else None
