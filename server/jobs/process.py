"""The process of a job worker: its connections, signals, priority and end."""

import asyncio
import logging
import os
import signal
from contextlib import nullcontext, suppress
from datetime import timedelta

from db.engine.database import Database, DatabaseLimits
from domain.jobs.runner import ChunkRunner
from server.database_checks import ensure_database_ready
from server.jobs.handlers import build_handlers
from server.jobs.metrics import JobMetrics
from server.jobs.work_folder import open_work_folder
from server.jobs.worker import MAX_CONCURRENT_CHUNKS, JobWorker, report_chunk_error
from server.observability.logging import log_unhandled
from server.observability.metrics import serve_metrics
from server.settings import Settings
from server.startup_errors import CONNECTION_ERRORS, StartupError, describe_connection_error

log = logging.getLogger("relaties")
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NICENESS = 10  # so that requests come first where both want the processor
PARENT_CHECK_INTERVAL_S = 1.0


def lower_priority() -> None:
    """Let requests come first, and let Ctrl-C reach only the parent, which stops its job workers itself."""
    os.nice(NICENESS)
    os.setpgid(0, 0)


async def run_worker(settings: Settings, runtime_url: str, parent_pid: int | None) -> None:
    """Run jobs until a signal, or until the parent process has ended."""
    asyncio.get_running_loop().set_exception_handler(log_unhandled)
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # it logs tracebacks of lost connections, which the worker reports itself
    url, metrics = str(settings.direct_url or runtime_url), JobMetrics()
    limits = DatabaseLimits(
        read_pool_size=1,
        write_pool_size=MAX_CONCURRENT_CHUNKS + 1,  # one for the messages that are missing
        statement_timeout=settings.statement_timeout,
        delete_timeout=settings.delete_timeout,
    )
    try:
        database = await Database.connect(url, limits)
    except CONNECTION_ERRORS as error:
        raise StartupError(
            describe_connection_error("RELATIES_DIRECT_URL" if settings.direct_url else "DATABASE_URL", url, error)
        ) from error
    async with database:
        await ensure_database_ready(database)
        port = settings.metrics_port
        with open_work_folder() as folder, serve_metrics(metrics.registry, settings.metrics_host, port) if port else nullcontext():
            runner = ChunkRunner(
                database,
                build_handlers(settings.file_limits),
                report_chunk_error,
                timedelta(seconds=settings.job_lease),
                runs=asyncio.Semaphore(MAX_CONCURRENT_CHUNKS - 1),
                folder=folder,
            )
            await _run_until_stopped(JobWorker(url, database, runner, metrics), settings, parent_pid)


async def _run_until_stopped(worker: JobWorker, settings: Settings, parent_pid: int | None) -> None:
    loop, is_stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in STOPPING:
        loop.add_signal_handler(number, is_stopped.set)
    background_tasks = [asyncio.create_task(worker.metrics.watch(worker.database))]
    if parent_pid is not None:
        background_tasks.append(asyncio.create_task(_watch_parent(parent_pid, is_stopped)))
    running = asyncio.create_task(worker.run())
    log.info("the job worker is ready")
    await asyncio.wait({running, asyncio.create_task(is_stopped.wait())}, return_when=asyncio.FIRST_COMPLETED)
    worker.stop()
    await asyncio.wait({running}, timeout=settings.shutdown_grace)
    if not running.done():
        log.warning("a chunk did not end in time; another job worker repeats it")
        # The database rolls the chunk back, and its message stays for the next worker, which also removes the local files.
        os._exit(1)
    for task in background_tasks:
        task.cancel()
    await running


async def _watch_parent(parent_pid: int, is_stopped: asyncio.Event) -> None:
    while os.getppid() == parent_pid and not is_stopped.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(is_stopped.wait(), PARENT_CHECK_INTERVAL_S)
    is_stopped.set()
