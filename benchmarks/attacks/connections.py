"""Define attacks by connections: slow, silent, not reading, or with wrong tokens."""

import asyncio
import random
import socket
from contextlib import ExitStack, suppress

from benchmarks.attacks.documents import EXPENSIVE
from benchmarks.attacks.scenario import CONNECTIONS, SOURCE, Attack, Scene, Victim, open_connection, read_answer, send_until_deadline
from benchmarks.load import Target
from domain.organization.tokens import new_secret

SLOW_CONNECTIONS, SILENT_CONNECTIONS, UNREAD_CONNECTIONS, GUESSING_CONNECTIONS = 500, 1_100, 200, 10_500
TYPENAME = {"query": "{ __typename }"}
SMALL_WINDOW = 4_096  # bytes in the attackers' receive buffer for an answer that they do not read


async def send_slowly(scene: Scene) -> None:
    """Send half a request on each connection, then one byte every half second."""

    async def send_on_connection() -> None:
        _, writer = await open_connection(scene.port)
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n")
        while not scene.has_ended and not writer.is_closing():
            await asyncio.sleep(0.5)
            writer.write(b"X")
        scene.answer_counts["closed" if writer.is_closing() else "still open"] += 1
        writer.close()

    await asyncio.gather(*(send_on_connection() for _ in range(SLOW_CONNECTIONS)))


async def stay_silent(scene: Scene) -> None:
    """Open connections that send nothing, and reopen them when they are closed."""

    async def hold_connection() -> None:
        while not scene.has_ended:
            with suppress(OSError, TimeoutError):
                reader, writer = await open_connection(scene.port)
                try:
                    async with asyncio.timeout(scene.remaining_seconds):
                        scene.answer_counts["closed" if not await reader.read() else "refused"] += 1
                except TimeoutError:
                    scene.answer_counts["still open"] += 1
                finally:
                    writer.close()
            await asyncio.sleep(0.1)

    await asyncio.gather(*(hold_connection() for _ in range(SILENT_CONNECTIONS)))


async def leave_unread(scene: Scene) -> None:
    """Request the largest answers, many with each token, and read none of them."""
    loop = asyncio.get_running_loop()
    with ExitStack() as exit_stack:
        tokens = [*scene.tokens.values()]
        for index in range(UNREAD_CONNECTIONS):
            if scene.has_ended:
                break
            waiting = exit_stack.enter_context(socket.socket())
            waiting.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
            waiting.bind((SOURCE, 0))
            waiting.setblocking(False)  # noqa: FBT003 the signature of the socket
            try:
                async with asyncio.timeout(scene.remaining_seconds + 0.1):
                    await loop.sock_connect(waiting, ("127.0.0.1", scene.port))
                    await loop.sock_sendall(
                        waiting, Target("", scene.port, tokens[index % len(tokens)]).build_request({"query": EXPENSIVE})
                    )
                scene.answer_counts["sent"] += 1
            except (OSError, TimeoutError) as error:
                scene.answer_counts[type(error).__name__] += 1
            await asyncio.sleep(0.01)
        await asyncio.sleep(scene.remaining_seconds)


def build_guess(port: int, *lines: str) -> bytes:
    """Build a request with an unknown token."""
    request = Target("", port, new_secret()).build_request(TYPENAME)
    return request.replace(b"\r\n", "".join(f"\r\n{line}" for line in lines).encode() + b"\r\n", 1) if lines else request


def random_loopback_address() -> str:
    """Return one of the 16 million addresses of the loopback interface."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


async def guess_from_one_address(scene: Scene) -> None:
    """Send wrong tokens from the address of the victim."""
    await asyncio.gather(*(send_until_deadline(scene, lambda: build_guess(scene.port), source="127.0.0.1") for _ in range(CONNECTIONS)))


async def guess_from_many_addresses(scene: Scene, most: float = float("inf")) -> None:
    """Send each wrong token from a different address."""
    sent_count = 0

    async def send_guess() -> None:
        nonlocal sent_count
        while sent_count < most and (most < float("inf") or not scene.has_ended):
            sent_count += 1
            try:
                async with asyncio.timeout(5):
                    reader, writer = await open_connection(scene.port, random_loopback_address())
                    try:
                        writer.write(build_guess(scene.port))
                        scene.answer_counts[await read_answer(reader)] += 1
                    finally:
                        writer.close()
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                scene.answer_counts[type(error).__name__] += 1

    await asyncio.gather(*(send_guess() for _ in range(CONNECTIONS * 2)))


async def guess_through_proxy(scene: Scene) -> None:
    """Send wrong tokens from one address that claims to be a proxy for many addresses."""

    def build() -> bytes:
        return build_guess(scene.port, f"X-Forwarded-For: {random_loopback_address()}")

    await asyncio.gather(*(send_until_deadline(scene, build, source="127.0.0.1") for _ in range(CONNECTIONS)))


async def fill_failure_table(scene: Scene) -> None:
    """Send so many wrong tokens that the table of addresses is full when the attack starts."""
    await guess_from_many_addresses(scene, GUESSING_CONNECTIONS)


ATTACKS = (
    Attack("500 slow clients", send_slowly),
    Attack("1,100 silent sockets", stay_silent, Victim.NEWCOMER),
    Attack("large answers, unread", leave_unread, max_growth_mib=200),
    Attack("wrong tokens", guess_from_one_address),
    Attack("wrong tokens beside new valid ones", guess_from_one_address, Victim.NEIGHBOUR),
    Attack("wrong tokens from many addresses", guess_from_many_addresses, prepare=fill_failure_table),
    Attack("wrong tokens, X-Forwarded-For", guess_through_proxy),
)
