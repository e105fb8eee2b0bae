"""Every command and every query in the README is run, and every table in it is compared with the code."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import strawberry

from db.engine.database import Database
from db.engine.urls import with_database_name
from domain.core.errors import UserErrorCode
from server.errors import ErrorCode
from server.settings import Settings
from tests.support.api import Api, connect_client
from tests.support.databases import runtime_url
from tests.support.processes import build_environment, run_server
from tests.support.readme import BLOCKS, QUERIES, README, ROOT

SHELL = [text for kind, text in BLOCKS if kind == "sh"]


def run_script(script: str, **settings: str) -> str:
    """Run the script and return its output. Fail if it fails."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    result = subprocess.run(command, env=build_environment(**settings), cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)  # noqa: S603
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_readme_has_the_expected_blocks() -> None:
    """A block of another kind would not be run by any test."""
    assert [kind for kind, _ in BLOCKS] == ["sh", "sh", "sh", "json", *["graphql", "json"] * 11, "sh", "json", "sh", "sql", "sh"]


@pytest.mark.parametrize("command", SHELL[:2], ids=str.strip)
def test_two_commands_exist(command: str) -> None:
    """`make proof` runs them in a fresh clone. Here `make --dry-run` shows that they exist."""
    assert command.startswith("make ")
    assert "relaties serve" in run_script("make --dry-run run")
    assert "pytest" in run_script("make --dry-run test")


@pytest.fixture(scope="module")
async def changeable_demo_api(demo_urls: tuple[str, str], demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    """Create an API client on a copy of the demo organization that may be changed."""
    database = await Database.connect(runtime_url(demo_urls[1]))
    async with connect_client(schema, database) as http:
        yield Api(http, demo_token)
    await database.close()


@pytest.mark.parametrize(("query", "answer"), QUERIES, ids=lambda text: text[:20])
async def test_query_has_the_documented_answer(demo_api: Api, changeable_demo_api: Api, query: str, answer: str) -> None:
    """The demo organization is the same everywhere."""
    api = changeable_demo_api if query.startswith("mutation") else demo_api
    assert await api.data(query, **await fetch_preview_token(api, query)) == json.loads(answer)


async def fetch_preview_token(api: Api, query: str) -> dict[str, str]:
    """Fetch a token of a deletion preview, if the query needs it."""
    if "$token" not in query:
        return {}
    key = re.findall(r'id: "(.*?)"', query)[0]
    data = await api.data("query ($id: ID!) { client(by: {id: $id}) { deletionPreview { token } } }", id=key)
    return {"token": data["client"]["deletionPreview"]["token"]}


@pytest.fixture
def demo_server(demo_url: str, demo_token: str, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Run a server with the demo, and yield its port and a home folder that has the token where the README says."""
    home = tmp_path / "home"
    data = home / ".local" / "share" / "relaties"
    data.mkdir(parents=True)
    (data / "demo.token").write_text(demo_token)
    with run_server(DATABASE_URL=runtime_url(demo_url), RELATIES_DATA_DIR=str(data)) as server:
        yield server.port, home


def test_the_first_query_by_curl(demo_server: tuple[int, Path]) -> None:
    """Only the port differs from the README."""
    port, home = demo_server
    output = run_script(SHELL[2].replace(":8000", f":{port}"), HOME=str(home))
    assert json.loads(output) == json.loads(BLOCKS[3][1])


def test_cost_of_an_operation_by_curl(demo_server: tuple[int, Path]) -> None:
    """Only the port and the currently available points differ from the README."""
    port, home = demo_server
    output = json.loads(run_script(SHELL[3].replace(":8000", f":{port}"), HOME=str(home)))
    documented = json.loads(BLOCKS[27][1])
    available = [answer["extensions"]["cost"]["throttle"].pop("currentlyAvailable") for answer in (output, documented)]
    assert output == documented
    assert available[0] <= available[1] == documented["extensions"]["cost"]["throttle"]["maximumAvailable"]


async def test_token_commands_work(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    url = await fresh_database()
    output = run_script(SHELL[4], DATABASE_URL=runtime_url(url), RELATIES_OWNER_URL=url, RELATIES_DATA_DIR=str(tmp_path))
    assert len(re.findall(r"\brlt_[A-Za-z0-9_-]{43}$", output, re.MULTILINE)) == 3
    assert "CLIENTS_READ" in output
    assert output.endswith("No problems found.\n")


@pytest.fixture
async def replace_names(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[Callable[[str], str]]:
    """Return a function that replaces the README's names, which the test's PostgreSQL may already use."""
    host = with_database_name(server_url, "readme").rpartition("@")[2]

    def replace(text: str) -> str:
        text = text.replace("127.0.0.1:5432/relaties", host).replace("DATABASE relaties", "DATABASE readme")
        return text.replace("relaties_owner", "readme_owner").replace("relaties_server", "readme_server")

    yield replace
    await admin.execute("DROP DATABASE readme WITH (FORCE)")
    await admin.execute("DROP ROLE readme_server")
    await admin.execute("DROP ROLE readme_owner")


async def test_own_postgresql_works(admin: asyncpg.Connection, replace_names: Callable[[str], str], tmp_path: Path) -> None:
    """The README starts with two statements of a superuser and ends with a server that answers."""
    (statements,) = (text for kind, text in BLOCKS if kind == "sql")
    for statement in replace_names(statements).strip().split(";\n"):
        await admin.execute(statement)
    script = replace_names(SHELL[5])
    assert run_script(script, RELATIES_DATA_DIR=str(tmp_path)).endswith("No problems found.\n")
    exported = dict(re.findall(r"export (\w+)=(\S+)", script))
    with run_server(RELATIES_DATA_DIR=str(tmp_path), DATABASE_URL=exported["DATABASE_URL"]) as server:
        assert server.address in server.output


def test_table_of_settings_equals_the_code() -> None:
    """The table lists each variable with its default and its description."""
    documented = re.findall(r"^\| `((?:DATABASE|RELATIES)_\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    expected = []
    for name, field in Settings.model_fields.items():
        default = (
            "see above"
            if field.default_factory
            else "none"
            if field.default is None
            else str(getattr(field.default, "value", field.default))
        )
        expected.append((Settings.variable(name), default, field.description))
    assert documented == expected


def test_table_of_codes_equals_the_code() -> None:
    """The table lists every code that a response can contain."""
    documented = {code for row in re.findall(r"^\| (`[A-Z].*?) \|", README, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)}
    assert documented - {Settings.variable(name) for name in Settings.model_fields} == {*ErrorCode, *UserErrorCode}
