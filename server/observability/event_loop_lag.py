"""Measure the delay of the event loop. Work that blocks it delays all clients."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

INTERVAL_S = 0.25
WINDOW_S = 60.0


class EventLoopLag:
    """Wake up four times a second and record the delay."""

    def __init__(self, observe: Callable[[float], object], now: Callable[[], float] = time.monotonic) -> None:
        self._observe = observe
        self._now = now
        self._due = float("inf")
        self._samples: deque[tuple[float, float]] = deque()

    async def watch(self) -> None:
        while True:
            self._due = self._now() + INTERVAL_S
            await asyncio.sleep(INTERVAL_S)
            self.record_wakeup()

    def record_wakeup(self) -> None:
        now = self._now()
        late = max(0.0, now - self._due)
        self._observe(late)
        self._samples.append((now, late))
        while self._samples[0][0] < now - WINDOW_S:
            self._samples.popleft()

    def max_seconds(self) -> float:
        """Return the longest delay of the last minute, including a delay that still lasts.

        Another thread calls this, so it copies the samples.
        """
        return max(0.0, self._now() - self._due, *(late for _, late in tuple(self._samples)))
