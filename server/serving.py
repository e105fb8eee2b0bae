"""Serving: from the first check to the last connection closed."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from db.engine import Database
from schema.root import build
from server.app import app
from server.doctor import UNREACHABLE, UnfitError, fit_or_refused, unreachable
from server.guard import guarded, open_files_allowed
from server.secrets import keys
from server.settings import Settings

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DRAIN_S = 10


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: list[str]) -> None:
        super().__init__(config)
        self._ready = ready
        self._has_terminal = os.isatty(0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for line in self._ready:
            print(line, flush=True)  # noqa: T201 for the person who started it

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
        """A closed terminal counts as a signal: where `make` stands between, none reaches us."""
        is_closed = self._has_terminal and not os.isatty(0)
        return await super().on_tick(counter) or is_closed

    def stop(self, _number: int, _frame: object) -> None:
        """The first time waits for the answers under way, the second time does not."""
        self.force_exit = self.should_exit
        self.should_exit = True


def bound(settings: Settings) -> socket.socket:
    """The port, taken before anything is started, so that a port in use is told at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as taken:
        advice = "Is Relaties running already? Another port: relaties serve --port 8001"
        raise UnfitError(f"Cannot serve on {settings.host}:{settings.port}: {taken.strerror}. {advice}") from taken


async def serve(settings: Settings, runtime_url: str, taken: socket.socket, ready: list[str], demo_token: str | None = None) -> None:
    """Answers until it is told to stop. `ready` is printed once it answers; GraphiQL signs in with the token."""
    try:
        database = await Database.connect(runtime_url, settings.limits, is_pooled=settings.pooler)
    except UNREACHABLE as failed:
        raise UnfitError(unreachable("DATABASE_URL", runtime_url, failed)) from failed
    try:
        await fit_or_refused(database)
        await _served(settings, database, taken, ready, demo_token)
    finally:
        await asyncio.shield(database.close())


async def _served(settings: Settings, database: Database, taken: socket.socket, ready: list[str], demo_token: str | None) -> None:
    served = app(build(), database, settings, keys(settings), demo_token)
    open_files_allowed()
    config = uvicorn.Config(
        served,
        http=guarded(settings),
        ws="none",
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=DRAIN_S,
        server_header=False,
    )
    server = _Server(config, ready)
    gc.collect()
    gc.freeze()  # what the start has made stays: the collector need not look at it again
    await server.serve(sockets=[taken])
