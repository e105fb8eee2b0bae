"""How late the event loop is: what keeps it busy keeps every caller waiting."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

EVERY_S = 0.25
WINDOW_S = 60.0


class Lag:
    """Wakes four times a second and tells how much later than that it was."""

    def __init__(self, tell: Callable[[float], object], now: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._now = now
        self._due = float("inf")
        self._seen: deque[tuple[float, float]] = deque()

    async def watch(self) -> None:
        while True:
            self._due = self._now() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self.woke()

    def woke(self) -> None:
        now = self._now()
        late = max(0.0, now - self._due)
        self._tell(late)
        self._seen.append((now, late))
        while self._seen[0][0] < now - WINDOW_S:
            self._seen.popleft()

    def longest(self) -> float:
        """Of the last minute, also of a wait that is not over. Asked by another thread, so what it looks at is taken whole."""
        return max(0.0, self._now() - self._due, *(late for _, late in tuple(self._seen)))
