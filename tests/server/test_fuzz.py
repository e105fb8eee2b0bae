"""Every hostile request to a server process gets a response, and none causes an internal error.

The requests are the same in each run, except for ids. `make proof` sends other ones for ten minutes. A failure prints its request.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.databases import runtime_url
from tests.support.fuzzing.http_requests import RIGHT, build_request, encode_json
from tests.support.fuzzing.sender import check_response
from tests.support.fuzzing.servers import SETTINGS, FuzzTarget, create_callers
from tests.support.processes import ServerProcess, run_server
from tests.support.raw_http import ERROR_PATTERN

EXAMPLES = {"queries": 150, "mutations": 200, "bodies": 200, "get requests": 150, "headers": 150, "raw requests": 250}


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = str(tmp_path_factory.mktemp("data"))
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=data, **SETTINGS) as process:
        yield process


@pytest.fixture
async def target(server: ServerProcess, owner: asyncpg.Connection) -> AsyncIterator[FuzzTarget]:
    own_world, tokens = await create_callers(owner)
    fuzz_target = FuzzTarget(server, own_world, tokens)
    output_length = len(server.output)
    yield fuzz_target
    new_output = server.output[output_length:]
    assert not ERROR_PATTERN.search(new_output), new_output[-4000:]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_request_is_answered_without_a_fault(target: FuzzTarget, kind: str) -> None:
    strategy = target.request_strategies()[kind]
    with closing(target.create_sender()) as sender:

        @settings(
            max_examples=EXAMPLES[kind],
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        )
        @given(st.data())
        def send(data: st.DataObject) -> None:
            check_response(sender, data.draw(strategy))

        send()
        answers = [sender.send(build_request(encode_json(RIGHT[0], is_ascii=True), role)).status for role in (None, "VIEWER", "OWNER")]
    assert answers == [401, 200, 200]
