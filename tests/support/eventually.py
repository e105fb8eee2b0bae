"""Wait for a condition that must come true, however slow the machine is."""

import asyncio
from collections.abc import Awaitable, Callable

TIMEOUT_S = 60


async def wait_until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Evaluate the condition until it holds, and fail after a minute. The condition must yield to the event loop."""
    async with asyncio.timeout(TIMEOUT_S):
        while not await condition():
            pass
