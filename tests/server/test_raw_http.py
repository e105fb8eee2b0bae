"""Requests byte by byte: what is malformed, too large or sent ahead, and whose words an answer repeats."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress

import psutil
import pytest

from db.tables import Role
from tests.builders import Tenant
from tests.commands import Serving, serving
from tests.conftest import runtime_url
from tests.sockets import TROUBLE, Answer, Connection, asking, chunk, connection, head, request

MOST_BODY = 1_000_000
MIB = 2**20
LIVE = b'{"status":"alive"}'
SMUGGLED = request("GET", "/readyz")
UPGRADES = {
    "websocket": ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    "http2": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),
}


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """As it is set unless told otherwise. Whatever it is sent, it runs and has nothing to complain of."""
    with serving(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path_factory.mktemp("data"))) as started:
        yield started
    assert not TROUBLE.search(started.printed), started.printed


@pytest.fixture
async def client(server: Serving) -> AsyncIterator[Connection]:
    async with connection(server.port) as opened:
        yield opened


@pytest.fixture
def token(org: Tenant) -> str:
    return org.tokens[Role.OWNER]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(request("POST", "/graphql", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400, "BAD_REQUEST", id="CL and TE"),
        pytest.param(request("POST", "/graphql", "Content-Length: 3", body=b"{}"), 400, "BAD_REQUEST", id="two lengths"),
        pytest.param(request("POST", "/graphql", "Content-Length: -1"), 400, "BAD_REQUEST", id="length below nought"),
        pytest.param(request("POST", "/graphql", "Transfer-Encoding: chunked, identity"), 400, "BAD_REQUEST", id="not chunked at last"),
        pytest.param(request("GET", "/livez", "X : space before the colon"), 400, "BAD_REQUEST", id="space in a name"),
        pytest.param(request("GET", "/livez", "X: a\0b"), 400, "BAD_REQUEST", id="NUL"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "BAD_REQUEST", id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "BAD_REQUEST", id="TLS"),
        pytest.param(b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n", 400, "BAD_REQUEST", id="proxy"),
        pytest.param(request("GET", "/livez", "X: " + "x" * 100_000), 431, "HEADERS_TOO_LARGE", id="100 kB header"),
        pytest.param(request("GET", "/livez", "X: " + "x" * 400_000)[:-4], 431, "HEADERS_TOO_LARGE", id="header without end"),
        pytest.param(request("GET", "/livez", *["X: x"] * 2000), 431, "HEADERS_TOO_LARGE", id="2000 headers"),
        pytest.param(request("GET", "/livez", *["X: x"] * 100), 431, "HEADERS_TOO_LARGE", id="101 headers"),
        pytest.param(request("GET", "/" + "x" * 60_000), 414, "URI_TOO_LONG", id="60 kB address"),
        pytest.param(request("GET", "/" + "x" * 8_192), 414, "URI_TOO_LONG", id="8 kB address"),
    ],
)
async def test_h6_a_request_that_is_none_is_refused(client: Connection, sent: bytes, status: int, code: str) -> None:
    """Once, and nothing after it is taken for a request."""
    await client.send(sent + SMUGGLED)
    assert await client.is_refused_with(status, code)


async def test_h6_as_much_as_is_allowed_is_taken(client: Connection) -> None:
    """A hundred headers of 16 kB together, and an address of 8 kB."""
    headers = [f"X-{place}: {'x' * 150}" for place in range(99)]
    assert (await client.ask(request("GET", "/livez?" + "x" * (8_192 - 7), *headers))).body == LIVE


async def test_h6_a_chunk_that_is_none_ends_the_request(client: Connection, token: str) -> None:
    """The application waits for more of the body, and learns that none comes."""
    await client.send(chunked(token, b"xyz\r\n"))
    assert await client.is_refused_with(400, "BAD_REQUEST")


@pytest.mark.parametrize("path", ["/", "/livez", "/livez/", "/graphql", "/graphql/", "/graphiql", "/graphiql/", "/graphiql/config"])
async def test_h6_no_answer_repeats_the_host(server: Serving, path: str) -> None:
    """Whoever can write it into a request could send others elsewhere."""
    for host in (b"evil.example", b"evil.example/x/../", b"evil.example:80", b"evil.example\r\nX-Forwarded-Host: evil.example"):
        async with connection(server.port) as client:
            answer = await client.ask(request("GET", path).replace(b"localhost", host))
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
async def test_request_that_nothing_answers_is_refused_with_a_code(
    client: Connection, method: str, path: str, status: int, code: str
) -> None:
    """An unknown address, a method that an address does not have, or one that does not exist."""
    answer = await client.ask(request(method, path))
    assert answer.code == (status, code)
    assert answer.headers["content-type"].startswith("application/json")


async def test_h6_what_follows_a_body_is_no_header(client: Connection, token: str) -> None:
    """A token there would pass by whoever looks at the headers before us."""
    sent = chunked(token, b"")
    bare = b"\r\n".join(line for line in sent.split(b"\r\n") if not line.startswith(b"Authorization"))
    trailer = b"0\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n"
    assert (await client.ask(bare + chunk(b"{}") + trailer)).code == (401, "UNAUTHENTICATED")


async def test_h6_what_follows_a_body_has_the_limits_of_headers(client: Connection, token: str) -> None:
    """It would be kept in memory all the same."""
    await client.send(chunked(token, chunk(b"{") + b"0\r\n" + b"X: x\r\n" * 102))
    assert await client.is_refused_with(431, "HEADERS_TOO_LARGE")


async def test_requests_sent_ahead_are_answered_in_their_order(client: Connection, token: str) -> None:
    """And one that is none, after those before it."""
    await client.send(asking(token) + request() + asking("none") + request() + b"what?\r\n\r\n" + SMUGGLED)
    assert [(await client.answer()).status for _ in range(4)] == [200, 200, 401, 200]
    assert await client.is_refused_with(400, "BAD_REQUEST")


async def test_so_many_requests_may_be_sent_ahead(client: Connection) -> None:
    """Twenty wait; a few bytes could else make the server remember any number."""
    await client.send(request() * 1000)
    assert [(await client.answer()).body for _ in range(21)] == [LIVE] * 21
    assert await client.is_refused_with(400, "BAD_REQUEST")


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
async def test_request_without_exactly_one_valid_host_is_refused(client: Connection, lines: tuple[str, ...]) -> None:
    """A proxy in front may take the request for another host's (RFC 9112, 3.2)."""
    await client.send("\r\n".join((*lines, "\r\n")).encode() + SMUGGLED)
    assert await client.is_refused_with(400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:80", "a_b.example", "xn--e-9qa.example", "a%20b", "x:"]
)
async def test_valid_host_is_accepted(client: Connection, host: str) -> None:
    assert (await client.ask(f"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())).body == LIVE


async def test_http_1_0_needs_no_host(client: Connection) -> None:
    assert (await client.ask(b"GET /livez HTTP/1.0\r\n\r\n")).body == LIVE


@pytest.mark.parametrize(
    "lines",
    [
        ("Connection: Upgrade, close", "Upgrade: websocket"),
        ("Connection: close,upgrade", "Upgrade: h2c"),
        ("Connection: Close", "Connection: Upgrade", "Upgrade: websocket"),
    ],
    ids=" / ".join,
)
async def test_connection_closes_as_asked_beside_the_offer_of_another_protocol(client: Connection, lines: tuple[str, ...]) -> None:
    """What follows the last request is not answered."""
    answer = await client.ask(request("GET", "/livez", *lines) + SMUGGLED)
    assert (answer.body, answer.headers["connection"]) == (LIVE, "close")
    assert await client.rest() == b""


@pytest.mark.parametrize("protocol", UPGRADES)
async def test_an_offer_to_speak_another_protocol_is_passed_over(client: Connection, token: str, protocol: str) -> None:
    """There is no second door: the request is answered as any other, its body is its own, and so is the next one."""
    assert (await client.ask(request("GET", "/livez", *UPGRADES[protocol]))).body == LIVE
    await client.send(asking(token, "{ viewer { permissions } }", *UPGRADES[protocol]) + request())
    assert (await client.answer()).status == 200
    assert (await client.answer()).body == LIVE


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(client: Connection, token: str) -> None:
    """`Expect: 100-continue`."""
    sent = asking(token, "{ viewer { permissions } }", "Expect: 100-continue")
    await client.send(head(sent))
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await client.ask(sent[len(head(sent)) :])).status == 200


def posted(token: str, *lines: str, body: bytes) -> bytes:
    return request("POST", "/graphql", f"Authorization: Bearer {token}", "Content-Type: application/json", *lines, body=body)


def chunked(token: str, body: bytes) -> bytes:
    return posted(token, "Transfer-Encoding: chunked", body=b"") + body


def comment(size: int) -> Iterator[bytes]:
    """A query of so many bytes, nearly all of them a comment, in parts."""
    first, last = b'{"query":"{ viewer { permissions } } #', b'"}'
    left = size - len(first) - len(last)
    yield first
    yield from (b"x" * min(left - place, 65_536) for place in range(0, left, 65_536))
    yield last


async def test_h3_a_body_of_the_largest_size_is_taken(server: Serving, token: str) -> None:
    """By its length and in chunks."""
    body = b'{"query":"{ viewer { permissions } }"}'.ljust(MOST_BODY)
    for sent in (posted(token, body=body), chunked(token, chunk(body) + chunk(b""))):
        async with connection(server.port) as client:
            assert (await client.ask(sent)).status == 200


async def poured(server: Serving, head: bytes, parts: Iterable[bytes]) -> tuple[Answer, int]:
    """The answer to a body that is sent to its end, answer or not, as many clients do; and by how much the server grew on it."""
    process = psutil.Process(server.process.pid)
    async with connection(server.port) as client:
        assert (await client.ask(request())).status == 200
        answered, most = asyncio.ensure_future(client.answer()), process.memory_info().rss
        before = most
        await client.send(head)
        with suppress(ConnectionError):  # it is not read for ever
            for part in parts:
                await client.send(part)
                most = max(most, process.memory_info().rss)
        return await answered, most - before


@pytest.mark.parametrize("size", [MOST_BODY + 1, 5 * MIB, pytest.param(200 * MIB, marks=pytest.mark.proof)])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["by length", "chunked"])
async def test_h3_a_body_that_is_too_large_is_not_kept(server: Serving, token: str, size: int, *, is_chunked: bool) -> None:
    """Refused as soon as that is known, and told so though it sends on."""
    if is_chunked:
        answer, grown = await poured(server, chunked(token, b""), map(chunk, comment(size)))
    else:
        answer, grown = await poured(server, posted(token, f"Content-Length: {size}", body=b""), comment(size))
    assert answer.code == (413, "PAYLOAD_TOO_LARGE")
    assert grown < 20 * MIB


async def test_h3_a_packed_body_is_not_unpacked(server: Serving, token: str) -> None:
    """A few bytes could be gigabytes."""
    packed = gzip.compress(bytes(100 * MIB), 9)
    answer, grown = await poured(server, posted(token, "Content-Encoding: gzip", f"Content-Length: {len(packed)}", body=b""), [packed])
    assert answer.code == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert grown < 20 * MIB
