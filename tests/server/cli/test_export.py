"""The command that exports clients to a file: the same file as the job's, complete or not at all."""

import csv
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path

import asyncpg
import openpyxl
import pytest

from tests.support.builders import Tenant, create_tenant
from tests.support.databases import runtime_url
from tests.support.processes import run_relaties


@pytest.fixture
async def org(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[Tenant]:
    """Return an organization with two clients, beside another one with a client of its own."""
    owner = await asyncpg.connect(await fresh_database())
    org, other = await create_tenant(owner, "Own"), await create_tenant(owner, "Other")
    await other.add_client("Theirs", "1")
    client = await org.add_client("=Jansen", "007")
    await org.add_client("Bakker")
    await org.add_invoice(client, date(2026, 1, 10), "1234.50")
    yield org
    await owner.close()


@pytest.fixture
async def settings(org: Tenant, tmp_path: Path, server_url: str) -> dict[str, str]:
    url = f"{server_url.rpartition('/')[0]}/{await org.owner.fetchval('SELECT current_database()')}"
    return {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the exported files."""
    path = tmp_path / "exports"
    path.mkdir()
    return path


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [*csv.reader(file, delimiter=";")]


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


COLUMNS = "name, number,invoiced:2026-01-01..2026-12-31,Outstanding"
HEADER = ["Name", "Number", "Invoiced (EUR), 2026-01-01 to 2026-12-31", "Outstanding (EUR), all time"]


async def test_s7_command_writes_the_clients_of_the_organization(settings: dict[str, str], folder: Path) -> None:
    """There is no progress bar where nobody watches."""
    common = ("--organization", "Own", "--columns", COLUMNS)
    result = run_relaties("export", "--format", "csv", "--output", str(folder / "a.csv"), *common, **settings)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"2 clients exported to {folder / 'a.csv'}\n", "")
    assert read_csv(folder / "a.csv") == [HEADER, ["'=Jansen", "007", "1234,50", "1493,74"], ["Bakker", "", "0,00", "0,00"]]
    result = run_relaties("export", "--format", "xlsx", "--output", str(folder / "a.xlsx"), *common, "--search", "jansen", **settings)
    assert (result.returncode, result.stdout) == (0, f"1 client exported to {folder / 'a.xlsx'}\n")
    workbook = openpyxl.load_workbook(folder / "a.xlsx")
    assert [list(row) for row in workbook["Clients"].iter_rows(values_only=True)] == [HEADER, ["=Jansen", "007", 1234.5, 1493.74]]
    assert ("Search", "jansen") in [*workbook["About this export"].iter_rows(values_only=True)]
    assert list_names(folder) == ["a.csv", "a.xlsx"]


async def test_default_columns_are_those_that_an_import_takes_back(settings: dict[str, str], folder: Path) -> None:
    run_relaties("export", "--format", "csv", "--output", str(folder / "a.csv"), "--organization", "Own", **settings)
    header, *rows = read_csv(folder / "a.csv")
    assert (len(header), header[0], header[-1], len(rows)) == (55, "Name", "Purchase order required", 2)


async def test_existing_file_is_overwritten_only_by_force(settings: dict[str, str], folder: Path) -> None:
    path = folder / "a.csv"
    path.write_text("precious")
    arguments = ("export", "--format", "csv", "--output", str(path), "--organization", "Own")
    result = run_relaties(*arguments, **settings)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"{path} exists. Pass --force to overwrite it, or choose another --output.\n"
    assert path.read_text() == "precious"
    assert run_relaties(*arguments, "--force", **settings).returncode == 0
    assert len(read_csv(path)) == 3


REFUSALS = {
    "unknown column": (("--columns", "name,shoe_size"), "--columns: there is no column `shoe_size`. Columns: name, trade_name,"),
    "wrong period": (("--columns", "paid:2026-13-01..2026-12-31"), "--columns: `paid:2026-13-01..2026-12-31` has no valid period."),
    "reversed period": (("--columns", "paid:2026-02-01..2026-01-01"), "--columns: `paid:2026-02-01..2026-01-01` has no valid period."),
    "too many columns": (("--columns", ",".join(["name"] * 101)), "--columns must have at most 100 names."),
    "long search": (("--search", "x" * 201), "--search: `search` must have at most 200 characters."),
    "unknown organization": (("--organization", "Nobody"), "Pass a name or id as `--organization`. Organizations: "),
    "missing folder": (("--output", "/nowhere/a.csv"), "/nowhere/a.csv: No such file or directory. Choose another --output."),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_wrong_argument_is_refused_and_leaves_no_file(settings: dict[str, str], folder: Path, what: str) -> None:
    arguments, message = REFUSALS[what]
    common = ("--format", "csv", "--output", str(folder / "a.csv"), "--organization", "Own")
    result = run_relaties("export", *common, *arguments, **settings)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(message)
    assert list_names(folder) == []
