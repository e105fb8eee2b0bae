"""An event loop with a virtual clock, so that tests of timeouts and pauses are exact and take no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Report no events. Where the loop would sleep until a timer, advance its clock to it."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("Every task waits and no timer is set: a deadlock.")
        if not ready and timeout:
            self.loop.spend(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop for code without I/O. Its clock advances when all tasks wait for a timer, and by `spend`."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(selector := _Selector())
        selector.loop = self

    def time(self) -> float:
        return self._now

    def spend(self, seconds: float) -> None:
        """Advance the clock as work does that blocks the loop."""
        self._now += seconds


def spend(seconds: float) -> None:
    """Block the running loop for this time of its virtual clock."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.spend(seconds)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop with a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
