"""The database to measure on: an embedded server of its own with the demo organization, which has the size of data S."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import asyncpg

from db import demo
from db.embedded import Embedded, running
from db.migrations import upgrade
from domain.tokens import hash_of, new_secret

BELOW = "/var/tmp"  # noqa: S108 PostgreSQL may run as another account, which cannot enter a private folder


@dataclass(frozen=True)
class Place:
    """Addresses as the owner and as the server, the demo's token, and a folder for the server's own files."""

    owner_url: str
    runtime_url: str
    token: str
    data_dir: Path

    @property
    def answer(self) -> Path:
        """Where the bound finds what it answers."""
        return self.data_dir / "answer.json"


@contextmanager
def embedded(kept: Path | None = None) -> Iterator[tuple[Embedded, Path]]:
    """A migrated database and its folder. One that is to be kept is used again by the next run, and never removed."""
    home = kept or Path(tempfile.mkdtemp(prefix="relaties-bench-", dir=BELOW))
    if not kept:
        home.chmod(0o711)
    try:
        with running(home / "server", say=print) as found:
            asyncio.run(upgrade(found.owner_url, found.runtime_url))
            yield found, home
    finally:
        if not kept:
            rmtree(home)


@contextmanager
def demonstration(kept: Path | None = None) -> Iterator[Place]:
    """1,000 clients, 3,000 contacts, 50,000 invoices."""
    with embedded(kept) as (found, home):
        token = home / "token"
        if not token.exists():
            token.write_text(new_secret())
        asyncio.run(_loaded(found.owner_url, token.read_text()))
        data = home / "data"
        data.mkdir(exist_ok=True)
        yield Place(found.owner_url, found.runtime_url, token.read_text(), data)


async def _loaded(owner_url: str, token: str) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        await demo.load(owner, token_hash=hash_of(token), progress=lambda _what, _done, _total: None)
        await owner.execute("VACUUM ANALYZE")
    finally:
        await owner.close()
