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

from tests.support import mutation_inputs
from tests.support.fuzzing.http_requests import RIGHT, Request, build_request, encode_json
from tests.support.fuzzing.sender import Sender, check_response
from tests.support.fuzzing.servers import FuzzTarget, create_callers, run_watched_server
from tests.support.fuzzing.stall_monitor import MARK, STALL_MS
from tests.support.raw_http import ERROR_PATTERN

pytestmark = pytest.mark.proof
SECONDS, WARM_SECONDS = 600, 90
TIMES = 3
REQUESTS_PER_KIND = 100  # requests of a kind in a round
MOST_GROWTH_MIB = 20
TICK_MS = 10  # what the system counts a process's time in
MIB = 2**20


@pytest.fixture
async def target(owner: asyncpg.Connection, owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FuzzTarget]:
    own_world, tokens = await create_callers(owner)
    with run_watched_server(owner_url, tmp_path_factory.mktemp("data")) as server:
        yield FuzzTarget(server, own_world, tokens)


@dataclass
class FuzzRound:
    """Requests of one kind, one after the other, so that what the server did is what the last one made it do."""

    target: FuzzTarget
    sender: Sender
    process: psutil.Process

    def warm_up(self) -> None:
        """Send every mutation once as it should be: the first of its kind loads what all need, which is no caller's doing."""
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
        """Send a request. It stalls the loop if it does so each time: once may be the collector's doing, or a neighbour's."""
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
        """Whether the server says so. It says it at the end of the next hundredth of a second, before it answers the third request."""
        for _ in range(3):
            time.sleep(0.02)
            check_response(self.sender, build_request(encode_json(RIGHT[0], is_ascii=True), "VIEWER"))
        return MARK in self.target.server.output[position:]


@pytest.mark.parametrize("seconds", [SECONDS])
async def test_fuzzing_causes_no_error_stall_or_memory_growth(target: FuzzTarget, seconds: float) -> None:
    """All kinds in turn, as long as it takes; memory is compared with what it was once everything was warm."""
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
