"""Run temporary pgbouncer processes in transaction mode, in front of a temporary PostgreSQL server."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from tests.support.clusters import postgres_account
from tests.support.processes import find_free_port

PGBOUNCER = Path("/usr/sbin/pgbouncer")
CONFIG = """[databases]
{database} = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 5
"""


@contextmanager
def run_pooler(url: str, users: Mapping[str, str]) -> Iterator[str]:
    """Run pgbouncer with five connections for these users and passwords, and yield its host and port."""
    address, own = urlsplit(url), find_free_port()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "users").write_text("".join(f'"{user}" "{password}"\n' for user, password in users.items()))
        values = {"database": address.path[1:], "host": address.hostname, "port": address.port, "own": own, "folder": folder}
        (folder / "ini").write_text(CONFIG.format(**values))
        account = postgres_account()
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.pw_uid if account else -1, -1)
        with _run_pgbouncer(folder / "ini", account.pw_name if account else None):
            yield f"127.0.0.1:{own}"


@contextmanager
def _run_pgbouncer(ini: Path, user: str | None) -> Iterator[None]:
    """Run pgbouncer as an ordinary account, because it refuses to run as root."""
    command: list[str | Path] = [PGBOUNCER, *(["-u", user] if user else []), ini]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr is not None
        reader_thread = Thread(target=process.stderr.read)  # pgbouncer would block once the pipe is full
        try:
            assert any("process up" in line for line in process.stderr)
            reader_thread.start()
            yield
        finally:
            process.terminate()
            reader_thread.join(60)
