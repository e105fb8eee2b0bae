"""Who asks during an attack: the nested query and a small one, again and again, each on a connection of its own."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import cycle

from benchmarks.attacks.results import REFUSED_MS
from benchmarks.load import Target, exchanged
from benchmarks.queries import CLIENT, NAMES, PAGE

PAUSE_S = 0.04  # between requests: within what a token may ask in the long run
ASKED: dict[str, dict[str, object]] = {
    "nested": {"query": f"{PAGE} {CLIENT}", "variables": {"first": 25}},
    "small": {"query": NAMES, "variables": {"first": 10}},
}


class Asking:
    """One caller, with one token or with many in turn, on connections that stay open or on a new one each time."""

    def __init__(self, port: int, tokens: Sequence[str], *, reconnects: bool = False) -> None:
        self._reconnects = reconnects
        self._port = port
        self._tokens: Iterator[str] = cycle(tokens)
        self._open: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self.refused = 0

    async def during(self, seconds: float) -> dict[str, list[float]]:
        """Milliseconds of each answer. One that is refused, or does not come, counts as the longest there may be."""
        until = time.perf_counter() + seconds
        taken = await asyncio.gather(*(self._asked(name, until) for name in ASKED))
        return dict(zip(ASKED, taken, strict=True))

    def close(self) -> None:
        for _, writer in self._open.values():
            writer.close()

    async def _asked(self, name: str, until: float) -> list[float]:
        taken = list[float]()
        while not taken or time.perf_counter() < until:
            request = Target("", self._port, next(self._tokens)).request(ASKED[name])
            start = time.perf_counter()
            try:
                async with asyncio.timeout(REFUSED_MS / 1000):
                    if name not in self._open:
                        self._open[name] = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
                    await exchanged(*self._open[name], request)
                taken.append((time.perf_counter() - start) * 1000)
            except (RuntimeError, OSError, TimeoutError, asyncio.IncompleteReadError):
                self.refused += 1
                taken.append(REFUSED_MS)
                self._drop(name)
            if self._reconnects:
                self._drop(name)
            await asyncio.sleep(PAUSE_S)
        return taken

    def _drop(self, name: str) -> None:
        if name in self._open:
            self._open.pop(name)[1].close()
