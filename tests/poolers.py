"""Throw-away poolers: pgbouncer in transaction mode, in front of a throw-away server."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from tests.clusters import ordinary
from tests.commands import free_port

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
def pooler(url: str, users: Mapping[str, str]) -> Iterator[str]:
    """Host and port of a pooler of five connections to the database of an address, which these users may use by their passwords."""
    found, own = urlsplit(url), free_port()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "users").write_text("".join(f'"{user}" "{password}"\n' for user, password in users.items()))
        values = {"database": found.path[1:], "host": found.hostname, "port": found.port, "own": own, "folder": folder}
        (folder / "ini").write_text(CONFIG.format(**values))
        who = ordinary()
        for path in (folder, *folder.iterdir()):
            os.chown(path, who.pw_uid if who else -1, -1)
        with _running(folder / "ini", who.pw_name if who else None):
            yield f"127.0.0.1:{own}"


@contextmanager
def _running(ini: Path, user: str | None) -> Iterator[None]:
    """It will not run as root."""
    command: list[str | Path] = [PGBOUNCER, *(["-u", user] if user else []), ini]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr is not None
        heard = Thread(target=process.stderr.read)  # or it would stop once the pipe is full of what it has to say
        try:
            assert any("process up" in line for line in process.stderr)
            heard.start()
            yield
        finally:
            process.terminate()
            heard.join(60)
