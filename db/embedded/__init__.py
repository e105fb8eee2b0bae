"""Embedded PostgreSQL: create, start and stop a server with the binaries of a wheel, and share it between processes.

No process owns the server. Every user of a folder holds a shared lock on `users.lock`, and the last user stops the server. An exclusive
lock on `transition.lock` serializes starting and stopping. The kernel releases the locks of a process that dies, so the next user takes
over a server that outlived its users, and stops it at the end.
"""

from __future__ import annotations  # `pwd` does not exist on every system

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import asyncpg
import psutil

if sys.platform != "win32":  # Windows gets a message from `open_data_directory` instead of an ImportError
    import fcntl


from db.embedded.binaries import DATABASE, OWNER, create_cluster, error_line, run_pg_ctl
from db.embedded.data_directory import (
    CHOOSE_OTHER_FOLDER,
    MAJOR,
    DataDirectory,
    EmbeddedError,
    create_private_file,
    explain_os_errors,
    open_data_directory,
    read_or_create_passwords,
    refuse_other_container,
)
from db.embedded.processes import defer_signals

__all__ = ["EmbeddedError", "EmbeddedServer", "run_server"]

SERVER = "relaties_server"
START_TIMEOUT = 60
# No Unix sockets: the only way to connect is a loopback port, which requires a password.
SERVER_OPTIONS = "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200 -c jit=off"
TRANSIENT_ERRORS = ("could not bind", "already exists", "still in use")  # another process took the port; the old server is shutting down


@dataclass(frozen=True)
class EmbeddedServer:
    """The URLs of the database. Its password exists from the start, but the migrations create the role of `runtime_url`."""

    owner_url: str
    runtime_url: str


@contextmanager
def run_server(path: Path, *, notify: Callable[[str], None]) -> Iterator[EmbeddedServer]:
    """Run the block with the database in the folder `path`, which is created and started if necessary. For synchronous code only.

    `notify` is called with messages for the user. Raises `EmbeddedError`.
    """
    with explain_os_errors(path):
        directory = open_data_directory(path, notify)
        transition, users = (create_private_file(directory.path / name).open("r+") for name in ("transition.lock", "users.lock"))
    with transition, users:
        fcntl.flock(transition, fcntl.LOCK_EX)
        try:
            with explain_os_errors(directory.path):
                server = _open_server(directory, transition, users)
            fcntl.flock(transition, fcntl.LOCK_UN)
            yield server
        finally:
            with defer_signals():
                fcntl.flock(transition, fcntl.LOCK_EX)
                if _is_only_user(users):
                    _stop(directory)


def _open_server(directory: DataDirectory, transition: IO[str], users: IO[str]) -> EmbeddedServer:
    is_only_user = _is_only_user(users)
    fcntl.flock(users, fcntl.LOCK_SH)  # never waits, since only the holder of `transition` takes the exclusive lock
    refuse_other_container(directory.path, users, is_only_user=is_only_user)
    is_new = not (directory.data / "PG_VERSION").exists()
    owner_password, server_password = read_or_create_passwords(directory.path, is_new=is_new)
    if is_new:
        create_cluster(directory, owner_password, transition)
    address = f"127.0.0.1:{_find_or_start(directory, owner_password)}/{DATABASE}"
    return EmbeddedServer(f"postgresql://{OWNER}:{owner_password}@{address}", f"postgresql://{SERVER}:{server_password}@{address}")


def _is_only_user(users: IO[str]) -> bool:
    """Return whether no other process uses the server. The caller must hold `transition`."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find_or_start(directory: DataDirectory, password: str) -> int:
    """Return the port of a server that responds. Starts the server if it is not running."""
    error_text = ""
    for _ in range(5):
        port = _running_port(directory, password)
        if port:
            return port
        error_text = _start(directory)
    raise EmbeddedError(f"PostgreSQL cannot start: {error_text} (see {directory.log})")


def _running_port(directory: DataDirectory, password: str) -> int:
    """Return the port of the directory's running server, or 0. Waits for a server that is starting, recovering or shutting down."""
    deadline = time.monotonic() + START_TIMEOUT
    while process := _find_postmaster(directory):
        port = _read_pid_file(directory)[1]
        if port and _is_answering(directory, port, password):
            return port
        if time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL (process {process.pid}) has not responded for {START_TIMEOUT} s: see {directory.log}.")
        time.sleep(0.1)
    return 0


def _read_pid_file(directory: DataDirectory) -> tuple[int, int]:
    """Return the process id and the port in `postmaster.pid`; 0 for a missing one."""
    path = directory.data / "postmaster.pid"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    process, port = (int(line) if line.strip().isdecimal() else 0 for line in [*lines, "", "", "", ""][0:4:3])
    return process, port


def _find_postmaster(directory: DataDirectory) -> psutil.Process | None:
    """Return the directory's running server process. Checks more than the stored id, which another process can have by now."""
    try:
        process = psutil.Process(_read_pid_file(directory)[0])
        is_ours = process.name() == "postgres" and (
            str(directory.data) in process.cmdline() or process.cwd() == str(directory.data.resolve())
        )
    except (psutil.Error, FileNotFoundError):
        return None
    return process if is_ours else None


def _is_answering(directory: DataDirectory, port: int, password: str) -> bool:
    try:
        return Path(asyncio.run(_data_directory(port, password))) == directory.data
    except asyncpg.InvalidPasswordError:
        raise EmbeddedError(
            f"The passwords in {directory.path / 'passwords.json'} do not match the database: restore the file, or {CHOOSE_OTHER_FOLDER}."
        ) from None
    except (OSError, asyncpg.PostgresError):
        return False


async def _data_directory(port: int, password: str) -> str:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=OWNER, password=password, database=DATABASE, ssl=False, timeout=5)
    try:
        return str(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()


def _start(directory: DataDirectory) -> str:
    """Start the server. Return an empty text, or the error if another attempt may succeed; raise `EmbeddedError` for other errors."""
    directory.notify(f"Starting PostgreSQL {MAJOR}")
    process = _read_pid_file(directory)[0]
    # The file is stale: no server runs here (see `_find_postmaster`). If its process is gone, PostgreSQL removes the file after checks of
    # its own. If another program has the process id by now, PostgreSQL would refuse to start.
    if process == 0 or psutil.pid_exists(process):
        (directory.data / "postmaster.pid").unlink(missing_ok=True)
    os.chown(create_private_file(directory.log), directory.account.pw_uid, -1)
    size = directory.log.stat().st_size
    result = run_pg_ctl(directory, "start", "-t", str(START_TIMEOUT), "-l", directory.log, "-o", SERVER_OPTIONS.format(port=_free_port()))
    if result.returncode == 0:
        return ""
    log_text = directory.log.read_bytes()[size:].decode(errors="replace")
    if not any(message in log_text for message in TRANSIENT_ERRORS):
        raise EmbeddedError(f"PostgreSQL cannot start: {error_line(log_text or result.stderr)} (see {directory.log})")
    time.sleep(0.2)
    return error_line(log_text)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _stop(directory: DataDirectory) -> None:
    process = _find_postmaster(directory)
    if process is None:
        return
    for mode in ("fast", "immediate"):
        if run_pg_ctl(directory, "stop", "-m", mode, "-t", "20").returncode == 0:
            break
    deadline = time.monotonic() + 5
    # pg_ctl waits only until `postmaster.pid` disappears, which is before the process ends.
    while _is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    if _is_alive(process):
        directory.notify(f"PostgreSQL (process {process.pid}) has not stopped: see {directory.log}")


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
