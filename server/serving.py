"""Serving: from the first check to the last connection closed."""

import asyncio
import gc
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import strawberry
import uvicorn

from db.engine import Database
from schema.root import build
from server.app import app
from server.browser import BrowserSignIn
from server.doctor import UNREACHABLE, UnfitError, fit_or_refused, unreachable
from server.guard import guarded, open_files_allowed
from server.health import Health
from server.logs import unhandled
from server.metrics import Metrics, exposed
from server.options import run
from server.output import out
from server.secrets import keys
from server.settings import Settings
from server.workers import STOPPING, Workers

# Garbage in cycles is collected while it is young, by the ten thousand; all that is kept, documents above all, is looked through far more
# seldom than Python would, since that holds up everybody for a tenth of a second.
COLLECTED = (10_000, 20, 500)
SWITCH_INTERVAL_S = 0.001  # the event loop waits so long for the thread of introspection, each time that it has something to do
LAST = (b"connection", b"close")
ARRIVING_S = 0.5  # for the request on a connection that was taken just before no more were; the client may be a busy machine too
ENDING_S = 5  # for what was cancelled to give back what it held


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, start: "Start", health: Health, notice_s: float) -> None:
        config.load()
        super().__init__(config)
        self._start = start
        self._health = health
        self._notice_s = notice_s
        self._ends_at = math.inf
        self._has_terminal = os.isatty(0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        out(*self._start.ready)
        self._start.begun()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Left to itself uvicorn would raise the signal again when it is done, and the embedded database would not be stopped."""
        before = {number: signal.signal(number, self.stop) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def on_tick(self, counter: int) -> bool:
        """A closed terminal counts as a signal: where `make` stands between, none reaches us. So does the end of who started a worker."""
        is_closed = (self._has_terminal and not os.isatty(0)) or self._start.parent not in {None, os.getppid()}
        self.should_exit = self.should_exit or is_closed or time.monotonic() >= self._ends_at
        return await super().on_tick(counter)

    def stop(self, number: int, _frame: object) -> None:
        """The first time waits for the answers under way, the second time does not. A person at the keyboard needs no notice."""
        self.force_exit = self._health.is_draining
        has_notice = number == signal.SIGTERM and not self.force_exit
        self._ends_at = time.monotonic() + (self._notice_s if has_notice else 0)
        self._drain()

    def _drain(self) -> None:
        """Whoever balances load sees that we are not ready, and whoever asks meanwhile is told to come on another connection next."""
        self._health.is_draining = True
        self.config.encoded_headers.append(LAST)
        self.server_state.default_headers = [*self.server_state.default_headers, LAST]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No more connections, the requests that were sent answered, the rest cancelled: a change is then undone as a whole."""
        arrived = [connection for listening in sockets or () for connection in _arrived(listening)]
        for closing in (*self.servers, *(sockets or ())):
            closing.close()
        for connection in arrived:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        await asyncio.sleep(ARRIVING_S)
        await super().shutdown()
        if left := set(self.server_state.tasks):
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=ENDING_S)

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _arrived(listening: socket.socket) -> Iterator[socket.socket]:
    """The connections that the kernel took and we did not yet: closing the port would reset them, and lose what was sent on them."""
    listening.settimeout(0)
    with suppress(BlockingIOError):
        while True:
            yield listening.accept()[0]


@dataclass(frozen=True)
class Start:
    """What it prints once it answers, how GraphiQL signs in; of a worker whose it is, and what hears that it answers."""

    ready: list[str]
    browser: BrowserSignIn | None = None
    parent: int | None = None
    begun: Callable[[], None] = lambda: None


def served(settings: Settings, runtime_url: str, taken: socket.socket, ready: list[str], browser: BrowserSignIn | None) -> None:
    """By this process, or by several workers."""
    if settings.workers == 1:
        run(serve(settings, runtime_url, taken, Start(ready, browser)))
        return
    parent = os.getpid()

    def work(number: int, is_first: bool, begun: Callable[[], None]) -> None:  # noqa: FBT001 said by one caller
        port = settings.metrics_port + number if settings.metrics_port else None
        shown = ready if number == 0 and is_first else []
        run(serve(settings.model_copy(update={"metrics_port": port}), runtime_url, taken, Start(shown, browser, parent, begun)))

    Workers(settings.workers, taken, work).execute()


async def serve(settings: Settings, runtime_url: str, taken: socket.socket, start: Start) -> None:
    """Answers until it is told to stop."""
    asyncio.get_running_loop().set_exception_handler(unhandled)
    try:
        database = await Database.connect(
            runtime_url, settings.limits, is_pooled=settings.pooler, always_in_transaction=settings.always_read_in_transaction
        )
    except UNREACHABLE as failed:
        raise UnfitError(unreachable("DATABASE_URL", runtime_url, failed)) from failed
    async with database:
        schema, _ = await asyncio.gather(asyncio.to_thread(build), fit_or_refused(database))
        await _served(settings, schema, database, taken, start)


async def _served(settings: Settings, schema: strawberry.Schema, database: Database, taken: socket.socket, start: Start) -> None:
    served = app(schema, database, settings, keys(settings), start.browser)
    open_files_allowed()
    config = uvicorn.Config(
        served.answers,
        http=guarded(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # uvicorn would trust 127.0.0.1, and thus any local process; the guard knows the trusted proxies
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.drain_seconds,
        server_header=False,
    )
    server = _Server(config, start, served.health, settings.notice_s)
    with _measured(settings, served.metrics):
        gc.collect()
        gc.freeze()  # what the start has made stays: the collector need not look at it again
        # Python looks through what is old once there is a quarter more of it than the last time. This time only what is not frozen counts:
        # otherwise garbage that has grown old would wait until there is a quarter of all that the start has made.
        gc.collect()
        gc.set_threshold(*COLLECTED)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        await server.serve(sockets=[taken])


@contextmanager
def _measured(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """The metrics on a port of their own, where one is given."""
    if settings.metrics_port is None:
        yield
        return
    with exposed(metrics, settings.metrics_host, settings.metrics_port):
        watching = asyncio.create_task(metrics.lag.watch())
        try:
            yield
        finally:
            watching.cancel()
