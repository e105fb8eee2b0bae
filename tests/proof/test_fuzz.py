"""Ten minutes of requests that nobody would write: no fault of ours, no event loop busy for 100 ms, no worker that grows.

Each round has a seed, which is printed with what fails, and the request as it was sent.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import asyncpg
import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests import inputs
from tests.fuzzing.http_requests import RIGHT, Request, encoded, request
from tests.fuzzing.sending import Sender, check
from tests.fuzzing.servers import Target, callers, watched
from tests.fuzzing.stalls import LONG_MS, MARK
from tests.sockets import TROUBLE

pytestmark = pytest.mark.proof
SECONDS, WARM_SECONDS = 600, 90
TIMES = 3
EACH = 100  # requests of a kind in a round
MOST_GROWTH_MIB = 20
TICK_MS = 10  # what the system counts a process's time in
MIB = 2**20


@pytest.fixture
async def target(owner: asyncpg.Connection, owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    made, tokens = await callers(owner)
    with watched(owner_url, tmp_path_factory.mktemp("data")) as server:
        yield Target(server, made, tokens)


@dataclass
class Round:
    """Requests of one kind, one after the other, so that what the server did is what the last one made it do."""

    target: Target
    sender: Sender
    process: psutil.Process

    def warm_up(self) -> None:
        """Send every mutation once as it should be: the first of its kind loads what all need, which is no caller's doing."""
        for name, turn in inputs.TRIES:
            body = {"query": inputs.document(name), "variables": {"input": inputs.right(self.target.world, name, turn)}}
            check(self.sender, request(encoded(body, is_ascii=True), "OWNER"))

    def execute(self, kind: str, number: int) -> None:
        strategy = self.target.kinds()[kind]

        @seed(number)
        @settings(max_examples=EACH, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck])
        @given(st.data())
        def send(data: st.DataObject) -> None:
            self.check(data.draw(strategy))

        try:
            send()
        except AssertionError as failed:
            failed.add_note(f"round {number} of {kind}")
            raise

    def check(self, sent: Request) -> None:
        """Send a request. It stalls the loop if it does so each time: once may be the collector's doing, or a neighbour's."""
        stalled = list[str]()
        for again in range(TIMES):
            printed, before = self.target.server.printed, self._processor_ms()
            check(self.sender, sent.written_again(again))
            if self._processor_ms() - before <= LONG_MS - TICK_MS or not self._is_stalled(len(printed)):
                return
            stalled += [line for line in self.target.server.printed[len(printed) :].splitlines() if MARK in line]
        raise AssertionError(f"{stalled}\n{str(sent)[:4000]}")

    def _processor_ms(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system) * 1000

    def _is_stalled(self, seen: int) -> bool:
        """Whether the server says so. It says it at the end of the next hundredth of a second, before it answers the third request."""
        for _ in range(3):
            time.sleep(0.02)
            check(self.sender, request(encoded(RIGHT[0], is_ascii=True), "VIEWER"))
        return MARK in self.target.server.printed[seen:]


@pytest.mark.parametrize("seconds", [SECONDS])
async def test_nothing_that_is_sent_is_a_fault_a_stall_or_memory(target: Target, seconds: float) -> None:
    """All kinds in turn, as long as it takes; memory is compared with what it was once everything was warm."""
    process = psutil.Process(target.server.process.pid)
    dice, warm_mib, grown = random.SystemRandom(), 0.0, dict[str, float]()
    began = time.monotonic()
    with closing(target.sender()) as sender:
        rounds = Round(target, sender, process)
        rounds.warm_up()
        while time.monotonic() < began + seconds:
            for kind in target.kinds():
                before = process.memory_info().rss / MIB
                await asyncio.to_thread(rounds.execute, kind, dice.randrange(2**32))
                grown[kind] = grown.get(kind, 0) + process.memory_info().rss / MIB - before
            if not warm_mib and time.monotonic() > began + min(WARM_SECONDS, seconds / 4):
                warm_mib, grown = process.memory_info().rss / MIB, {}
    assert process.memory_info().rss / MIB - warm_mib < MOST_GROWTH_MIB, grown
    assert not TROUBLE.search(target.server.printed), target.server.printed[-4000:]
