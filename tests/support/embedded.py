"""Use the embedded PostgreSQL server from several processes at once."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from db.embedded import EmbeddedError, run_server

IS_ROOT = os.geteuid() == 0
# A process that uses the database. It prints its notices, then READY, and runs until its input ends or a signal arrives.
USER_PROGRAM = """
import select, signal, sys
from contextlib import suppress
from pathlib import Path
from db.embedded import run_server

for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.default_int_handler)
with suppress(KeyboardInterrupt), run_server(Path(sys.argv[1]), notify=lambda message: print(message, flush=True)):
    print("READY", flush=True)
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass  # a signal that arrives just before an endless wait would be noticed only after the wait
"""


def ignore_output(_: str) -> None:
    """Ignore the notices of the server."""


@contextmanager
def create_accessible_folder() -> Iterator[Path]:
    """Create a folder that PostgreSQL's account can enter. When the tests run as root, that account cannot enter pytest's own folders."""
    folder_path = Path(tempfile.mkdtemp(dir="/var/tmp")).resolve()
    folder_path.chmod(0o711)
    try:
        yield folder_path
    finally:
        for process in find_servers(folder_path / "home"):
            process.kill()
        shutil.rmtree(folder_path)


def find_servers(home: Path) -> list[psutil.Process]:
    """Return the running postmasters of a data folder, with their child processes."""
    processes = []
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and str(home / "data") in (process.info["cmdline"] or []):
            processes += [process, *process.children(recursive=True)]
    return [process for process in processes if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs. It may have ended since it was listed."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def read_postmaster_pid(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def fetch_value(url: str, *statements: str) -> object:
    """Run the statements and return the first value of the last one."""

    async def run_statements() -> object:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run_statements())


@contextmanager
def run_user_process(home: Path, expected_line: str = "READY\n") -> Iterator[subprocess.Popen[str]]:
    """Run another process that uses the same data folder, and yield it once it has printed the expected line."""
    command = [sys.executable, "-c", USER_PROGRAM, str(home)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:  # noqa: S603 - ourselves
        assert process.stdout
        assert expected_line in iter(process.stdout.readline, "")
        try:
            yield process
        finally:
            process.kill()


def startup_error(home: Path) -> str:
    """Start a server that must fail to start, and return its error message, which is a single line."""
    with pytest.raises(EmbeddedError) as raised_error, run_server(home, notify=ignore_output):
        pass
    assert "\n" not in str(raised_error.value)
    return str(raised_error.value)


def permission_bits(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
