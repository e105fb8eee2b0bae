"""Ten minutes of hostile requests cause no internal error, do not block the event loop for 100 ms, and do not let the worker grow.

Each round has a random seed. A failure prints the seed and the request.
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

from tests.support import mutation_inputs
from tests.support.fuzzing.http_requests import RIGHT, Request, build_request, encode_json
from tests.support.fuzzing.sender import Sender, check_response
from tests.support.fuzzing.servers import FuzzTarget, create_callers, run_watched_server
from tests.support.fuzzing.stall_monitor import MARK, STALL_MS
from tests.support.raw_http import ERROR_PATTERN

pytestmark = pytest.mark.proof
SECONDS, WARM_SECONDS = 600, 90
TIMES = 3
REQUESTS_PER_KIND = 100  # in each round
MOST_GROWTH_MIB = 20
TICK_MS = 10  # resolution of the processor time of a process
MIB = 2**20


@pytest.fixture
async def target(owner: asyncpg.Connection, owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FuzzTarget]:
    own_world, tokens = await create_callers(owner)
    with run_watched_server(owner_url, tmp_path_factory.mktemp("data")) as server:
        yield FuzzTarget(server, own_world, tokens)


@dataclass
class FuzzRound:
    """Send requests of one kind one by one, so that an effect on the server can be attributed to the last request."""

    target: FuzzTarget
    sender: Sender
    process: psutil.Process

    def warm_up(self) -> None:
        """Send every valid mutation once, because the first of each kind loads modules that all of them need."""
        for name, alternative in mutation_inputs.MUTATION_CASES:
            body = {
                "query": mutation_inputs.mutation_document(name),
                "variables": {"input": mutation_inputs.valid_input(self.target.world, name, alternative)},
            }
            check_response(self.sender, build_request(encode_json(body, is_ascii=True), "OWNER"))

    def execute(self, kind: str, number: int) -> None:
        strategy = self.target.request_strategies()[kind]

        @seed(number)
        @settings(max_examples=REQUESTS_PER_KIND, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck])
        @given(st.data())
        def send(data: st.DataObject) -> None:
            self.check(data.draw(strategy))

        try:
            send()
        except AssertionError as error:
            error.add_note(f"round {number} of {kind}")
            raise

    def check(self, request: Request) -> None:
        """Send a request up to three times, and fail if it blocks the loop each time. Once may be due to garbage collection."""
        stall_reports = list[str]()
        for again in range(TIMES):
            output, before = self.target.server.output, self._processor_ms()
            check_response(self.sender, request.with_blanks(again))
            if self._processor_ms() - before <= STALL_MS - TICK_MS or not self._is_stalled(len(output)):
                return
            stall_reports += [line for line in self.target.server.output[len(output) :].splitlines() if MARK in line]
        raise AssertionError(f"{stall_reports}\n{str(request)[:4000]}")

    def _processor_ms(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system) * 1000

    def _is_stalled(self, position: int) -> bool:
        """Return whether the server has reported a blocked event loop.

        It reports at the end of the next 10 ms, which is before it answers the third of these requests.
        """
        for _ in range(3):
            time.sleep(0.02)
            check_response(self.sender, build_request(encode_json(RIGHT[0], is_ascii=True), "VIEWER"))
        return MARK in self.target.server.output[position:]


@pytest.mark.parametrize("seconds", [SECONDS])
async def test_fuzzing_causes_no_error_stall_or_memory_growth(target: FuzzTarget, seconds: float) -> None:
    """The kinds alternate until the time is over. Memory is compared with its size after a warm-up."""
    process = psutil.Process(target.server.process.pid)
    rng, warm_mib, growth_by_kind = random.SystemRandom(), 0.0, dict[str, float]()
    began = time.monotonic()
    with closing(target.create_sender()) as sender:
        rounds = FuzzRound(target, sender, process)
        rounds.warm_up()
        while time.monotonic() < began + seconds:
            for kind in target.request_strategies():
                before = process.memory_info().rss / MIB
                await asyncio.to_thread(rounds.execute, kind, rng.randrange(2**32))
                growth_by_kind[kind] = growth_by_kind.get(kind, 0) + process.memory_info().rss / MIB - before
            if not warm_mib and time.monotonic() > began + min(WARM_SECONDS, seconds / 4):
                warm_mib, growth_by_kind = process.memory_info().rss / MIB, {}
    assert process.memory_info().rss / MIB - warm_mib < MOST_GROWTH_MIB, growth_by_kind
    assert not ERROR_PATTERN.search(target.server.output), target.server.output[-4000:]
