"""Run a separate embedded database for measurements, with the demo organization in the size of data S, L or T."""

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
from tests.support.builders import create_tenant
from tests.support.large_organization import OVERVIEW_STATEMENTS, fill_organization

BASE_FOLDER = "/var/tmp"  # noqa: S108 PostgreSQL may run as another account, which cannot enter a private folder


@dataclass(frozen=True)
class DemoDatabase:
    """URLs for the owner and for the server, the demo's token, and a folder for files of the server."""

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
        """The folder from which the baseline reads the cases of each query and their answers."""
        return self.data_dir / "answers"

    @property
    def bodies(self) -> Path:
        """The folder with the request bodies for each server and query."""
        return self.data_dir / "bodies"

    @property
    def statements(self) -> Path:
        """The file from which the peers read their statements."""
        return self.data_dir / "statements.json"


@contextmanager
def run_embedded(kept_folder: Path | None = None) -> Iterator[tuple[EmbeddedServer, Path]]:
    """Run a migrated database and yield it with its folder. A kept folder is not removed, so that later runs can use it again."""
    home = kept_folder or Path(tempfile.mkdtemp(prefix="relaties-bench-", dir=BASE_FOLDER))
    if not kept_folder:
        home.chmod(0o711)
    try:
        with run_server(home / "server", notify=print) as database_urls:
            asyncio.run(upgrade(database_urls.owner_url, database_urls.runtime_url))
            yield database_urls, home
    finally:
        if not kept_folder:
            rmtree(home)


@dataclass(frozen=True)
class DataLoad:
    """The data to load: the demo organization, which is measured, and a number of other organizations of `clients` clients."""

    name: str
    description: str
    organization: demo.Size = demo.FULL
    other_organizations: int = 0
    clients: int = 0


SIZES = {
    "small": DataLoad("S", "1,000 clients, 3,000 contacts, 50,000 invoices of one organization"),
    "large": DataLoad(
        "L",
        "10,000 clients, 25,000 contacts and 54,500 invoices in each of 100 organizations",
        demo.Size(clients=10_000, contacts=25_000, invoices=54_500, registrations=50_000),
        other_organizations=99,
        clients=10_000,
    ),
    # For a trial of the programs; its figures mean nothing.
    "tiny": DataLoad(
        "T",
        "200 clients, 600 contacts, 2,000 invoices, and another organization with 200 clients",
        demo.Size(clients=200, contacts=600, shared_contacts=50, projects=200, registrations=1_000, invoices=2_000, quotes=100, portals=10),
        other_organizations=1,
        clients=200,
    ),
}


@contextmanager
def run_demo_database(kept_folder: Path | None = None, load: DataLoad = SIZES["small"]) -> Iterator[DemoDatabase]:
    """Run a database and load the data, unless an earlier run has loaded it into the kept folder."""
    with run_embedded(kept_folder) as (database_urls, home):
        token = home / "token"
        if not token.exists():
            token.write_text(new_secret())
        asyncio.run(_load(database_urls.owner_url, token.read_text(), load))
        data = home / "data"
        data.mkdir(exist_ok=True)
        yield DemoDatabase(database_urls.owner_url, database_urls.runtime_url, token.read_text(), data)


async def _load(owner_url: str, token: str, load: DataLoad) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        if not await demo.is_loaded(owner):
            await demo.load(owner, token_hash=hash_secret(token), progress=lambda _what, _completed, _total: None, size=load.organization)
            for number in range(load.other_organizations):
                await fill_organization(owner, await create_tenant(owner, f"Beside {number}"), load.clients, OVERVIEW_STATEMENTS)
            await owner.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await owner.close()
