"""Run temporary PostgreSQL servers of another installation than the embedded one."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import find_free_port

FAST_OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=100"


def postgres_account() -> pwd.struct_passwd | None:
    """Return the ordinary account that runs PostgreSQL, which refuses to run as root. Return None if the tests do not run as root."""
    if os.geteuid():
        return None
    return next(entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name)


def _run_program(*command: str | Path) -> None:
    account = postgres_account()
    user_and_group = (account.pw_uid, account.pw_gid) if account else (None, None)
    extra: list[int] | None = [] if account else None
    result = subprocess.run(  # noqa: S603 programs that we name
        command, cwd="/", user=user_and_group[0], group=user_and_group[1], extra_groups=extra, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@contextmanager
def run_cluster(programs: Path) -> Iterator[str]:
    """Run a new server and yield the URL of its superuser."""
    folder, port, account = Path(tempfile.mkdtemp(dir="/var/tmp")), find_free_port(), postgres_account()
    try:
        (folder / "password").write_text("owner")
        for path in (folder, folder / "password"):
            os.chown(path, account.pw_uid if account else -1, -1)
        auth = ["--auth=scram-sha-256", "--username=postgres", f"--pwfile={folder / 'password'}"]
        _run_program(programs / "initdb", "-D", folder / "data", *auth, "--encoding=UTF8", "--no-locale", "--no-sync")
        _run_program(programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", f"-p {port} {FAST_OPTIONS}", "start")
        try:
            yield f"postgresql://postgres:owner@127.0.0.1:{port}/postgres"
        finally:
            _run_program(programs / "pg_ctl", "-D", folder / "data", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def restart_as_standby(programs: Path, data: Path) -> None:
    """Restart the server as a standby without a primary, so that it accepts reads only."""
    signal, account = data / "standby.signal", postgres_account()
    signal.touch()
    os.chown(signal, account.pw_uid if account else -1, -1)
    _run_program(programs / "pg_ctl", "-D", data, "-w", "-l", data.parent / "log", "-m", "fast", "restart")
