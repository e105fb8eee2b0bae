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
from db.embedded import EmbeddedServer, run_server
from db.migrations import upgrade
from domain.organization.tokens import hash_secret, new_secret
from tests.builders import tenant
from tests.large import ASKED, fill

BELOW = "/var/tmp"  # noqa: S108 PostgreSQL may run as another account, which cannot enter a private folder


@dataclass(frozen=True)
class Place:
    """Addresses as the owner and as the server, the demo's token, and a folder for the server's own files."""

    owner_url: str
    runtime_url: str
    token: str
    data_dir: Path

    @property
    def embedded_dir(self) -> Path:
        """The folder of the embedded database."""
        return self.data_dir.parent / "server"

    @property
    def answers(self) -> Path:
        """Where the bound finds the cases of each query with their answers."""
        return self.data_dir / "answers"

    @property
    def bodies(self) -> Path:
        """What each server is sent for a query."""
        return self.data_dir / "bodies"

    @property
    def statements(self) -> Path:
        """Where the peers find what they ask of the database."""
        return self.data_dir / "statements.json"


@contextmanager
def embedded(kept: Path | None = None) -> Iterator[tuple[EmbeddedServer, Path]]:
    """A migrated database and its folder. One that is to be kept is used again by the next run, and never removed."""
    home = kept or Path(tempfile.mkdtemp(prefix="relaties-bench-", dir=BELOW))
    if not kept:
        home.chmod(0o711)
    try:
        with run_server(home / "server", notify=print) as found:
            asyncio.run(upgrade(found.owner_url, found.runtime_url))
            yield found, home
    finally:
        if not kept:
            rmtree(home)


@dataclass(frozen=True)
class Load:
    """How much is loaded: the demo organization, which is the one asked for, and how many others of how many clients beside it."""

    name: str
    what: str
    organization: demo.Size = demo.FULL
    others: int = 0
    clients: int = 0


SIZES = {
    "small": Load("S", "1,000 clients, 3,000 contacts, 50,000 invoices of one organization"),
    "large": Load(
        "L",
        "10,000 clients, 25,000 contacts, 54,500 invoices of each of 100 organizations",
        demo.Size(clients=10_000, contacts=25_000, invoices=54_500, registrations=50_000),
        others=99,
        clients=10_000,
    ),
    # To see that everything runs; its figures mean nothing.
    "tiny": Load(
        "T",
        "200 clients, 600 contacts, 2,000 invoices, and another organization of as many clients",
        demo.Size(clients=200, contacts=600, shared_contacts=50, projects=200, registrations=1_000, invoices=2_000, quotes=100, portals=10),
        others=1,
        clients=200,
    ),
}


@contextmanager
def demonstration(kept: Path | None = None, load: Load = SIZES["small"]) -> Iterator[Place]:
    """The demo organization, and where the load has them others beside it."""
    with embedded(kept) as (found, home):
        token = home / "token"
        if not token.exists():
            token.write_text(new_secret())
        asyncio.run(_loaded(found.owner_url, token.read_text(), load))
        data = home / "data"
        data.mkdir(exist_ok=True)
        yield Place(found.owner_url, found.runtime_url, token.read_text(), data)


async def _loaded(owner_url: str, token: str, load: Load) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        if not await demo.is_loaded(owner):
            await demo.load(owner, token_hash=hash_secret(token), progress=lambda _what, _done, _total: None, size=load.organization)
            for number in range(load.others):
                await fill(owner, await tenant(owner, f"Beside {number}"), load.clients, ASKED)
            await owner.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await owner.close()
