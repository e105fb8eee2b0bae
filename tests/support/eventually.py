"""Waiting for what must come about, however busy the machine is."""

import asyncio
from collections.abc import Awaitable, Callable

TIMEOUT_S = 60


async def wait_until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds. Evaluating it yields to the event loop."""
    async with asyncio.timeout(TIMEOUT_S):
        while not await condition():
            pass
