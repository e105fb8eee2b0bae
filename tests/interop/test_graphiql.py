"""The build of GraphiQL is reproducible, and the page works in Chromium."""

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.node import install_packages, run
from tests.support.processes import ServerProcess, run_server

pytestmark = pytest.mark.interop
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "server" / "graphiql"
INTEROP = ROOT / "tests" / "interop"
PICTURE = ROOT / "docs" / "graphiql.png"
TABS = ["Overview", "OneClientInDepth", "RevenueByYear"]


def read_contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [*folder.glob("assets/*"), folder / "LICENSES"]}


def test_committed_build_is_reproducible(tmp_path: Path) -> None:
    """Every byte is the same, so the 2 MB of committed files can be verified."""
    built_folder = install_packages(FOLDER, tmp_path / "graphiql")
    run("npm", "run", "build", cwd=built_folder)
    built_contents, committed_contents = read_contents(built_folder), read_contents(FOLDER)
    assert sorted(built_contents) == sorted(committed_contents)
    assert [name for name in built_contents if built_contents[name] != committed_contents[name]] == []
    assert all(gzip.decompress(content) for name, content in built_contents.items() if name.endswith(".gz"))


@pytest.mark.parametrize("folder", [FOLDER, INTEROP / "browser", INTEROP / "clients"], ids=lambda folder: folder.name)
def test_lock_file_has_hashes_and_no_addresses(folder: Path) -> None:
    """Packages are installed from the index that the installer trusts. The hashes verify them."""
    lock = json.loads((folder / "package-lock.json").read_text())
    packages = [package for path, package in lock["packages"].items() if path]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


@dataclass(frozen=True)
class RunningDemo:
    """A running server, the URL of GraphiQL that it printed, and its data folder."""

    server: ServerProcess
    page_url: str
    data: Path

    @property
    def token(self) -> str:
        return (self.data / "demo.token").read_text().strip()


@pytest.fixture(scope="module")
def demo(postgres_dir: Path) -> Iterator[RunningDemo]:
    """Run the program as `make run` does, in a data folder of its own."""
    data = postgres_dir / "graphiql"
    with run_server(RELATIES_DATA_DIR=str(data)) as server:
        output = server.wait_for_output("GraphiQL: ").split()[1]
        server.wait_for_output("Token of the demo")
        yield RunningDemo(server, output, data)


def fetch_config(server: ServerProcess, output: str = "") -> object:
    """Request the demo's token with the code from a printed URL, and return the response body."""
    code = output.partition("#code=")[2]
    return httpx.get(f"{server.address}/graphiql/config", headers={"x-graphiql-code": code}).json()


@pytest.fixture(scope="module")
def browser_observations(demo: RunningDemo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the program `explore.js` observed in Chromium, and its screenshot."""
    folder = tmp_path_factory.mktemp("browser")
    browser = install_packages(INTEROP / "browser", folder / "browser")
    program = shutil.which("chromium")
    assert program, "tests/interop/install brings it"
    picture = folder / "graphiql.png"
    report: dict[str, Any] = json.loads(run("node", "explore.js", demo.page_url, program, str(picture), cwd=browser))
    return {**report, "picture": picture.read_bytes()}


def test_every_example_returns_data(browser_observations: dict[str, Any]) -> None:
    """Nothing is typed in: the page signs in by itself, also after a reload and with the URL of a new start."""
    assert browser_observations["title"] == "Relaties"
    assert list(browser_observations["answers"]) == [*TABS, "reloaded", "reopened"]
    for answer in browser_observations["answers"].values():
        assert "errors" not in answer
        assert answer["data"]["clients"]["nodes"]


def test_the_documentation_opens(browser_observations: dict[str, Any]) -> None:
    """It starts with the description of the schema. The explorer, with which queries can be put together, opens too."""
    assert "Sign-in: every request has a token, Authorization: Bearer …" in browser_observations["docs"]
    assert "Clients of the organization." in browser_observations["docs"]
    assert "clients" in browser_observations["explorer"]


def test_code_is_removed_from_the_address_bar(browser_observations: dict[str, Any], demo: RunningDemo) -> None:
    """It must not get into a bookmark or the browser's history."""
    assert browser_observations["location"] == f"{demo.server.address}/graphiql"


def test_token_is_requested_without_the_code(browser_observations: dict[str, Any]) -> None:
    """Once the user has entered it, the documentation appears without a reload."""
    assert browser_observations["byHand"]["shownHeaders"].replace("\u00a0", " ") == '{  "Authorization": "Bearer "}'
    assert "Query" in browser_observations["byHand"]["docs"]


def test_no_requests_go_to_other_servers(browser_observations: dict[str, Any], demo: RunningDemo) -> None:
    """The page works without the internet, and no other site learns of it."""
    assert len(browser_observations["requests"]) > 20
    assert [url for url in browser_observations["requests"] if not url.startswith((f"{demo.server.address}/", "data:", "blob:"))] == []


def test_browser_reports_no_errors(browser_observations: dict[str, Any]) -> None:
    """There are no errors of scripts, and none of the content security policy."""
    assert browser_observations["problems"] == []


def test_browser_stores_no_token(browser_observations: dict[str, Any], demo: RunningDemo) -> None:
    """Tabs and history are stored for the next visit, but no token and no code."""
    assert "graphiql:tabState" in browser_observations["stored"]
    assert "graphiql:queries" in browser_observations["stored"]
    assert demo.token not in browser_observations["stored"]
    assert demo.page_url.partition("#code=")[2] not in browser_observations["stored"]
    assert "Bearer" not in browser_observations["stored"]


def test_screenshot_is_created(browser_observations: dict[str, Any]) -> None:
    """With `RELATIES_TEST_PICTURE=1` the README's screenshot is replaced."""
    assert browser_observations["picture"].startswith(b"\x89PNG")
    if os.environ.get("RELATIES_TEST_PICTURE"):
        PICTURE.write_bytes(browser_observations["picture"])
    assert PICTURE.stat().st_size < 400_000


def test_production_serves_graphiql_only_if_enabled_and_without_a_token(demo: RunningDemo) -> None:
    """Production never returns the token, not even from the same data folder. No server accepts the code of another start."""
    settings = {"RELATIES_DATA_DIR": str(demo.data), "RELATIES_ENV": "production", "RELATIES_SECRET_KEY": "k" * 32}
    with run_server(**settings, RELATIES_GRAPHIQL="true") as server:
        assert httpx.get(f"{server.address}/graphiql").status_code == 200
        assert server.wait_for_output("GraphiQL: ").split()[1] == f"{server.address}/graphiql"
        assert fetch_config(server, demo.page_url) == {"token": None}
        assert fetch_config(demo.server, demo.page_url) == {"token": demo.token}
        assert fetch_config(demo.server) == {"token": None}
    with run_server("--no-demo", RELATIES_DATA_DIR=str(demo.data)) as server:
        assert fetch_config(server, demo.page_url) == {"token": None}
    with run_server("--workers", "2", RELATIES_DATA_DIR=str(demo.data)) as server:
        output = server.wait_for_output("GraphiQL: ").split()[1]
        assert [fetch_config(server, demo.page_url) for _ in range(10)] == [{"token": None}] * 10
        assert [fetch_config(server, output) for _ in range(10)] == [{"token": demo.token}] * 10  # either worker may respond
