"""Run the server from the first database check until the last connection is closed."""

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

from db.engine.database import Database
from schema.build import build
from server.app import build_app
from server.database_checks import ensure_database_ready
from server.graphiql.sign_in import BrowserSignIn
from server.observability.health import Health
from server.observability.logging import log_unhandled
from server.observability.metrics import Metrics, serve_metrics
from server.runtime.console import print_lines
from server.runtime.event_loop import run
from server.runtime.job_workers import run_job_workers
from server.runtime.listen import raise_open_file_limit
from server.runtime.protocol import protocol_factory
from server.runtime.workers import STOPPING, Workers
from server.secret_keys import load_keys
from server.settings import Settings
from server.startup_errors import CONNECTION_ERRORS, StartupError, describe_connection_error

# Collect young garbage every 10,000 objects. Scan long-lived objects, mostly cached documents, far more rarely than Python does by default,
# because a scan blocks all requests for a tenth of a second.
GC_THRESHOLDS = (10_000, 20, 500)
SWITCH_INTERVAL_S = 0.001  # how long the event loop waits for the introspection thread each time it has work
CLOSE_HEADER = (b"connection", b"close")
ARRIVAL_GRACE_S = 0.5  # for the request on a connection that was accepted just before the port closed; the client may be slow
CANCEL_TIMEOUT_S = 5  # for cancelled tasks to release what they hold


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, startup_info: "StartupInfo", health: Health, shutdown_delay: float) -> None:
        config.load()
        super().__init__(config)
        self._startup_info = startup_info
        self._health = health
        self._shutdown_delay = shutdown_delay
        self._exit_at = math.inf
        self._has_terminal = os.isatty(0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._health.is_listening = True
        print_lines(*self._startup_info.ready_lines)
        self._startup_info.on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals. uvicorn would raise the signal again at the end, and the embedded database would not be stopped."""
        previous_handlers = {number: signal.signal(number, self.stop) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in previous_handlers.items():
                signal.signal(number, handler)

    async def on_tick(self, counter: int) -> bool:
        """Exit when the terminal closes or the parent process ends, because `make` passes on no signal for that."""
        is_closed = (self._has_terminal and not os.isatty(0)) or self._startup_info.parent_pid not in {None, os.getppid()}
        self.should_exit = self.should_exit or is_closed or time.monotonic() >= self._exit_at
        return await super().on_tick(counter)

    def stop(self, number: int, _frame: object) -> None:
        """Stop the server. The first signal waits for running operations, the second does not. Ctrl-C skips the shutdown delay."""
        self.force_exit = self._health.is_draining
        has_delay = number == signal.SIGTERM and not self.force_exit
        self._exit_at = time.monotonic() + (self._shutdown_delay if has_delay else 0)
        self._drain()

    def _drain(self) -> None:
        """Report `draining` to load balancers, and send `Connection: close` with each response."""
        self._health.is_draining = True
        self.config.encoded_headers.append(CLOSE_HEADER)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE_HEADER]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting connections, respond to requests that were sent, then cancel the rest. Cancelled mutations are rolled back."""
        connections = [connection for listener in sockets or () for connection in _accept_pending(listener)]
        for server_or_socket in (*self.servers, *(sockets or ())):
            server_or_socket.close()
        for connection in connections:
            await asyncio.get_running_loop().connect_accepted_socket(self._create_protocol, connection)
        await asyncio.sleep(ARRIVAL_GRACE_S)
        await super().shutdown()
        if tasks := set(self.server_state.tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CANCEL_TIMEOUT_S)

    def _create_protocol(self) -> asyncio.Protocol:
        factory: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return factory(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _accept_pending(listener: socket.socket) -> Iterator[socket.socket]:
    """Accept the connections that are pending in the kernel. Closing the port would reset them and lose their requests."""
    listener.settimeout(0)
    with suppress(BlockingIOError):
        while True:
            yield listener.accept()[0]


@dataclass(frozen=True)
class StartupInfo:
    """The URL of the database for the server's role, lines to print once the server is ready, and the sign-in of GraphiQL.

    For a worker process, also its parent and a callback.
    """

    runtime_url: str
    ready_lines: list[str]
    browser: BrowserSignIn | None = None
    parent_pid: int | None = None
    on_ready: Callable[[], None] = lambda: None


def run_server(
    settings: Settings, runtime_url: str, listener: socket.socket, ready_lines: list[str], browser: BrowserSignIn | None
) -> None:
    """Serve from this process, or from several worker processes."""
    if settings.workers == 1:
        run(serve_requests(settings, listener, StartupInfo(runtime_url, ready_lines, browser)))
        return
    parent_pid = os.getpid()

    def serve_as_worker(number: int, is_first: bool, on_ready: Callable[[], None]) -> None:  # noqa: FBT001 `Workers` is the only caller
        lines = ready_lines if number == 0 and is_first else []
        # The first worker process runs the job workers.
        own = {"metrics_port": settings.metrics_port + number if settings.metrics_port else None}
        own_settings = settings.model_copy(update=own if number == 0 else {**own, "job_workers": 0})
        run(serve_requests(own_settings, listener, StartupInfo(runtime_url, lines, browser, parent_pid, on_ready)))

    Workers(settings.workers, listener, serve_as_worker).execute()


async def serve_requests(settings: Settings, listener: socket.socket, startup_info: StartupInfo) -> None:
    """Connect to the database, and serve until a signal stops the server."""
    asyncio.get_running_loop().set_exception_handler(log_unhandled)
    runtime_url = startup_info.runtime_url
    try:
        database = await Database.connect(
            runtime_url,
            settings.database_limits,
            is_pooled=settings.pooler,
            always_in_transaction=settings.always_read_in_transaction,
        )
    except CONNECTION_ERRORS as error:
        raise StartupError(describe_connection_error("DATABASE_URL", runtime_url, error)) from error
    async with database:
        schema, _ = await asyncio.gather(asyncio.to_thread(build), ensure_database_ready(database))
        await _serve_app(settings, schema, database, listener, startup_info)


async def _serve_app(
    settings: Settings, schema: strawberry.Schema, database: Database, listener: socket.socket, startup_info: StartupInfo
) -> None:
    application = build_app(schema, database, settings, load_keys(settings), startup_info.browser)
    raise_open_file_limit()
    config = uvicorn.Config(
        application.asgi_app,
        http=protocol_factory(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # uvicorn would trust 127.0.0.1, and so any local process; the protocol handles trusted proxies
        timeout_keep_alive=settings.keepalive_timeout,
        timeout_graceful_shutdown=settings.shutdown_grace,
        server_header=False,
    )
    server = _Server(config, startup_info, application.health, settings.effective_shutdown_delay)
    with _metrics_server(settings, application.metrics):
        gc.collect()
        gc.freeze()  # objects of the startup stay, so the collector need not scan them again
        # Python scans old objects when their number has grown by a quarter since the last full collection. Collect again, so that this
        # count excludes the frozen objects. Otherwise old garbage would wait until it is a quarter of all objects of the startup.
        gc.collect()
        gc.set_threshold(*GC_THRESHOLDS)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        async with run_job_workers(settings, startup_info.runtime_url, application.health):
            await server.serve(sockets=[listener])


@contextmanager
def _metrics_server(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """Serve the metrics on their own port if one is set."""
    if settings.metrics_port is None:
        yield
        return
    with serve_metrics(metrics.registry, settings.metrics_host, settings.metrics_port):
        lag_task = asyncio.create_task(metrics.lag.watch())
        try:
            yield
        finally:
            lag_task.cancel()
