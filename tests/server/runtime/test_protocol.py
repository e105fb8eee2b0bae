"""The HTTP protocol with a virtual clock: when idle connections are closed, and which private parts of uvicorn it relies on."""

import asyncio
import inspect
from hashlib import sha256
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from server.runtime.protocol import LimitedHttpProtocol, protocol_factory
from server.settings import Settings
from tests.support.raw_http import build_request
from tests.support.virtual_time import run

REST_S = 15
# Hashes of the methods that `LimitedHttpProtocol` overrides or calls. If one differs, compare both implementations.
PARTS = {
    "connection_made": "6efb565ff3d36b91",
    "connection_lost": "c91a4c9bf2e29c55",
    "on_message_begin": "96d377fdc7c2baef",
    "on_headers_complete": "1ea8589acfad92d8",
    "on_body": "dba9c32aeba35b6a",
    "on_message_complete": "1fbad42dc31fc01f",
    "on_response_complete": "64e254f28e389e76",
    "shutdown": "d7351fa33f00d430",
    "timeout_keep_alive_handler": "8b53bf5f2e202970",
    "_start_asgi_task": "9c08c2571ae9b038",
    "_unset_keepalive_if_required": "00a6a4e47214e68e",
}


class RecordingTransport(asyncio.Transport):
    """Record what is written, and when the connection is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""
        self.closed_at: float | None = None

    def write(self, data: Any) -> None:  # noqa: ANN401 type of asyncio
        self.data += data

    def close(self) -> None:
        self.closed_at = asyncio.get_running_loop().time()

    def is_closing(self) -> bool:
        return self.closed_at is not None

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def slow_application(_scope: Scope, receive: Receive, send: Send) -> None:
    """Respond after the number of seconds that the body contains."""
    body = (await receive())["body"]
    await asyncio.sleep(float(body or 0))
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def open_connection() -> tuple[LimitedHttpProtocol, RecordingTransport]:
    """Return a new connection with its transport."""
    make: Any = protocol_factory(Settings(keepalive_timeout=REST_S))
    config = uvicorn.Config(slow_application, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=REST_S)
    config.load()
    protocol: LimitedHttpProtocol = make(config=config, server_state=ServerState(), app_state={})
    protocol.connection_made(transport := RecordingTransport())
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


@pytest.mark.parametrize("name", PARTS)
def test_uvicorn_has_the_private_parts_that_the_protocol_needs(name: str) -> None:
    source = inspect.getsource(getattr(HttpToolsProtocol, name))
    assert sha256(source.encode()).hexdigest()[:16] == PARTS[name], f"uvicorn has changed `{name}`: compare `LimitedHttpProtocol` with it."
