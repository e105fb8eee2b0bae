"""Run the shell blocks of all pages, each where the word after its language says, and compare the documented output."""

import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from db.engine.urls import with_database_name
from tests.docs.answers import format_answer, replace_answer
from tests.support.databases import runtime_url
from tests.support.pages import BLOCKS, ROOT, Block, find_answer
from tests.support.processes import build_environment, find_free_port, run_server

TARGET = re.compile(r"make ([a-z.]+)(?: [A-Z]+=\S+)*(?: +#.*)?")


def shell_blocks(environment: str) -> list[Block]:
    blocks = [block for block in BLOCKS if (block.kind, block.environment) == ("sh", environment)]
    assert blocks
    return blocks


def run_script(script: str, **settings: str) -> str:
    """Run the script in the project's folder, and return its output."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    result = subprocess.run(command, env=build_environment(**settings), cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)  # noqa: S603
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("block", shell_blocks("make"), ids=lambda block: block.name)
def test_make_targets_exist(block: Block) -> None:
    """`make proof` runs the README's two commands from a clean clone; here make only prints what it would run."""
    targets = [match[1] for line in block.text.splitlines() if (match := TARGET.fullmatch(line))]
    assert len(targets) == len(block.text.splitlines())
    for target in targets:
        run_script(f"make --dry-run {target}")


def test_make_runs_the_server_and_the_tests() -> None:
    assert "relaties serve" in run_script("make --dry-run run")
    assert "pytest" in run_script("make --dry-run test")


@pytest.mark.parametrize("block", shell_blocks("anywhere"), ids=lambda block: block.name)
def test_command_needs_no_server(block: Block) -> None:
    assert run_script(block.text)


@pytest.fixture(scope="module")
def run_in_demo(demo_url: str, demo_token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Yield a function that runs a script beside a server of the demo organization, with the token where pages say it is."""
    home = tmp_path_factory.mktemp("home")
    data, metrics_port = home / ".local" / "share" / "relaties", find_free_port()
    data.mkdir(parents=True)
    (data / "demo.token").write_text(demo_token)
    settings = {"DATABASE_URL": runtime_url(demo_url), "RELATIES_DATA_DIR": str(data), "RELATIES_METRICS_PORT": str(metrics_port)}
    with run_server(**settings) as server:
        yield lambda script: run_script(script.replace(":8000", f":{server.port}").replace(":9100", f":{metrics_port}"), HOME=str(home))


@pytest.mark.parametrize("block", shell_blocks("demo"), ids=lambda block: block.name)
def test_request_has_the_documented_answer(run_in_demo: Callable[[str], str], block: Block) -> None:
    """The block is run as it stands, except for the port; points of the token that are restored meanwhile do not count.

    With RELATIES_TEST_ANSWERS=1, write an actual answer that differs into the page instead.
    """
    output, answer = run_in_demo(block.text), find_answer(block)
    if answer is None:
        assert output
        return
    actual, documented = json.loads(output), json.loads(answer.text)
    available = [remove_available_points(body) for body in (actual, documented)]
    if os.environ.get("RELATIES_TEST_ANSWERS") and actual != documented:
        replace_answer(answer, format_answer(json.loads(output)))
        return
    assert actual == documented
    assert available[0] <= available[1]


def remove_available_points(body: dict[str, dict[str, dict[str, dict[str, int]]]]) -> int:
    """Remove the points that the token has left from a response which shows the cost, and return them."""
    throttle = body.get("extensions", {}).get("cost", {}).get("throttle", {})
    return throttle.pop("currentlyAvailable", 0)


def test_documented_points_are_those_of_a_full_bucket() -> None:
    documented = [json.loads(block.text) for block in BLOCKS if block.kind == "json" and '"throttle"' in block.text]
    assert documented
    for body in documented:
        throttle = body["extensions"]["cost"]["throttle"]
        assert throttle["currentlyAvailable"] == throttle["maximumAvailable"]


async def test_operator_commands_work(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    url = await fresh_database()
    settings = {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path)}
    outputs = [run_script(block.text, **settings) for block in shell_blocks("database")]
    assert len(re.findall(r"\brlt_[A-Za-z0-9_-]{43}$", "".join(outputs), re.MULTILINE)) == 3
    assert "CLIENTS_READ" in "".join(outputs)
    assert outputs[-1].endswith("No problems found.\n")


@pytest.fixture
async def replace_names(admin: asyncpg.Connection, server_url: str) -> AsyncIterator[Callable[[str], str]]:
    """Replace the names on the page, which the tests' server may use already."""
    host = with_database_name(server_url, "readme").rpartition("@")[2]

    def replace(text: str) -> str:
        text = text.replace("127.0.0.1:5432/relaties", host).replace("DATABASE relaties", "DATABASE readme")
        return text.replace("relaties_owner", "readme_owner").replace("relaties_server", "readme_server")

    yield replace
    await admin.execute("DROP DATABASE readme WITH (FORCE)")
    await admin.execute("DROP ROLE readme_server")
    await admin.execute("DROP ROLE readme_owner")


async def test_own_postgresql_works(admin: asyncpg.Connection, replace_names: Callable[[str], str], tmp_path: Path) -> None:
    """Run a superuser's statements and the commands after them, up to a server that answers."""
    (statements,) = (block.text for block in BLOCKS if (block.kind, block.environment) == ("sql", "postgresql"))
    for statement in replace_names(statements).strip().split(";\n"):
        await admin.execute(statement)
    (block,) = shell_blocks("postgresql")
    script = replace_names(block.text)
    assert run_script(script, RELATIES_DATA_DIR=str(tmp_path)).endswith("No problems found.\n")
    exported = dict(re.findall(r"export (\w+)=(\S+)", script))
    with run_server(RELATIES_DATA_DIR=str(tmp_path), DATABASE_URL=exported["DATABASE_URL"]) as server:
        assert server.address in server.output
