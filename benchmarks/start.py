"""Measure the warm start of `relaties serve`, from the command to the first answer, with an embedded and an external database.

    python -m benchmarks.start [--times 30] [--keep FOLDER]

The embedded database exists with its data before, and starts and stops with each server. The external database runs all the time in another
process. A request is sent as soon as the port is open, so that it is answered as early as possible. The output has elapsed time, and the
processor time of the server and the processes that it started, without PostgreSQL. If other programs use the machine, the minimum is the
most reliable figure: the same start takes half as long again a minute later, and neither steal time nor a parallel loop shows which starts
were disturbed.
"""

import argparse
import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NamedTuple

import psutil

from benchmarks.demo_database import BASE_FOLDER, run_demo_database
from benchmarks.load import Target
from benchmarks.machine import describe_python, print_load, read_tree_ms
from benchmarks.servers import BIN, PATIENCE_S, RELATIES, find_free_port

QUERY_BODY = {"query": "{ clients(first: 1) { nodes { name } } }"}
PAUSE_S = 0.05  # polling more often would take processor time from the starting server; the port opens long before the answer


class Start(NamedTuple):
    """Elapsed time and processor time until the first answer, in seconds."""

    clock: float
    processor: float


def measure_start(settings: dict[str, str], token: str) -> Start:
    """Start a server, measure the time until its first answer, and stop it."""
    port = find_free_port()
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with TemporaryFile() as log_file:
        began = time.perf_counter()
        process = psutil.Popen(
            [BIN / RELATIES, "serve", "--port", str(port)], env=environment | settings, stdout=subprocess.DEVNULL, stderr=log_file
        )
        try:
            if not asyncio.run(_wait_for_answer(process, Target(RELATIES, port, token))):
                log_file.seek(0)
                raise RuntimeError(log_file.read().decode())
            return Start(time.perf_counter() - began, read_tree_ms(process) / 1000)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


async def _wait_for_answer(process: psutil.Popen, target: Target) -> bool:
    """Send a request as soon as the process listens, and return whether it is answered. Return False if the process ends before."""
    while process.poll() is None:
        with suppress(ConnectionRefusedError):
            return bool(await target.post(QUERY_BODY))
        await asyncio.sleep(PAUSE_S)
    return False


@contextmanager
def create_folder(kept_folder: Path | None) -> Iterator[Path]:
    """Yield a folder that PostgreSQL's account can enter. It is removed at the end unless it is the kept folder."""
    if kept_folder:
        yield kept_folder
        return
    with TemporaryDirectory(prefix="relaties-bench-", dir=BASE_FOLDER) as temporary_folder:
        Path(temporary_folder).chmod(0o711)
        yield Path(temporary_folder)


def measure_starts(name: str, settings: dict[str, str], token: str, times: int) -> None:
    """Measure and print the starts, after an unmeasured one in which Python compiles its modules."""
    starts = [measure_start(settings, token) for _ in range(times + 1)][1:]
    for kind in Start._fields:
        durations = [getattr(start, kind) for start in starts]
        print(
            f"{name:10}{kind:10} median {median(durations):5.2f} s   min {min(durations):5.2f} s   max {max(durations):5.2f} s",
            flush=True,
        )
    print_load()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30, help="number of starts with each database")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print(describe_python())
    with create_folder(options.keep) as folder_path:
        with run_demo_database(folder_path) as database:
            print_load()
            measure_starts(
                "external",
                {"DATABASE_URL": database.runtime_url, "RELATIES_DATA_DIR": str(database.data_dir)},
                database.token,
                options.times,
            )
        (folder_path / "server" / "demo.token").write_text(database.token)
        measure_starts("embedded", {"RELATIES_DATA_DIR": str(folder_path / "server")}, database.token, options.times)
