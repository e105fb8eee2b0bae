"""Requests byte by byte: malformed, too large and pipelined ones."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress

import psutil
import pytest

from db.tables import Role
from server.admission.byte_budget import SMALL_BYTES
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.processes import ServerProcess, run_server
from tests.support.raw_http import (
    ERROR_PATTERN,
    TIMEOUT_S,
    RawConnection,
    RawResponse,
    build_chunk,
    build_head,
    build_query_request,
    build_request,
    open_connection,
)

MOST_BODY = 1_000_000
MIB = 2**20
LIVE = b'{"status":"alive"}'
SMUGGLED_REQUEST = build_request("GET", "/readyz")
UPGRADES = {
    "websocket": ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    "http2": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),
}


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server with the default settings. Whatever it receives, it keeps running and logs no problem."""
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path_factory.mktemp("data"))) as process:
        yield process
    assert not ERROR_PATTERN.search(process.output), process.output


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[RawConnection]:
    async with open_connection(server.port) as client_connection:
        yield client_connection


@pytest.fixture
def token(org: Tenant) -> str:
    return org.tokens[Role.OWNER]


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        pytest.param(
            build_request("POST", "/graphql", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400, "BAD_REQUEST", id="CL and TE"
        ),
        pytest.param(build_request("POST", "/graphql", "Content-Length: 3", body=b"{}"), 400, "BAD_REQUEST", id="two lengths"),
        pytest.param(build_request("POST", "/graphql", "Content-Length: -1"), 400, "BAD_REQUEST", id="negative length"),
        pytest.param(
            build_request("POST", "/graphql", "Transfer-Encoding: chunked, identity"), 400, "BAD_REQUEST", id="not chunked at last"
        ),
        pytest.param(build_request("GET", "/livez", "X : space before the colon"), 400, "BAD_REQUEST", id="space in a name"),
        pytest.param(build_request("GET", "/livez", "X: a\0b"), 400, "BAD_REQUEST", id="NUL"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "BAD_REQUEST", id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "BAD_REQUEST", id="TLS"),
        pytest.param(b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n", 400, "BAD_REQUEST", id="proxy"),
        pytest.param(build_request("GET", "/livez", "X: " + "x" * 100_000), 431, "HEADERS_TOO_LARGE", id="100 kB header"),
        pytest.param(build_request("GET", "/livez", "X: " + "x" * 400_000)[:-4], 431, "HEADERS_TOO_LARGE", id="header without end"),
        pytest.param(build_request("GET", "/livez", *["X: x"] * 2000), 431, "HEADERS_TOO_LARGE", id="2000 headers"),
        pytest.param(build_request("GET", "/livez", *["X: x"] * 100), 431, "HEADERS_TOO_LARGE", id="101 headers"),
        pytest.param(build_request("GET", "/" + "x" * 60_000), 414, "URI_TOO_LONG", id="60 kB address"),
        pytest.param(build_request("GET", "/" + "x" * 8_192), 414, "URI_TOO_LONG", id="8 kB address"),
    ],
)
async def test_h6_malformed_request_is_rejected(client: RawConnection, request_bytes: bytes, status: int, code: str) -> None:
    """There is one error, and nothing after the malformed request is parsed as another request."""
    await client.send(request_bytes + SMUGGLED_REQUEST)
    assert await client.ends_with_error(status, code)


async def test_h6_request_at_its_limits_is_accepted(client: RawConnection) -> None:
    """The request has a hundred headers of 16 kB together, and a path of 8 kB."""
    headers = [f"X-{index}: {'x' * 150}" for index in range(99)]
    assert (await client.send_and_read(build_request("GET", "/livez?" + "x" * (8_192 - 7), *headers))).body == LIVE


async def test_h6_malformed_chunk_ends_the_request(client: RawConnection, token: str) -> None:
    """The application is waiting for the rest of the body, and must learn that none comes."""
    await client.send(chunked_request(token, b"xyz\r\n"))
    assert await client.ends_with_error(400, "BAD_REQUEST")


