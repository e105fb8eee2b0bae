"""Clients that are slow, silent or too many: each is answered and let go in time, and the others do not notice."""

import asyncio
import resource
import select
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from time import perf_counter

import asyncpg
import pytest

from db.tables import Role
from server.graphiql import pages
from server.runtime.listen import raise_open_file_limit
from tests.builders import Tenant
from tests.commands import Serving, serving
from tests.conftest import RUNTIME, runtime_url
from tests.sockets import BOUND_S, TROUBLE, Connection, asking, chunk, connection, head, request

MOST = 250
SHORT = dict.fromkeys(("RELATIES_HEADER_TIMEOUT", "RELATIES_BODY_TIMEOUT", "RELATIES_SEND_TIMEOUT", "RELATIES_KEEPALIVE_TIMEOUT"), "1")
ASSET = f"/graphiql/assets/{max(pages.ASSETS.glob('*.js.gz'), key=lambda path: path.stat().st_size).stem}"
TIMED_OUT = (408, "REQUEST_TIMEOUT")


def of_one_address(count: int) -> dict[str, str]:
    """Let one address hold all connections: the tests have one."""
    return {"RELATIES_MAX_CONNECTIONS": str(count), "RELATIES_MAX_CONNECTIONS_PER_ADDRESS": str(count)}


