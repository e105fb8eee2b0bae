"""The requests that wrk sends. The benchmarks install wrk."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.load import Target
from benchmarks.wrk import MARKER, Wrk
from tests.support.processes import build_environment

pytestmark = pytest.mark.proof
ROOT = Path(__file__).parents[2]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module", autouse=True)
def _wrk_installed() -> None:
    subprocess.run([ROOT / "benchmarks" / "peers" / "install"], env=build_environment(), check=True, timeout=600)  # noqa: S603


async def run_wrk(bodies: Path, windows: int, token: str = "a token") -> tuple[int, list[str]]:
    """Run wrk for some windows of one second. Return the number of answered requests, and the bodies of all that arrived.

    Each request must have the token that its body names, or else the default token.
    """
    bodies_received: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                bodies_received.append((await reader.readexactly(length)).decode())
                assert f"authorization: bearer {json.loads(bodies_received[-1]).get('token', token)}\r\n".encode() in head
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        target = Target("a server", server.sockets[0].getsockname()[1], "a token")
        results = [await asyncio.to_thread(Wrk(target, bodies, 1, [2]).execute) for _ in range(windows)]
    return sum(each.requests for each in results), bodies_received


async def test_wrk_sends_the_bodies_in_order_and_none_twice(tmp_path: Path) -> None:
    """This holds in the next window too. `Content-Length` must be right, or the requests could not be read."""
    (tmp_path / "bodies").write_text("".join(json.dumps({"case": case, "request": MARKER}) + "\n" for case in range(7)))
    answer_count, bodies_received = await run_wrk(tmp_path / "bodies", windows=2)
    assert len(bodies_received) >= answer_count > 14
    assert len(set(bodies_received)) == len(bodies_received)
    cases = [json.loads(body)["case"] for body in bodies_received]
    assert max(map(cases.count, range(7))) - min(map(cases.count, range(7))) <= 2 * 16
    assert MARKER not in "".join(bodies_received)


async def test_wrk_repeats_a_body_without_a_number(tmp_path: Path) -> None:
    (tmp_path / "body").write_text('{"case": 0}\n')
    answer_count, bodies_received = await run_wrk(tmp_path / "body", windows=1)
    assert len(bodies_received) >= answer_count > 1
    assert set(bodies_received) == {'{"case": 0}'}


async def test_wrk_sends_each_body_with_the_token_of_its_line(tmp_path: Path) -> None:
    """The bodies in this test name their token, so that both can be compared."""
    lines = (f"token {case}\t" + json.dumps({"token": f"token {case}", "request": MARKER}) + "\n" for case in range(7))
    (tmp_path / "bodies").write_text("".join(lines))
    answer_count, bodies_received = await run_wrk(tmp_path / "bodies", windows=1)
    assert len(bodies_received) >= answer_count > 14
    assert {json.loads(body)["token"] for body in bodies_received} == {f"token {case}" for case in range(7)}
