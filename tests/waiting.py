"""Waiting for what must come about, however busy the machine is."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_S = 60


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Asks until it holds. What is asked takes a turn of the event loop, so this one keeps nobody from it."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            pass