@pytest.mark.parametrize("path", ["/", "/livez", "/livez/", "/graphql", "/graphql/", "/graphiql", "/graphiql/", "/graphiql/config"])
async def test_h6_no_answer_repeats_the_host(server: ServerProcess, path: str) -> None:
    """Otherwise a forged `Host` header could direct other users to another site."""
    for host in (b"evil.example", b"evil.example/x/../", b"evil.example:80", b"evil.example\r\nX-Forwarded-Host: evil.example"):
        async with open_connection(server.port) as client:
            answer = await client.send_and_read(build_request("GET", path).replace(b"localhost", host))
            assert b"evil" not in answer.body
            assert "evil" not in str(answer.headers)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no", 404, "NOT_FOUND"),
        ("TRACE", "/no", 404, "NOT_FOUND"),
        ("TRACE", "/graphql", 405, "METHOD_NOT_ALLOWED"),
        ("TRACE", "/livez", 405, "METHOD_NOT_ALLOWED"),
        ("OPTIONS", "*", 404, "NOT_FOUND"),
        ("M-SEARCH", "/readyz", 405, "METHOD_NOT_ALLOWED"),
        ("BREW", "/graphql", 400, "BAD_REQUEST"),
        ("GET", "graphql", 400, "BAD_REQUEST"),
    ],
)
async def test_unrouted_request_is_rejected_with_a_code(client: RawConnection, method: str, path: str, status: int, code: str) -> None:
    """It has an unknown path, a method that the path does not support, or an unknown method."""
    answer = await client.send_and_read(build_request(method, path))
    assert answer.code == (status, code)
    assert answer.headers["content-type"].startswith("application/json")


async def test_h6_trailers_are_not_headers(client: RawConnection, token: str) -> None:
    """A token in a trailer would bypass a proxy that checks headers."""
    request_bytes = chunked_request(token, b"")
    bare = b"\r\n".join(line for line in request_bytes.split(b"\r\n") if not line.startswith(b"Authorization"))
    trailer = b"0\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n"
    assert (await client.send_and_read(bare + build_chunk(b"{}") + trailer)).code == (401, "UNAUTHENTICATED")


async def test_h6_trailers_have_the_limits_of_headers(client: RawConnection, token: str) -> None:
    """They would take memory as headers do."""
    await client.send(chunked_request(token, build_chunk(b"{") + b"0\r\n" + b"X: x\r\n" * 102))
    assert await client.ends_with_error(431, "HEADERS_TOO_LARGE")


async def test_pipelined_requests_are_answered_in_order(client: RawConnection, token: str) -> None:
    """A malformed request is rejected after the responses to those before it."""
    await client.send(
        build_query_request(token) + build_request() + build_query_request("none") + build_request() + b"what?\r\n\r\n" + SMUGGLED_REQUEST
    )
    assert [(await client.read_response()).status for _ in range(4)] == [200, 200, 401, 200]
    assert await client.ends_with_error(400, "BAD_REQUEST")


