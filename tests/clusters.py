"""Throw-away servers of another PostgreSQL."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.commands import free_port

FAST = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=100"


def ordinary() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: as root an ordinary account."""
    if os.geteuid():
        return None
    return next(entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name)


def _run(*command: str | Path) -> None:
    account = ordinary()
    who = (account.pw_uid, account.pw_gid) if account else (None, None)
    extra: list[int] | None = [] if account else None
    done = subprocess.run(  # noqa: S603 programs that we name
        command, cwd="/", user=who[0], group=who[1], extra_groups=extra, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """The address of a new server, as its superuser."""
    folder, port, account = Path(tempfile.mkdtemp(dir="/var/tmp")), free_port(), ordinary()
    try:
        (folder / "password").write_text("owner")
        for path in (folder, folder / "password"):
            os.chown(path, account.pw_uid if account else -1, -1)
        auth = ["--auth=scram-sha-256", "--username=postgres", f"--pwfile={folder / 'password'}"]
        _run(programs / "initdb", "-D", folder / "data", *auth, "--encoding=UTF8", "--no-locale", "--no-sync")
        _run(programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", f"-p {port} {FAST}", "start")
        try:
            yield f"postgresql://postgres:owner@127.0.0.1:{port}/postgres"
        finally:
            _run(programs / "pg_ctl", "-D", folder / "data", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def restart_as_standby(programs: Path, data: Path) -> None:
    """Restart a server such that it only replays a log that nobody sends."""
    signal, account = data / "standby.signal", ordinary()
    signal.touch()
    os.chown(signal, account.pw_uid if account else -1, -1)
    _run(programs / "pg_ctl", "-D", data, "-w", "-l", data.parent / "log", "-m", "fast", "restart")
