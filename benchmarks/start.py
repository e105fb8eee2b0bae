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

from benchmarks.load import Target
from benchmarks.machine import python, say_load, tree_ms
from benchmarks.place import BELOW, demonstration
from benchmarks.servers import BIN, OURS, PATIENCE_S, free_port

ASKED = {"query": "{ clients(first: 1) { nodes { name } } }"}
PAUSE_S = 0.05  # the port is open long before the answer is there, and who looks more often takes processor from who starts


class Start(NamedTuple):
    """Seconds until the first answer: by the clock, and of processors."""

    clock: float
    processor: float


def started(settings: dict[str, str], token: str) -> Start:
    """One start, seen through to its end."""
    port = free_port()
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with TemporaryFile() as said:
        began = time.perf_counter()
        process = psutil.Popen([BIN / OURS, "serve", "--port", str(port)], env=kept | settings, stdout=subprocess.DEVNULL, stderr=said)
        try:
            if not asyncio.run(_answered(process, Target(OURS, port, token))):
                said.seek(0)
                raise RuntimeError(said.read().decode())
            return Start(time.perf_counter() - began, tree_ms(process) / 1000)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


async def _answered(process: psutil.Popen, target: Target) -> bool:
    """Whether it answers what it is asked as soon as it listens; it may end instead."""
    while process.poll() is None:
        with suppress(ConnectionRefusedError):
            return bool(await target.answer(ASKED))
        await asyncio.sleep(PAUSE_S)
    return False


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    """One that PostgreSQL's account can enter, and that is removed unless it is to be kept."""
    if kept:
        yield kept
        return
    with TemporaryDirectory(prefix="relaties-bench-", dir=BELOW) as made:
        Path(made).chmod(0o711)
        yield Path(made)


def measure(what: str, settings: dict[str, str], token: str, times: int) -> None:
    """Once before, so that Python has compiled what it reads."""
    starts = [started(settings, token) for _ in range(times + 1)][1:]
    for kind in Start._fields:
        taken = [getattr(start, kind) for start in starts]
        print(f"{what:10}{kind:10} median {median(taken):5.2f} s   least {min(taken):5.2f} s   most {max(taken):5.2f} s", flush=True)
    say_load()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--keep", type=Path)
    wanted = parser.parse_args()
    print(python())
    with folder(wanted.keep) as home:
        with demonstration(home) as found:
            say_load()
            measure("external", {"DATABASE_URL": found.runtime_url, "RELATIES_DATA_DIR": str(found.data_dir)}, found.token, wanted.times)
        (home / "server" / "demo.token").write_text(found.token)
        measure("embedded", {"RELATIES_DATA_DIR": str(home / "server")}, found.token, wanted.times)