async def test_pipelined_requests_are_limited(client: RawConnection) -> None:
    """Twenty may wait. Otherwise a few bytes for each request could fill the server's memory."""
    await client.send(build_request() * 1000)
    assert [(await client.read_response()).body for _ in range(21)] == [LIVE] * 21
    assert await client.ends_with_error(400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "lines",
    [
        ("GET /livez HTTP/1.1",),
        ("GET /livez HTTP/1.1", "Host:"),
        ("GET /livez HTTP/1.1", "Host: localhost", "Host: localhost"),
        ("GET /livez HTTP/1.0", "Host: localhost", "Host: other"),
        ("GET /livez HTTP/1.1", "Host: local host"),
        ("GET /livez HTTP/1.1", "Host: user@localhost"),
        ("GET /livez HTTP/1.1", "Host: localhost/livez"),
        ("GET /livez HTTP/1.1", "Host: http://localhost"),
        ("GET /livez HTTP/1.1", "Host: localhost, other"),
        ("GET /livez HTTP/1.1", "Host: localhost:port"),
        ("GET /livez HTTP/1.1", "Host: localhost:123456"),
        ("GET /livez HTTP/1.1", "Host: [::1"),
        ("GET /livez HTTP/1.1", "Host: ::1"),
        ("GET /livez HTTP/1.1", "Host: %zz"),
        ("GET http://localhost/livez HTTP/1.1",),
        ("POST /graphql HTTP/1.1", "Content-Length: 0"),
        ("GET /livez HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"),
    ],
    ids=" / ".join,
)
async def test_request_requires_exactly_one_valid_host(client: RawConnection, lines: tuple[str, ...]) -> None:
    """Otherwise a proxy and the server could read different hosts (RFC 9112, section 3.2)."""
    await client.send("\r\n".join((*lines, "\r\n")).encode() + SMUGGLED_REQUEST)
    assert await client.ends_with_error(400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:80", "a_b.example", "xn--e-9qa.example", "a%20b", "x:"]
)
async def test_valid_host_is_accepted(client: RawConnection, host: str) -> None:
    assert (await client.send_and_read(f"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())).body == LIVE


async def test_http_1_0_needs_no_host(client: RawConnection) -> None:
    assert (await client.send_and_read(b"GET /livez HTTP/1.0\r\n\r\n")).body == LIVE


@pytest.mark.parametrize(
    "lines",
    [
        ("Connection: Upgrade, close", "Upgrade: websocket"),
        ("Connection: close,upgrade", "Upgrade: h2c"),
        ("Connection: Close", "Connection: Upgrade", "Upgrade: websocket"),
    ],
    ids=" / ".join,
)
async def test_connection_closes_on_request_beside_an_upgrade_offer(client: RawConnection, lines: tuple[str, ...]) -> None:
    """Nothing after the last request is answered."""
    answer = await client.send_and_read(build_request("GET", "/livez", *lines) + SMUGGLED_REQUEST)
    assert (answer.body, answer.headers["connection"]) == (LIVE, "close")
    assert await client.read_rest() == b""


@pytest.mark.parametrize("protocol", UPGRADES)
async def test_upgrade_offer_is_ignored(client: RawConnection, token: str, protocol: str) -> None:
    """The server answers over HTTP/1.1 as usual. The body belongs to the request, and the next request is answered."""
    assert (await client.send_and_read(build_request("GET", "/livez", *UPGRADES[protocol]))).body == LIVE
    await client.send(build_query_request(token, "{ viewer { permissions } }", *UPGRADES[protocol]) + build_request())
    assert (await client.read_response()).status == 200
    assert (await client.read_response()).body == LIVE


async def test_expect_100_continue_is_answered(client: RawConnection, token: str) -> None:
    request_bytes = build_query_request(token, "{ viewer { permissions } }", "Expect: 100-continue")
    await client.send(build_head(request_bytes))
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await client.send_and_read(request_bytes[len(build_head(request_bytes)) :])).status == 200


def post_request(token: str, *lines: str, body: bytes) -> bytes:
    return build_request("POST", "/graphql", f"Authorization: Bearer {token}", "Content-Type: application/json", *lines, body=body)


def chunked_request(token: str, body: bytes) -> bytes:
    return post_request(token, "Transfer-Encoding: chunked", body=b"") + body


def comment_query(size: int) -> Iterator[bytes]:
    """Yield the parts of a query of this size. Almost all of it is a comment."""
    first, last = b'{"query":"{ viewer { permissions } } #', b'"}'
    remaining = size - len(first) - len(last)
    yield first
    yield from (b"x" * min(remaining - index, 65_536) for index in range(0, remaining, 65_536))
    yield last


async def test_h3_body_of_the_maximum_size_is_accepted(server: ServerProcess, token: str) -> None:
    """The length is declared, or the body is chunked."""
    body = b'{"query":"{ viewer { permissions } }"}'.ljust(MOST_BODY)
    for request_bytes in (post_request(token, body=body), chunked_request(token, build_chunk(body) + build_chunk(b""))):
        async with open_connection(server.port) as client:
            assert (await client.send_and_read(request_bytes)).status == 200


async def send_body_to_end(server: ServerProcess, head: bytes, parts: Iterable[bytes]) -> tuple[RawResponse, int]:
    """Send a whole body, even if the response comes earlier. Return the response and the growth of the server's memory."""
    process = psutil.Process(server.process.pid)
    async with open_connection(server.port) as client:
        assert (await client.send_and_read(build_request())).status == 200
        answer_task, most = asyncio.ensure_future(client.read_response()), process.memory_info().rss
        before = most
        await client.send(head)
        with suppress(ConnectionError):  # the server stops reading at some point
            for part in parts:
                await client.send(part)
                most = max(most, process.memory_info().rss)
        return await answer_task, most - before


@pytest.mark.parametrize("size", [MOST_BODY + 1, 5 * MIB, pytest.param(200 * MIB, marks=pytest.mark.proof)])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["by length", "chunked"])
async def test_h3_too_large_body_is_not_stored(server: ServerProcess, token: str, size: int, *, is_chunked: bool) -> None:
    """It is rejected as soon as its size is known, while the client still sends."""
    if is_chunked:
        answer, growth = await send_body_to_end(server, chunked_request(token, b""), map(build_chunk, comment_query(size)))
    else:
        answer, growth = await send_body_to_end(server, post_request(token, f"Content-Length: {size}", body=b""), comment_query(size))
    assert answer.code == (413, "PAYLOAD_TOO_LARGE")
    assert growth < 20 * MIB


async def test_h3_compressed_body_is_not_decompressed(server: ServerProcess, token: str) -> None:
    """A few bytes could decompress to gigabytes."""
    gzipped = gzip.compress(bytes(100 * MIB), 9)
    answer, growth = await send_body_to_end(
        server, post_request(token, "Content-Encoding: gzip", f"Content-Length: {len(gzipped)}", body=b""), [gzipped]
    )
    assert answer.code == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert growth < 20 * MIB


async def test_head_of_a_large_response_has_no_body(client: RawConnection, token: str) -> None:
    """A body would be read as the start of the next response."""
    request = build_request("HEAD", "/schema.graphql", f"Authorization: Bearer {token}")
    await client.send(request + build_request())
    async with asyncio.timeout(TIMEOUT_S):
        head = (await client.reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert int(re.findall(r"content-length: (\d+)", head)[0]) > SMALL_BYTES
    assert (await client.read_response()).body == LIVE
