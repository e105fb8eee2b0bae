"""The README: every command and every query in it is run, and every table in it is compared with the code."""

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
from tests.ask import Api, connected
from tests.commands import environment, serving
from tests.conftest import runtime_url

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
QUERIES = [(text, BLOCKS[place + 1][1]) for place, (kind, text) in enumerate(BLOCKS) if kind == "graphql"]
SHELL = [text for kind, text in BLOCKS if kind == "sh"]


def bash(script: str, **settings: str) -> str:
    """What it prints, where it ends well; its last word is the test's otherwise."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, env=environment(**settings), cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_has_what_these_tests_look_at() -> None:
    """A block of another kind would be run by nobody."""
    assert [kind for kind, _ in BLOCKS] == ["sh", "sh", "sh", "json", *["graphql", "json"] * 11, "sh", "json", "sh", "sql", "sh"]


@pytest.mark.parametrize("command", SHELL[:2], ids=str.strip)
def test_the_two_commands_are_there(command: str) -> None:
    """`make proof` runs them from a clean clone; here they are known to make."""
    assert command.startswith("make ")
    assert "relaties serve" in bash("make --dry-run run")
    assert "pytest" in bash("make --dry-run test")


@pytest.fixture(scope="module")
async def changing(demo_urls: tuple[str, str], demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    """The demo organization to try changes in."""
    database = await Database.connect(runtime_url(demo_urls[1]))
    async with connected(schema, database) as http:
        yield Api(http, demo_token)
    await database.close()


@pytest.mark.parametrize(("query", "answer"), QUERIES, ids=lambda text: text[:20])
async def test_a_query_has_the_answer_that_stands_below_it(demo_api: Api, changing: Api, query: str, answer: str) -> None:
    """On the demo organization, which is the same everywhere."""
    api = changing if query.startswith("mutation") else demo_api
    assert await api.data(query, **await _token(api, query)) == json.loads(answer)


async def _token(api: Api, query: str) -> dict[str, str]:
    """Of the preview of the deletion, where the query asks for it."""
    if "$token" not in query:
        return {}
    key = re.findall(r'id: "(.*?)"', query)[0]
    found = await api.data("query ($id: ID!) { client(by: {id: $id}) { deletionPreview { token } } }", id=key)
    return {"token": found["client"]["deletionPreview"]["token"]}


@pytest.fixture
def served(demo_url: str, demo_token: str, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The demo on a port of its own, its token where the README says it is."""
    home = tmp_path / "home"
    data = home / ".local" / "share" / "relaties"
    data.mkdir(parents=True)
    (data / "demo.token").write_text(demo_token)
    with serving(DATABASE_URL=runtime_url(demo_url), RELATIES_DATA_DIR=str(data)) as server:
        yield server.port, home


def test_the_first_query_by_curl(served: tuple[int, Path]) -> None:
    """As it stands there, but for the port."""
    port, home = served
    printed = bash(SHELL[2].replace(":8000", f":{port}"), HOME=str(home))
    assert json.loads(printed) == json.loads(BLOCKS[3][1])


def test_what_an_operation_costs_by_curl(served: tuple[int, Path]) -> None:
    """As it stands there, but for the points that came back meanwhile."""
    port, home = served
    printed = json.loads(bash(SHELL[3].replace(":8000", f":{port}"), HOME=str(home)))
    told = json.loads(BLOCKS[27][1])
    left = [answer["extensions"]["cost"]["throttle"].pop("currentlyAvailable") for answer in (printed, told)]
    assert printed == told
    assert left[0] <= left[1] == told["extensions"]["cost"]["throttle"]["maximumAvailable"]


async def test_the_commands_on_tokens(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    """Each does what is told of it."""
    url = await fresh_database()
    printed = bash(SHELL[4], DATABASE_URL=runtime_url(url), RELATIES_OWNER_URL=url, RELATIES_DATA_DIR=str(tmp_path))
    assert len(re.findall(r"\brlt_[A-Za-z0-9_-]{43}$", printed, re.MULTILINE)) == 3
    assert "CLIENTS_READ" in printed
    assert printed.endswith("All is well.\n")


@pytest.fixture
async def own_names(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[Callable[[str], str]]:
    """Other names than the README's, which the tests' server may use already."""
    host = with_database_name(server_url, "readme").rpartition("@")[2]

    def renamed(text: str) -> str:
        text = text.replace("127.0.0.1:5432/relaties", host).replace("DATABASE relaties", "DATABASE readme")
        return text.replace("relaties_owner", "readme_owner").replace("relaties_server", "readme_server")

    yield renamed
    await admin.execute("DROP DATABASE readme WITH (FORCE)")
    await admin.execute("DROP ROLE readme_server")
    await admin.execute("DROP ROLE readme_owner")


async def test_ones_own_postgresql(admin: asyncpg.Connection, own_names: Callable[[str], str], tmp_path: Path) -> None:
    """From a superuser's two statements to a server that answers."""
    (statements,) = (text for kind, text in BLOCKS if kind == "sql")
    for statement in own_names(statements).strip().split(";\n"):
        await admin.execute(statement)
    script = own_names(SHELL[5])
    assert bash(script, RELATIES_DATA_DIR=str(tmp_path)).endswith("All is well.\n")
    exported = dict(re.findall(r"export (\w+)=(\S+)", script))
    with serving(RELATIES_DATA_DIR=str(tmp_path), DATABASE_URL=exported["DATABASE_URL"]) as server:
        assert server.address in server.printed


def test_the_table_of_settings_is_the_code() -> None:
    """Each variable with its default and its description."""
    shown = re.findall(r"^\| `((?:DATABASE|RELATIES)_\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
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
    assert shown == expected


def test_the_table_of_codes_is_the_code() -> None:
    """Every code that an answer can carry."""
    shown = {code for row in re.findall(r"^\| (`[A-Z].*?) \|", README, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)}
    assert shown - {Settings.variable(name) for name in Settings.model_fields} == {*ErrorCode, *UserErrorCode}
