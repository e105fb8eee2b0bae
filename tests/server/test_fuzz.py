"""Requests that nobody would write, to a server process: each gets an answer, none gets a fault of ours.

The same requests every time, but for ids. `make proof` sends others, for ten minutes. What fails is printed as it was sent.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.commands import Serving, serving
from tests.conftest import runtime_url
from tests.fuzzing.http_requests import RIGHT, encoded, request
from tests.fuzzing.sending import check
from tests.fuzzing.servers import SETTINGS, Target, callers
from tests.sockets import TROUBLE

EXAMPLES = {"queries": 150, "mutations": 200, "bodies": 200, "addresses": 150, "headers": 150, "wires": 250}


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    data = str(tmp_path_factory.mktemp("data"))
    with serving(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=data, **SETTINGS) as started:
        yield started


@pytest.fixture
async def target(server: Serving, owner: asyncpg.Connection) -> AsyncIterator[Target]:
    made, tokens = await callers(owner)
    found = Target(server, made, tokens)
    seen = len(server.printed)
    yield found
    written = server.printed[seen:]
    assert not TROUBLE.search(written), written[-4000:]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_request_is_answered_without_a_fault(target: Target, kind: str) -> None:
    strategy = target.kinds()[kind]
    with closing(target.sender()) as sender:

        @settings(
            max_examples=EXAMPLES[kind],
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        )
        @given(st.data())
        def send(data: st.DataObject) -> None:
            check(sender, data.draw(strategy))

        send()
        answers = [sender.send(request(encoded(RIGHT[0], is_ascii=True), role)).status for role in (None, "VIEWER", "OWNER")]
    assert answers == [401, 200, 200]
