"""GraphiQL as it is built and as a person uses it: with Node from the locked packages, and in Chromium."""

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

from tests.commands import Serving, serving
from tests.node import installed, run

pytestmark = pytest.mark.interop
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "server" / "graphiql"
INTEROP = ROOT / "tests" / "interop"
PICTURE = ROOT / "docs" / "graphiql.png"
TABS = ["Overview", "OneClientInDepth", "RevenueByYear"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [*folder.glob("assets/*"), folder / "LICENSES"]}


def test_what_is_committed_is_what_is_built(tmp_path: Path) -> None:
    """Byte for byte, so nobody need believe that the 2 MB are what they say."""
    built = installed(FOLDER, tmp_path / "graphiql")
    run("npm", "run", "build", cwd=built)
    made, kept = contents(built), contents(FOLDER)
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []
    assert all(gzip.decompress(held) for name, held in made.items() if name.endswith(".gz"))


@pytest.mark.parametrize("folder", [FOLDER, INTEROP / "browser", INTEROP / "clients"], ids=lambda folder: folder.name)
def test_a_lock_has_hashes_and_no_addresses(folder: Path) -> None:
    """Whoever installs takes the packages from where they trust; the hashes see to the rest."""
    lock = json.loads((folder / "package-lock.json").read_text())
    packages = [package for path, package in lock["packages"].items() if path]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


@dataclass(frozen=True)
class Demo:
    """A running server, the address of GraphiQL that it printed, and its data directory."""

    server: Serving
    printed: str
    data: Path

    @property
    def token(self) -> str:
        return (self.data / "demo.token").read_text().strip()


@pytest.fixture(scope="module")
def demo(reachable: Path) -> Iterator[Demo]:
    """The program as `make run` starts it, in a data directory of its own."""
    data = reachable / "graphiql"
    with serving(RELATIES_DATA_DIR=str(data)) as server:
        printed = server.wait("GraphiQL: ").split()[1]
        server.wait("Token of the demo")
        yield Demo(server, printed, data)


def config(server: Serving, printed: str = "") -> object:
    """Ask for the token of the demo with the code of a printed address."""
    code = printed.partition("#code=")[2]
    return httpx.get(f"{server.address}/graphiql/config", headers={"x-graphiql-code": code}).json()


@pytest.fixture(scope="module")
def seen(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Chromium saw of it."""
    folder = tmp_path_factory.mktemp("browser")
    browser = installed(INTEROP / "browser", folder / "browser")
    program = shutil.which("chromium")
    assert program, "tests/interop/install brings it"
    picture = folder / "graphiql.png"
    report: dict[str, Any] = json.loads(run("node", "explore.js", demo.printed, program, str(picture), cwd=browser))
    return {**report, "picture": picture.read_bytes()}


def test_every_example_brings_data(seen: dict[str, Any]) -> None:
    """With nothing typed in: the page of the demo signs in by itself, also when it is loaded again, and by an address of a new start."""
    assert seen["title"] == "Relaties"
    assert list(seen["answers"]) == [*TABS, "reloaded", "again"]
    for answer in seen["answers"].values():
        assert "errors" not in answer
        assert answer["data"]["clients"]["nodes"]


def test_the_documentation_opens(seen: dict[str, Any]) -> None:
    """And so do the fields to put a query together from."""
    assert "Clients of the organization. Needs CLIENTS_READ." in seen["docs"]
    assert "clients" in seen["explorer"]


def test_code_leaves_the_address_bar(seen: dict[str, Any], demo: Demo) -> None:
    """Neither a bookmark nor the history keeps it."""
    assert seen["location"] == f"{demo.server.address}/graphiql"


def test_without_the_code_a_token_is_asked_for(seen: dict[str, Any]) -> None:
    """Once it is typed in, the documentation comes without loading the page again."""
    assert seen["byHand"]["asked"].replace("\u00a0", " ") == '{  "Authorization": "Bearer "}'
    assert "Query" in seen["byHand"]["docs"]


def test_nothing_is_asked_of_another_server(seen: dict[str, Any], demo: Demo) -> None:
    """So it works without the internet, and nobody else learns of it."""
    assert len(seen["requests"]) > 20
    assert [url for url in seen["requests"] if not url.startswith((f"{demo.server.address}/", "data:", "blob:"))] == []


def test_the_browser_has_nothing_to_complain_of(seen: dict[str, Any]) -> None:
    """Neither of scripts nor of what the policy forbids."""
    assert seen["complaints"] == []


def test_the_browser_keeps_no_token(seen: dict[str, Any], demo: Demo) -> None:
    """Tabs and history are kept for the next time; what was signed in with is not."""
    assert "graphiql:tabState" in seen["kept"]
    assert "graphiql:queries" in seen["kept"]
    assert demo.token not in seen["kept"]
    assert demo.printed.partition("#code=")[2] not in seen["kept"]
    assert "Bearer" not in seen["kept"]


def test_there_is_a_picture(seen: dict[str, Any]) -> None:
    """With RELATIES_TEST_PICTURE=1 it becomes the README's."""
    assert seen["picture"].startswith(b"\x89PNG")
    if os.environ.get("RELATIES_TEST_PICTURE"):
        PICTURE.write_bytes(seen["picture"])
    assert PICTURE.stat().st_size < 400_000


def test_production_shows_it_only_when_asked_and_gives_no_token(demo: Demo) -> None:
    """The same data directory, while the other server runs. Nor does any server for the code of another start."""
    settings = {"RELATIES_DATA_DIR": str(demo.data), "RELATIES_ENV": "production", "RELATIES_SECRET_KEY": "k" * 32}
    with serving(**settings, RELATIES_GRAPHIQL="true") as server:
        assert httpx.get(f"{server.address}/graphiql").status_code == 200
        assert server.wait("GraphiQL: ").split()[1] == f"{server.address}/graphiql"
        assert config(server, demo.printed) == {"token": None}
        assert config(demo.server, demo.printed) == {"token": demo.token}
        assert config(demo.server) == {"token": None}
    with serving("--no-demo", RELATIES_DATA_DIR=str(demo.data)) as server:
        assert config(server, demo.printed) == {"token": None}
    with serving("--workers", "2", RELATIES_DATA_DIR=str(demo.data)) as server:
        printed = server.wait("GraphiQL: ").split()[1]
        assert [config(server, demo.printed) for _ in range(10)] == [{"token": None}] * 10
        assert [config(server, printed) for _ in range(10)] == [{"token": demo.token}] * 10  # whichever of the two answers
