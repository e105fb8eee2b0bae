"""Run a database server that a test can stop and start."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.embedded import SERVER_OPTIONS, run_server
from db.embedded.binaries import run_pg_ctl
from db.embedded.data_directory import DataDirectory, open_data_directory


@dataclass
class OwnDatabaseServer:
    """A database server that only these tests use."""

    data_location: DataDirectory
    owner_url: str
    runtime_url: str

    def stop(self) -> None:
        run_pg_ctl(self.data_location, "stop", "-m", "fast")

    def start(self) -> None:
        """Start the database on the same port as before."""
        port = self.owner_url.rpartition(":")[2].partition("/")[0]
        assert run_pg_ctl(self.data_location, "start", "-l", self.data_location.log, "-o", SERVER_OPTIONS.format(port=port)).returncode == 0


@contextmanager
def run_own_server(home: Path) -> Iterator[OwnDatabaseServer]:
    with run_server(home, notify=lambda _: None) as embedded:
        yield OwnDatabaseServer(open_data_directory(home, lambda _: None), embedded.owner_url, embedded.runtime_url)
