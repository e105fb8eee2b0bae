"""The start of `relaties serve` on a machine that knows it: from the command to the first answer, on either kind of database.

    python -m benchmarks.start [--times 30] [--keep FOLDER]

The embedded database was made and loaded before, and is started and stopped with each server; the external one is another process's, and
runs all the time. A request waits at the port as soon as that is open, so that it is answered as early as can be. Besides the clock stands
the processor time of the server and of what it started, without PostgreSQL's own. Where others use the machine the least tells most: the
same start takes half as long again a minute later, and neither steal nor a loop beside it tells which were disturbed.
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
PAUSE_S = 0.05  # the port is open long before the answer is there, and who looks more often takes processor from who starts


class Start(NamedTuple):
    """Seconds until the first answer: by the clock, and of processors."""

    clock: float
    processor: float


def measure_start(settings: dict[str, str], token: str) -> Start:
    """Measure one start, from the command to the end of the process."""
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
    """Return whether the process answers as soon as it listens; it may end instead."""
    while process.poll() is None:
        with suppress(ConnectionRefusedError):
            return bool(await target.ask(QUERY_BODY))
        await asyncio.sleep(PAUSE_S)
    return False


@contextmanager
def create_folder(kept_folder: Path | None) -> Iterator[Path]:
    """One that PostgreSQL's account can enter, and that is removed unless it is to be kept."""
    if kept_folder:
        yield kept_folder
        return
    with TemporaryDirectory(prefix="relaties-bench-", dir=BASE_FOLDER) as temporary_folder:
        Path(temporary_folder).chmod(0o711)
        yield Path(temporary_folder)


def measure_starts(what: str, settings: dict[str, str], token: str, times: int) -> None:
    """Once before, so that Python has compiled what it reads."""
    starts = [measure_start(settings, token) for _ in range(times + 1)][1:]
    for kind in Start._fields:
        durations = [getattr(start, kind) for start in starts]
        print(
            f"{what:10}{kind:10} median {median(durations):5.2f} s   least {min(durations):5.2f} s   most {max(durations):5.2f} s",
            flush=True,
        )
    print_load()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--keep", type=Path)
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
