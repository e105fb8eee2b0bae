"""Using the embedded server as several processes do."""

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
# A user of the database in a process of its own: says what it does, then READY, and stays until its input ends or a signal comes.
USER = """
import select, signal, sys
from contextlib import suppress
from pathlib import Path
from db.embedded import run_server

for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.default_int_handler)
with suppress(KeyboardInterrupt), run_server(Path(sys.argv[1]), notify=lambda message: print(message, flush=True)):
    print("READY", flush=True)
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass  # a signal just before an endless wait would be seen only after it
"""


def quiet(_: str) -> None:
    """Nobody listens."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that the account of PostgreSQL can enter, which pytest's own does not let it as root."""
    made = Path(tempfile.mkdtemp(dir="/var/tmp")).resolve()
    made.chmod(0o711)
    try:
        yield made
    finally:
        for process in servers(made / "home"):
            process.kill()
        shutil.rmtree(made)


def servers(home: Path) -> list[psutil.Process]:
    """The living postmasters of a home, with all that they started."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and str(home / "data") in (process.info["cmdline"] or []):
            found += [process, *process.children(recursive=True)]
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def postmaster(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def ask(url: str, *statements: str) -> object:
    """The first value of the last statement."""

    async def asked() -> object:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(asked())


@contextmanager
def user(home: Path, until: str = "READY\n") -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the home, as soon as it has said so."""
    command = [sys.executable, "-c", USER, str(home)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:  # noqa: S603 - ourselves
        assert process.stdout
        assert until in iter(process.stdout.readline, "")
        try:
            yield process
        finally:
            process.kill()


def refusal(home: Path) -> str:
    """The one line of a start that is refused."""
    with pytest.raises(EmbeddedError) as refused, run_server(home, notify=quiet):
        pass
    assert "\n" not in str(refused.value)
    return str(refused.value)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
