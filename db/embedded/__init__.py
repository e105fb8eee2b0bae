"""PostgreSQL for whoever has none: made, started, shared by several processes and stopped, with the binaries of a wheel.

A server belongs to nobody: every user of a folder holds `users.lock` shared, and the last one out stops the server. Starting and stopping
happen in turn, under `transition.lock`. The kernel drops the locks of a process that dies, so a server that outlived its user is adopted
by the next one, who stops it at its own end.
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

if sys.platform != "win32":  # so that another system gets a sentence instead of an ImportError
    import fcntl


from db.embedded.home import (
    CONNECTIONS,
    ELSEWHERE,
    MAJOR,
    EmbeddedError,
    Place,
    in_words,
    opened,
    passwords,
    private,
    refuse_other_container,
)
from db.embedded.processes import undisturbed
from db.embedded.programs import DATABASE, OWNER, make, pg_ctl, reason

__all__ = ["Embedded", "EmbeddedError", "running"]

SERVER = "relaties_server"
PATIENCE_S = 60
# Without sockets in the file system the only door is a loopback port that asks for a password.
OPTIONS = "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections={connections} -c jit=off"
PASSING = ("could not bind", "already exists", "still in use")  # another took the port; a server that is just going


@dataclass(frozen=True)
class Embedded:
    """Where the database is. The role of `runtime_url` is made by the migrations; only its password is kept here."""

    owner_url: str
    runtime_url: str


@contextmanager
def running(home: Path, *, say: Callable[[str], None], connections: int = CONNECTIONS) -> Iterator[Embedded]:
    """The database in the folder `home`, made and started where needed, for so many connections. For synchronous code only."""
    with in_words(home):
        place = opened(home, say, connections)
        transition, users = (private(place.home / name).open("r+") for name in ("transition.lock", "users.lock"))
    with transition, users:
        fcntl.flock(transition, fcntl.LOCK_EX)
        try:
            with in_words(place.home):
                embedded = _begin(place, transition, users)
            fcntl.flock(transition, fcntl.LOCK_UN)
            yield embedded
        finally:
            with undisturbed():
                fcntl.flock(transition, fcntl.LOCK_EX)
                if _is_alone(users):
                    _stop(place)


def _begin(place: Place, transition: IO[str], users: IO[str]) -> Embedded:
    is_alone = _is_alone(users)
    fcntl.flock(users, fcntl.LOCK_SH)  # never waits: the exclusive lock is only ever tried by who holds the transition
    refuse_other_container(place.home, users, is_alone=is_alone)
    is_new = not (place.data / "PG_VERSION").exists()
    owner, server = passwords(place.home, is_new=is_new)
    if is_new:
        make(place, owner, transition)
    address = f"127.0.0.1:{_port(place, owner)}/{DATABASE}"
    return Embedded(f"postgresql://{OWNER}:{owner}@{address}", f"postgresql://{SERVER}:{server}@{address}")


def _is_alone(users: IO[str]) -> bool:
    """Whether nobody else uses the server: then the lock is ours alone. Only asked by who holds the transition."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _port(place: Place, password: str) -> int:
    """The port of a server that answers: one that runs already, else ours."""
    trouble = ""
    for _ in range(5):
        port = _adopted(place, password)
        if port:
            return port
        trouble = _start(place)
    raise EmbeddedError(f"PostgreSQL does not start: {trouble} (see {place.log})")


def _adopted(place: Place, password: str) -> int:
    """The port of the server of these data, 0 if there is none; one that is starting, recovering or shutting down is waited for."""
    until = time.monotonic() + PATIENCE_S
    while process := _postmaster(place):
        port = _written(place)[1]
        if port and _answers(place, port, password):
            return port
        if time.monotonic() > until:
            raise EmbeddedError(f"PostgreSQL (process {process.pid}) has not answered for {PATIENCE_S} s: see {place.log}.")
        time.sleep(0.1)
    return 0


def _written(place: Place) -> tuple[int, int]:
    """Process and port as PostgreSQL wrote them down, 0 for what is not there."""
    path = place.data / "postmaster.pid"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    process, port = (int(line) if line.strip().isdecimal() else 0 for line in [*lines, "", "", "", ""][0:4:3])
    return process, port


def _postmaster(place: Place) -> psutil.Process | None:
    """The living server of these data: a number that was written down may be another process's by now."""
    try:
        process = psutil.Process(_written(place)[0])
        is_ours = process.name() == "postgres" and (str(place.data) in process.cmdline() or process.cwd() == str(place.data.resolve()))
    except (psutil.Error, FileNotFoundError):
        return None
    return process if is_ours else None


def _answers(place: Place, port: int, password: str) -> bool:
    try:
        return Path(asyncio.run(_data_directory(port, password))) == place.data
    except asyncpg.InvalidPasswordError:
        raise EmbeddedError(
            f"The passwords.json in {place.home} is not of the database beside it: put back the one that is, or {ELSEWHERE}."
        ) from None
    except (OSError, asyncpg.PostgresError):
        return False


async def _data_directory(port: int, password: str) -> str:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=OWNER, password=password, database=DATABASE, ssl=False, timeout=5)
    try:
        return str(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()


def _start(place: Place) -> str:
    """Nothing, or why it failed though the next try may succeed."""
    place.say(f"Starting PostgreSQL {MAJOR}")
    process = _written(place)[0]
    if process == 0 or psutil.pid_exists(process):  # of a process that is gone PostgreSQL itself makes sure, better than we can
        (place.data / "postmaster.pid").unlink(missing_ok=True)
    os.chown(private(place.log), place.account.pw_uid, -1)
    size = place.log.stat().st_size
    done = pg_ctl(
        place, "start", "-t", str(PATIENCE_S), "-l", place.log, "-o", OPTIONS.format(port=_free_port(), connections=place.connections)
    )
    if done.returncode == 0:
        return ""
    logged = place.log.read_bytes()[size:].decode(errors="replace")
    if not any(trouble in logged for trouble in PASSING):
        raise EmbeddedError(f"PostgreSQL does not start: {reason(logged or done.stderr)} (see {place.log})")
    time.sleep(0.2)
    return reason(logged)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _stop(place: Place) -> None:
    process = _postmaster(place)
    if process is None:
        return
    for how in ("fast", "immediate"):
        if pg_ctl(place, "stop", "-m", how, "-t", "20").returncode == 0:
            break
    until = time.monotonic() + 5
    while _lives(process) and time.monotonic() < until:  # pg_ctl waits for the file only, which goes a moment before the process
        time.sleep(0.01)
    if _lives(process):
        place.say(f"PostgreSQL (process {process.pid}) has not stopped: see {place.log}")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
