"""Create actors that wait in queues, and run passes of the event loop."""

import asyncio
from uuid import UUID, uuid4

from domain.core.scope import ALL_PERMISSIONS, Actor

QUEUE_TIMEOUT_S = 8.0


def create_actor(tenant: UUID | None = None, *, has_token: bool = True) -> Actor:
    """Return an actor with all permissions, of a new organization unless a tenant is given."""
    return Actor(tenant or uuid4(), ALL_PERMISSIONS, token_id=uuid4() if has_token else None)


async def run_ready_tasks() -> None:
    """Let the event loop run until every task waits for something else."""
    for _ in range(10):
        await asyncio.sleep(0)
