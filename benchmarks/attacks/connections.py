"""Attacks by connections: slow, silent, unread, or with tokens that are wrong."""

import asyncio
import random
import socket
from contextlib import ExitStack, suppress

from benchmarks.attacks.documents import DEAR
from benchmarks.attacks.scene import CONNECTIONS, SOURCE, Attack, Scene, Victim, answered, ask_until_over, connect
from benchmarks.load import Target
from domain.organization.tokens import new_secret

SLOW, SILENT, UNREAD, GUESSED = 500, 1_100, 200, 10_500
TYPENAME = {"query": "{ __typename }"}
SMALL_WINDOW = 4_096  # bytes that the attackers' side takes of an answer that it does not read


async def slow(scene: Scene) -> None:
    """Half a request each, then a byte now and then."""

    async def one() -> None:
        _, writer = await connect(scene.port)
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n")
        while not scene.is_over and not writer.is_closing():
            await asyncio.sleep(0.5)
            writer.write(b"X")
        scene.heard["closed" if writer.is_closing() else "still open"] += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(SLOW)))


async def silent(scene: Scene) -> None:
    """Connections that send nothing, opened again as they are closed."""

    async def one() -> None:
        while not scene.is_over:
            with suppress(OSError, TimeoutError):
                reader, writer = await connect(scene.port)
                try:
                    async with asyncio.timeout(scene.left):
                        scene.heard["closed" if not await reader.read() else "refused"] += 1
                except TimeoutError:
                    scene.heard["still open"] += 1
                finally:
                    writer.close()
            await asyncio.sleep(0.1)

    await asyncio.gather(*(one() for _ in range(SILENT)))


async def unread(scene: Scene) -> None:
    """The largest answers there may be, of which nobody reads a byte: many of each token."""
    loop = asyncio.get_running_loop()
    with ExitStack() as opened:
        tokens = [*scene.tokens.values()]
        for place in range(UNREAD):
            if scene.is_over:
                break
            waiting = opened.enter_context(socket.socket())
            waiting.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
            waiting.bind((SOURCE, 0))
            waiting.setblocking(False)  # noqa: FBT003 the socket's own
            try:
                async with asyncio.timeout(scene.left + 0.1):
                    await loop.sock_connect(waiting, ("127.0.0.1", scene.port))
                    await loop.sock_sendall(waiting, Target("", scene.port, tokens[place % len(tokens)]).request({"query": DEAR}))
                scene.heard["asked"] += 1
            except (OSError, TimeoutError) as failed:
                scene.heard[type(failed).__name__] += 1
            await asyncio.sleep(0.01)
        await asyncio.sleep(scene.left)


def guess(port: int, *lines: str) -> bytes:
    """A request with a token that nobody has."""
    sent = Target("", port, new_secret()).request(TYPENAME)
    return sent.replace(b"\r\n", "".join(f"\r\n{line}" for line in lines).encode() + b"\r\n", 1) if lines else sent


def address() -> str:
    """Any of 16 million that are the loopback interface."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


async def guess_from_one(scene: Scene) -> None:
    """From the address that the victim has, too."""
    await asyncio.gather(*(ask_until_over(scene, lambda: guess(scene.port), source="127.0.0.1") for _ in range(CONNECTIONS)))


async def guess_from_many(scene: Scene, most: float = float("inf")) -> None:
    """Each wrong token from an address of its own."""
    sent = 0

    async def one() -> None:
        nonlocal sent
        while sent < most and (most < float("inf") or not scene.is_over):
            sent += 1
            try:
                async with asyncio.timeout(5):
                    reader, writer = await connect(scene.port, address())
                    try:
                        writer.write(guess(scene.port))
                        scene.heard[await answered(reader)] += 1
                    finally:
                        writer.close()
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as failed:
                scene.heard[type(failed).__name__] += 1

    await asyncio.gather(*(one() for _ in range(CONNECTIONS * 2)))


async def guess_forwarded(scene: Scene) -> None:
    """From one address that claims to be a proxy of many."""

    def make() -> bytes:
        return guess(scene.port, f"X-Forwarded-For: {address()}")

    await asyncio.gather(*(ask_until_over(scene, make, source="127.0.0.1") for _ in range(CONNECTIONS)))


async def known_by_many(scene: Scene) -> None:
    """So many failures that the table of addresses is full when the attack begins."""
    await guess_from_many(scene, GUESSED)


ATTACKS = (
    Attack("500 slow clients", slow),
    Attack("1,100 silent sockets", silent, Victim.NEWCOMER),
    Attack("large answers, unread", unread, max_growth_mib=200),
    Attack("wrong tokens", guess_from_one),
    Attack("wrong tokens beside new valid ones", guess_from_one, Victim.NEIGHBOUR),
    Attack("wrong tokens from many addresses", guess_from_many, prepare=known_by_many),
    Attack("wrong tokens, X-Forwarded-For", guess_forwarded),
)
