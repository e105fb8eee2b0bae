"""Load the whole demo organization into a database, and generate its rows only once a run."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import asyncpg

from db import demo
from db.tables import SCHEMA, Table
from tests.support.demo_data import ignore_progress

TABLES = [table.name for table in Table.metadata.sorted_tables]


class SharedDemo:
    """The rows of the demo in files that the processes of a run share.

    Generating the demo and checking its foreign keys takes about six times as much CPU time as copying its rows from files.
    """

    def __init__(self, folder: Path, size: demo.Size = demo.FULL) -> None:
        """Use a folder that the first load creates."""
        self._rows = folder
        self._lock_path = folder.with_suffix(".lock")
        self._size = size

    async def load(self, owner: asyncpg.Connection, token_hash: bytes) -> None:
        """Load the demo, as a superuser: copy the rows that another process has written, or generate and write them."""
        with self._lock_files():
            if self._rows.exists():
                await self._copy_rows(owner, token_hash)
            else:
                await demo.load(owner, token_hash=token_hash, progress=ignore_progress, size=self._size)
                await self._write_rows(owner)

    def remove(self) -> None:
        """Remove the files. A process that loads the demo later generates it again."""
        with self._lock_files():
            rmtree(self._rows, ignore_errors=True)

    async def _write_rows(self, owner: asyncpg.Connection) -> None:
        new = self._rows.with_suffix(".new")
        new.mkdir(exist_ok=True)
        for table in TABLES:
            await owner.copy_from_table(table, schema_name=SCHEMA, output=new / table, format="binary")
        new.rename(self._rows)

    async def _copy_rows(self, owner: asyncpg.Connection, token_hash: bytes) -> None:
        async with owner.transaction():
            await owner.execute("SET LOCAL session_replication_role = replica")  # the rows were checked when they were generated
            for table in TABLES:
                await owner.copy_to_table(table, schema_name=SCHEMA, source=self._rows / table, format="binary")
            await owner.execute(f"UPDATE {SCHEMA}.api_token SET token_hash = $1", token_hash)
        await owner.execute("ANALYZE")

    @contextmanager
    def _lock_files(self) -> Iterator[None]:
        with self._lock_path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def choose_run_folder(base: Path) -> Path:
    """Return the folder of the whole run. With pytest-xdist each process has a base folder of its own in it."""
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
