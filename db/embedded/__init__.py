"""Embedded PostgreSQL: create, start, share between processes and stop a server, with the binaries of a wheel.

A server has no owner process: every user of a folder holds `users.lock` shared, and the last one stops the server. Starting and stopping
are serialized by `transition.lock`. The kernel drops the locks of a process that dies, so a server that outlived its user is taken over
by the next one, which stops it at its end.
"""

from __future__ import annotations  # the names of `pwd` are not there on every system

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

if sys.platform != "win32":  # so that another system gets a message instead of an ImportError
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
# Without sockets in the file system the only way in is a loopback port that requires a password.
SERVER_OPTIONS = "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200 -c jit=off"
TRANSIENT_ERRORS = ("could not bind", "already exists", "still in use")  # another process took the port; a server that is shutting down


@dataclass(frozen=True)
class EmbeddedServer:
    """The URLs of the database. The migrations create the role of `runtime_url`; only its password is stored here."""

    owner_url: str
    runtime_url: str


@contextmanager
def run_server(path: Path, *, notify: Callable[[str], None]) -> Iterator[EmbeddedServer]:
    """The database in the folder `path`, made and started where needed. For synchronous code only."""
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
    fcntl.flock(users, fcntl.LOCK_SH)  # never waits: only the holder of `transition` tries the exclusive lock
    refuse_other_container(directory.path, users, is_only_user=is_only_user)
    is_new = not (directory.data / "PG_VERSION").exists()
    owner_password, server_password = read_or_create_passwords(directory.path, is_new=is_new)
    if is_new:
        create_cluster(directory, owner_password, transition)
    address = f"127.0.0.1:{_find_or_start(directory, owner_password)}/{DATABASE}"
    return EmbeddedServer(f"postgresql://{OWNER}:{owner_password}@{address}", f"postgresql://{SERVER}:{server_password}@{address}")


def _is_only_user(users: IO[str]) -> bool:
    """Return whether no other process uses the server. Only the holder of `transition` may call it."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find_or_start(directory: DataDirectory, password: str) -> int:
    """Return the port of a server that responds: one that runs already, or else one that is started here."""
    error_text = ""
    for _ in range(5):
        port = _running_port(directory, password)
        if port:
            return port
        error_text = _start(directory)
    raise EmbeddedError(f"PostgreSQL does not start: {error_text} (see {directory.log})")


def _running_port(directory: DataDirectory, password: str) -> int:
    """Return the port of the running server of the directory, or 0. Wait for one that is starting, recovering or shutting down."""
    deadline = time.monotonic() + START_TIMEOUT
    while process := _find_postmaster(directory):
        port = _read_pid_file(directory)[1]
        if port and _is_answering(directory, port, password):
            return port
        if time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL (process {process.pid}) has not answered for {START_TIMEOUT} s: see {directory.log}.")
        time.sleep(0.1)
    return 0


def _read_pid_file(directory: DataDirectory) -> tuple[int, int]:
    """Return the process id and the port of `postmaster.pid`, 0 for each that is missing."""
    path = directory.data / "postmaster.pid"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    process, port = (int(line) if line.strip().isdecimal() else 0 for line in [*lines, "", "", "", ""][0:4:3])
    return process, port


def _find_postmaster(directory: DataDirectory) -> psutil.Process | None:
    """Return the running server process of the directory: a stored process id may belong to another process by now."""
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
            f"The passwords.json in {directory.path} is not of the database beside it: put back the one that is, or {CHOOSE_OTHER_FOLDER}."
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
    """Start the server; return an empty text, or the reason of a failure that the next attempt may not have."""
    directory.notify(f"Starting PostgreSQL {MAJOR}")
    process = _read_pid_file(directory)[0]
    if process == 0 or psutil.pid_exists(process):  # if the process is gone, PostgreSQL itself checks that, better than we can
        (directory.data / "postmaster.pid").unlink(missing_ok=True)
    os.chown(create_private_file(directory.log), directory.account.pw_uid, -1)
    size = directory.log.stat().st_size
    result = run_pg_ctl(directory, "start", "-t", str(START_TIMEOUT), "-l", directory.log, "-o", SERVER_OPTIONS.format(port=_free_port()))
    if result.returncode == 0:
        return ""
    log_text = directory.log.read_bytes()[size:].decode(errors="replace")
    if not any(message in log_text for message in TRANSIENT_ERRORS):
        raise EmbeddedError(f"PostgreSQL does not start: {error_line(log_text or result.stderr)} (see {directory.log})")
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
    while _is_alive(process) and time.monotonic() < deadline:  # pg_ctl waits for the file only, which disappears before the process ends
        time.sleep(0.01)
    if _is_alive(process):
        directory.notify(f"PostgreSQL (process {process.pid}) has not stopped: see {directory.log}")


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