@pytest.fixture(scope="module")
async def server(owner: asyncpg.Connection, owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    """With deadlines of a second for clients, and none that matters for its statements: some are held up until a client's is over.

    Whatever is done to it, it runs and has nothing to complain of.
    """
    data, role = str(tmp_path_factory.mktemp("data")), f"ALTER ROLE {RUNTIME} IN DATABASE {owner_url.rpartition('/')[2]}"
    await owner.execute(f"{role} SET lock_timeout = '{BOUND_S}s'")
    long = {f"RELATIES_{name}_TIMEOUT": str(BOUND_S) for name in ("STATEMENT", "OPERATION")}
    more = {"RELATIES_DATA_DIR": data, **of_one_address(MOST), **SHORT, **long}
    with serving(DATABASE_URL=runtime_url(owner_url), **more) as started:
        yield started
        assert started.process.poll() is None
    await owner.execute(f"{role} RESET lock_timeout")
    assert not TROUBLE.search(started.printed), started.printed


@pytest.fixture
async def client(server: Serving) -> AsyncIterator[Connection]:
    async with connection(server.port) as opened:
        yield opened


@pytest.fixture
def token(org: Tenant) -> str:
    return org.tokens[Role.OWNER]


async def dripped(to: Connection, data: bytes) -> None:
    """A byte at a time, with a pause after each, until the server has had enough."""
    heard = asyncio.ensure_future(to.reader.read())
    for byte in data:
        await to.send(bytes([byte]))
        if (await asyncio.wait({heard}, timeout=0.2))[0]:
            break
    answer = await asyncio.wait_for(heard, BOUND_S)
    to.reader = asyncio.StreamReader()
    to.reader.feed_data(answer)
    to.reader.feed_eof()


async def silent(_to: Connection, _token: str) -> None:
    """Connects and says nothing."""


async def slow_headers(to: Connection, token: str) -> None:
    await dripped(to, asking(token))


async def stalled_body(to: Connection, token: str) -> None:
    await to.send(asking(token)[:-5])


async def dripping_body(to: Connection, token: str) -> None:
    sent = asking(token, "{ viewer { permissions } }" + " " * 1000)
    await to.send(head(sent))
    await dripped(to, sent[len(head(sent)) :])


async def dripping_chunks(to: Connection, token: str) -> None:
    await to.send(head(asking(token)).replace(b"Content-Length: 39", b"Transfer-Encoding: chunked"))
    await dripped(to, chunk(b" ") * 1000)


SLOW = (silent, slow_headers, stalled_body, dripping_body, dripping_chunks)


def unread(port: int) -> socket.socket:
    """A client that asks for more than it can hold, and reads nothing."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", port))
    made.sendall(request("GET", ASSET, "Accept-Encoding: gzip") * 16)
    return made


def cut(sockets: list[socket.socket]) -> set[int]:
    """Waits until each is reset, or for long enough; those that are."""
    watched = select.poll()
    for each in sockets:
        watched.register(each, 0)  # the end of a connection is told to who asked for nothing
    found: set[int] = set()
    while len(found) < len(sockets) and (told := watched.poll(BOUND_S * 1000)):
        found |= {number for number, event in told if event & (select.POLLERR | select.POLLHUP)}
        for number, _ in told:
            watched.unregister(number)
    return found


async def attacked(port: int, token: str, count: int) -> tuple[list[float], float]:
    """So many of each kind at once; how long each answer to a good client took meanwhile, and how long all slow ones together."""
    async with AsyncExitStack() as stack:
        held = stack.enter_context(ExitStack())
        stuck = [held.enter_context(unread(port)) for _ in range(count)]
        opened = [(await stack.enter_async_context(connection(port)), kind) for kind in SLOW for _ in range(count)]
        start = perf_counter()
        attacks = [asyncio.ensure_future(kind(each, token)) for each, kind in opened]
        took = [await asked(port, token) for _ in range(20)]
        await asyncio.gather(*attacks)
        refused = await asyncio.gather(*(each.is_refused_with(*TIMED_OUT) for each, _ in opened))
        lasted = perf_counter() - start
        assert refused == [True] * len(opened)
        assert await asyncio.to_thread(cut, stuck) == {each.fileno() for each in stuck}
    return took, lasted


async def asked(port: int, token: str) -> float:
    async with connection(port) as good:
        start = perf_counter()
        assert (await good.ask(asking(token))).status == 200
        return perf_counter() - start


async def test_h5_slow_clients_are_let_go(server: Serving, token: str) -> None:
    """Forty each of the silent, of slow headers, of stalled and dripping bodies and of those who read nothing: good ones are answered."""
    await attacked(server.port, token, 40)


@pytest.mark.proof
async def test_h5_thousands_of_slow_clients_are_let_go(owner_url: str, token: str, tmp_path: Path) -> None:
    """Five hundred of each, the deadlines as they are unless set: soon after ten seconds; good ones wait for less than a tenth of one."""
    raise_open_file_limit()
    with serving(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path), **of_one_address(4000)) as server:
        took, lasted = await attacked(server.port, token, 500)
        assert sorted(took)[len(took) // 2] < 0.1
        assert lasted < 13
    assert not TROUBLE.search(server.printed), server.printed


async def test_h5_a_connection_at_rest_is_closed_without_a_word(client: Connection) -> None:
    """Its client may be about to use it, and would take a word for the answer."""
    assert (await client.ask(request())).status == 200
    assert await client.rest() == b""


async def test_h5_bytes_that_begin_nothing_keep_no_connection(client: Connection) -> None:
    """Empty lines before a request are allowed, and are none."""
    await client.ask(request())
    await dripped(client, b"\r\n" * 100)
    assert await client.rest() == b""


async def test_h5_the_next_request_has_the_same_deadline(client: Connection) -> None:
    """From its first byte on, on a connection that was in use."""
    await client.ask(request())
    await client.send(b"G")
    assert await client.is_refused_with(*TIMED_OUT)


async def test_h5_what_is_due_is_answered_before_a_refusal(
    server: Serving, client: Connection, owner: asyncpg.Connection, token: str
) -> None:
    """Requests sent ahead are answered in their order: a later one that stalls, or is none, harms none before it."""
    async with owner.transaction(), connection(server.port) as witness:
        await owner.execute("LOCK TABLE relaties.client")
        await client.send(asking(token, "{ clients { totalCount } }") + b"GET /livez HTTP/1.1\r\n")
        assert await witness.is_refused_with(*TIMED_OUT)  # so that the deadline of the other is over, too
    assert (await client.answer()).body == b'{"data":{"clients":{"totalCount":0}}}'
    assert await client.is_refused_with(*TIMED_OUT)


async def test_h5_computing_an_answer_has_no_deadline_of_the_clients(
    server: Serving, client: Connection, owner: asyncpg.Connection, token: str
) -> None:
    """A request that came whole is answered, however long after; a stalled one that began later is not."""
    async with owner.transaction(), connection(server.port) as witness:
        await owner.execute("LOCK TABLE relaties.client")
        await client.send(asking(token, "{ clients { totalCount } }"))
        await witness.send(asking(token)[:-5])
        assert await witness.is_refused_with(*TIMED_OUT)
    assert (await client.answer()).body == b'{"data":{"clients":{"totalCount":0}}}'
    assert (await client.ask(asking(token))).status == 200


async def test_h5_a_body_after_its_answer_is_let_pass(client: Connection, token: str) -> None:
    """Refused for its head, a request need not be taken; the connection is as good as before."""
    sent = asking("rlt_" + "x" * 43)
    assert (await client.ask(head(sent))).code == (401, "UNAUTHENTICATED")
    assert (await client.ask(sent[len(head(sent)) :] + asking(token))).status == 200


async def test_h5_a_body_that_never_comes_after_its_answer_gets_no_second(client: Connection) -> None:
    """It would be taken for the answer to the next."""
    assert (await client.ask(head(asking("rlt_" + "x" * 43)))).status == 401
    assert await client.rest() == b""


def test_h5_as_many_files_as_the_machine_allows() -> None:
    """The limit that a program starts with is often too low for the connections that are to be held."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] - 1, before[1]))
    try:
        raise_open_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
