"""Test the HTTP protocol on virtual time: when it closes a connection."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from server.runtime.deadlines import LINGER_S
from server.runtime.protocol import LimitedHttpProtocol, protocol_factory
from server.settings import Settings
from tests.support.raw_http import build_head, build_request
from tests.support.virtual_time import run

REST_S = 15


class RecordingTransport(asyncio.Transport):
    """Record what is written and when the connection is closed or reset."""

    def __init__(self, extra: dict[str, Any] | None = None) -> None:
        super().__init__(extra)
        self.data = b""
        self.written_at = 0.0
        self.closed_at: float | None = None
        self.aborted_at: float | None = None

    def write(self, data: Any) -> None:  # noqa: ANN401 type of asyncio
        self.data += data
        self.written_at = asyncio.get_running_loop().time()

    def close(self) -> None:
        self.closed_at = asyncio.get_running_loop().time()

    def abort(self) -> None:
        self.aborted_at = asyncio.get_running_loop().time()

    def is_closing(self) -> bool:
        return self.closed_at is not None

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def slow_application(_scope: Scope, receive: Receive, send: Send) -> None:
    """Respond after as many seconds as the body says."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    await asyncio.sleep(float(message.get("body") or 0))
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def open_connection(**extra: object) -> tuple[LimitedHttpProtocol, RecordingTransport]:
    make: Any = protocol_factory(Settings(keepalive_timeout=REST_S, header_timeout=10, body_timeout=20))
    config = uvicorn.Config(slow_application, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=REST_S)
    config.load()
    protocol: LimitedHttpProtocol = make(config=config, server_state=ServerState(), app_state={})
    protocol.connection_made(transport := RecordingTransport(extra))
    return protocol, transport


def test_keep_alive_timeout_starts_at_the_last_answer() -> None:
    async def main() -> None:
        loop, (protocol, transport) = asyncio.get_running_loop(), open_connection()
        for _ in range(5):
            protocol.data_received(build_request())
            await asyncio.sleep(10)
        last = loop.time() - 10
        await asyncio.sleep(100)
        assert transport.data.count(b"204") == 5
        assert transport.closed_at == last + REST_S

    run(main())


def test_slow_answer_does_not_trigger_the_keep_alive_timeout() -> None:
    """The timeout starts when the response is sent, also if computing it took longer than the timeout."""

    async def main() -> None:
        protocol, transport = open_connection()
        protocol.data_received(build_request())
        await asyncio.sleep(1)
        protocol.data_received(build_request("POST", "/graphql", body=b"40"))
        await asyncio.sleep(40.5)
        assert (transport.data.count(b"204"), transport.closed_at) == (2, None)
        await asyncio.sleep(100)
        assert transport.closed_at == 1 + 40 + REST_S

    run(main())


def test_pipelined_requests_are_answered_before_the_keep_alive_timeout() -> None:
    async def main() -> None:
        protocol, transport = open_connection()
        protocol.data_received(build_request("POST", "/graphql", body=b"8") * 3)
        await asyncio.sleep(100)
        assert transport.data.count(b"204") == 3
        assert transport.closed_at == 24 + REST_S
        assert protocol.server_state.total_requests == 3

    run(main())


def test_complete_request_on_an_open_connection_sets_no_deadline_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only uvicorn sets one, for the idle connection after each response."""

    async def main() -> list[str]:
        loop, (protocol, _) = asyncio.get_running_loop(), open_connection()
        callbacks: list[str] = []
        call_at: Any = loop.call_at

        def record_call_at(when: float, callback: Callable[..., object], *rest: object, **options: object) -> asyncio.TimerHandle:
            callbacks.append(callback.__name__)
            return call_at(when, callback, *rest, **options)  # type: ignore[no-any-return]

        monkeypatch.setattr(loop, "call_at", record_call_at)
        for request_bytes in (build_request(), build_request("POST", "/graphql", body=b"0"), build_request() * 2):
            protocol.data_received(request_bytes)
            while protocol.tasks:
                await asyncio.gather(*protocol.tasks)
        protocol.data_received(b"GET")
        return callbacks

    assert run(main()) == ["timeout_keep_alive_handler"] * 3 + ["_on_timer"]


@pytest.mark.parametrize(
    ("chunks", "refused_at"),
    [
        ([], 10),
        ([(4, b"GET / HTTP/1.1\r\n"), (5, b"Host: a\r\n")], 10),
        ([(4, build_head(build_request("POST", "/graphql", body=b"0")))], 24),
        ([(4, build_head(build_request("POST", "/graphql", body=b"0" * 60_000))), (5, b"0" * 50_000)], 25),
        ([(4, build_request()), (5, b"GET")], 19),
    ],
    ids=["silent", "head in pieces", "no body", "part of a body", "second request"],
)
def test_slow_request_is_refused_at_its_deadline_and_reset_after_lingering(chunks: list[tuple[float, bytes]], refused_at: float) -> None:
    async def main() -> None:
        with socket.socket() as unconnected:
            protocol, transport = open_connection(socket=unconnected)
            for seconds, chunk in chunks:
                await asyncio.sleep(seconds)
                protocol.data_received(chunk)
            await asyncio.sleep(100)
        assert b"408 Request Timeout" in transport.data
        assert (transport.written_at, transport.closed_at, transport.aborted_at) == (refused_at, None, refused_at + LINGER_S)

    run(main())
