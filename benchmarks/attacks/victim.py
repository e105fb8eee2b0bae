"""Send the victim's requests during an attack: the nested query and a small one, each repeated on its own connection."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import cycle

from benchmarks.attacks.results import REFUSED_MS
from benchmarks.load import Target, exchange
from benchmarks.queries import CLIENT, NAMES, PAGE

PAUSE_S = 0.04  # between requests, so that they stay within the rate limit
VICTIM_QUERIES: dict[str, dict[str, object]] = {
    "nested": {"query": f"{PAGE} {CLIENT}", "variables": {"first": 25}},
    "small": {"query": NAMES, "variables": {"first": 10}},
}


class VictimClient:
    """A caller that uses one token or cycles through many, on open connections or on a new one for each request."""

    def __init__(self, port: int, tokens: Sequence[str], *, reconnects: bool = False) -> None:
        self._reconnects = reconnects
        self._port = port
        self._tokens: Iterator[str] = cycle(tokens)
        self._open: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self.refused_count = 0

    async def measure_for(self, seconds: float) -> dict[str, list[float]]:
        """Return the durations of the answers in milliseconds, by query. A rejected or missing answer counts as the maximum."""
        until = time.perf_counter() + seconds
        durations = await asyncio.gather(*(self._measure_query(name, until) for name in VICTIM_QUERIES))
        return dict(zip(VICTIM_QUERIES, durations, strict=True))

    def close(self) -> None:
        for _, writer in self._open.values():
            writer.close()

    async def _measure_query(self, name: str, until: float) -> list[float]:
        durations = list[float]()
        while not durations or time.perf_counter() < until:
            request = Target("", self._port, next(self._tokens)).build_request(VICTIM_QUERIES[name])
            start = time.perf_counter()
            try:
                async with asyncio.timeout(REFUSED_MS / 1000):
                    if name not in self._open:
                        self._open[name] = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
                    await exchange(*self._open[name], request)
                durations.append((time.perf_counter() - start) * 1000)
            except (RuntimeError, OSError, TimeoutError, asyncio.IncompleteReadError):
                self.refused_count += 1
                durations.append(REFUSED_MS)
                self._close_connection(name)
            if self._reconnects:
                self._close_connection(name)
            await asyncio.sleep(PAUSE_S)
        return durations

    def _close_connection(self, name: str) -> None:
        if name in self._open:
            self._open.pop(name)[1].close()
