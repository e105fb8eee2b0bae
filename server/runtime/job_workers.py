"""Start job workers beside the server, restart one that dies, and stop all with the server."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from server.observability.health import Health
from server.settings import Settings

log = logging.getLogger("relaties")
PROGRAM = (sys.executable, "-P", "-c", "from server.cli.entry import main; main()", "worker")
CHECK_INTERVAL_S = 0.5
RESTART_DELAY_S = 1.0
STOP_MARGIN_S = 5.0  # on top of the grace period, for the end of the process


@asynccontextmanager
async def run_job_workers(settings: Settings, runtime_url: str, health: Health) -> AsyncIterator[None]:
    """Run the job workers while the block runs. They start once the server is ready, so they do not delay its first response."""
    tasks = [asyncio.create_task(_keep_running(settings, runtime_url, health, number)) for number in range(settings.job_workers)]
    try:
        yield
    finally:
        health.is_draining = True  # also if the block failed
        await asyncio.gather(*tasks)


async def _keep_running(settings: Settings, runtime_url: str, health: Health, number: int) -> None:
    """Run one job worker until the server drains its requests."""
    while not health.is_draining:
        if not await health.is_ready():
            await asyncio.sleep(CHECK_INTERVAL_S)
            continue
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            "--data-dir",
            str(settings.data_dir),
            "--parent-pid",
            str(os.getpid()),
            env=_environment(settings, runtime_url, number),
        )
        await _wait(process, settings, health)
        if not health.is_draining:
            log.warning("job worker %s ended with status %s and is restarted", number, process.returncode)
            await asyncio.sleep(RESTART_DELAY_S)


async def _wait(process: Process, settings: Settings, health: Health) -> None:
    """Wait until the process ends. When the server drains its requests, stop the process: first by SIGTERM, then by SIGKILL."""
    waiting = asyncio.create_task(process.wait())
    while not waiting.done() and not health.is_draining:
        await asyncio.wait({waiting}, timeout=CHECK_INTERVAL_S)
    with suppress(ProcessLookupError):
        process.terminate()
    await asyncio.wait({waiting}, timeout=settings.shutdown_grace + STOP_MARGIN_S)
    with suppress(ProcessLookupError):
        process.kill()
    await waiting


def _environment(settings: Settings, runtime_url: str, number: int) -> dict[str, str]:
    """Return the environment of a job worker: that of the server, with the database that the server uses, and a port for its metrics."""
    environment = {**os.environ, "DATABASE_URL": runtime_url}
    if settings.metrics_port:
        environment["RELATIES_METRICS_PORT"] = str(settings.metrics_port + settings.workers + number)
    return environment
