"""The clients that people use, against a running server: the official audit, Apollo Client, urql, Relay, and what their tools persist."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from db.tables import Role
from tests.builders import Tenant, crowd
from tests.commands import serving
from tests.conftest import runtime_url
from tests.ids import global_id
from tests.node import run

pytestmark = pytest.mark.interop
GRAPHQL = "application/graphql-response+json"


@dataclass
class Served:
    """A server, and whose token asks it."""

    url: str
    org: Tenant

    @property
    def token(self) -> str:
        return self.org.tokens[Role.OWNER]

    def program(self, name: str, *arguments: str, cwd: Path) -> Any:  # noqa: ANN401 JSON
        """What a program of Node's reports of it."""
        return json.loads(run("node", name, self.url, self.token, *arguments, cwd=cwd))

    def post(self, **sent: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept": GRAPHQL}
        return httpx.post(self.url, json=sent, headers=headers, timeout=30)


Serves = Callable[..., Awaitable[Served]]


@pytest.fixture(scope="module")
async def serves(fresh_database: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serves]:
    """Starts servers with settings of their own, each with an organization of thirty clients in a database of its own."""
    with ExitStack() as stack:

        async def started(**settings: str) -> Served:
            url = await fresh_database()
            owner = await asyncpg.connect(url)
            org = await crowd(owner, clients=30, contacts=2)
            await owner.close()
            data = str(tmp_path_factory.mktemp("data"))
            server = stack.enter_context(serving(DATABASE_URL=runtime_url(url), RELATIES_DATA_DIR=data, **settings))
            return Served(f"{server.address}/graphql", org)

        yield started


@pytest.fixture(scope="module")
async def served(serves: Serves) -> Served:
    """As in development."""
    return await serves()


@pytest.fixture(scope="module")
async def closed(serves: Serves, folder: Path) -> Served:
    """Nothing but what the tools persisted."""
    return await serves(RELATIES_DOCUMENT_POLICY="trusted-only", RELATIES_TRUSTED_DOCUMENTS=str(folder))


@pytest.fixture(scope="module")
def folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Relay, GraphQL Code Generator and Apollo's generator persist, as they wrote it."""
    run("node_modules/.bin/generate-persisted-query-manifest", cwd=built)
    target = tmp_path_factory.mktemp("trusted")
    for written in ("persisted.json", "generated/persisted-documents.json", "manifest.json"):
        shutil.copy(built / written, target)
    return target


@pytest.fixture(scope="module")
def maps(folder: Path) -> dict[str, str]:
    """The name of the operation by every id."""
    relay, codegen, apollo = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("persisted", "persisted-documents", "manifest")
    )
    named = {key: re.findall(r"(?:query|mutation) (\w+)", text)[0] for key, text in {**relay, **codegen}.items()}
    return {**named, **{each["id"]: each["name"] for each in apollo["operations"]}}


@pytest.fixture(scope="module")
def built(for_typescript: Path, for_relay: Path) -> Path:
    """The programs with their packages, the types of codegen and the artifacts of Relay, one file each."""
    programs = ("apollo.js", "urql.js", "relay.js")
    run("node_modules/.bin/esbuild", *programs, "--bundle", "--platform=node", "--format=esm", "--outdir=built", cwd=for_relay)
    return for_typescript


def test_the_official_audit_finds_nothing(clients: Path, served: Served) -> None:
    """All that GraphQL over HTTP demands, recommends and allows."""
    found = served.program("audit.js", cwd=clients)
    assert [audit for audit in found if audit["status"] != "ok"] == []
    assert len(found) == 61


def checked(day: dict[str, Any], name: str) -> list[str]:
    """What was sent on a day on which all went well: two pages, a client made and renamed once, a number taken, a code."""
    assert day["first"] == ["Client 00000", "Client 00001"]
    assert day["second"] == [f"Client {place:05}" for place in range(4)]
    assert day["made"] == name
    assert (day["update"]["name"], day["update"]["version"]) == (f"{name} BV", 2)
    assert day["again"] == day["update"]
    (taken,) = day["taken"]
    assert (taken["code"], taken["path"], taken["existingClient"]["name"]) == ("NUMBER_TAKEN", ["number"], f"{name} BV")
    assert day["codes"] == ["BAD_USER_INPUT"]
    sent: list[str] = day["sent"]
    return sent


def registered(name: str, method: str, again: str) -> list[str]:
    """A miss, then the text with its hash, from then on the hash alone."""
    return [f"{name} {method} hash 400", f"{name} {again} text+hash 200"]


CHANGES = [
    *registered("ClientCreate", "POST", "POST"),
    *registered("ClientUpdate", "POST", "POST"),
    "ClientUpdate POST hash 200",
    "ClientCreate POST hash 200",
]
KNOWN_CHANGES = ["ClientCreate POST hash 200", "ClientUpdate POST hash 200", "ClientUpdate POST hash 200", "ClientCreate POST hash 200"]


async def test_apollo_client_sends_each_document_once(built: Path, serves: Serves) -> None:
    """Hashes by GET, new texts by POST; the second day hashes alone. Where only what is known is asked by GET, as in production."""
    first, second = (await serves(RELATIES_GET_REQUESTS="persisted")).program("built/apollo.js", cwd=built)
    page = "ClientsOverview GET hash 200"
    assert checked(first, "Made by Apollo 1") == [*registered("ClientsOverview", "GET", "POST"), page, *CHANGES, page]
    assert checked(second, "Made by Apollo 2") == [page, page, *KNOWN_CHANGES, page]


def test_urql_sends_each_document_once(built: Path, served: Served) -> None:
    """As it comes: by GET what fits an address, a new text too, so that it needs a server that takes queries by GET."""
    first, second = served.program("built/urql.js", "true", cwd=built)
    page, short = "ClientsOverview GET hash 200", "WhoAsks GET hash 200"
    new = [*registered("ClientsOverview", "GET", "POST"), page, *CHANGES, page]
    assert checked(first, "Made by urql true 1") == [*new, *registered("WhoAsks", "GET", "GET")]
    assert checked(second, "Made by urql true 2") == [page, page, *KNOWN_CHANGES, page, short]
    assert (first["organization"], second["organization"]) == ("Test", "Test")


async def test_urql_sends_each_document_once_by_post(built: Path, serves: Serves) -> None:
    """Told to, where only what is known is asked by GET."""
    first, second = (await serves(RELATIES_GET_REQUESTS="persisted")).program("built/urql.js", "false", cwd=built)
    page, short = "ClientsOverview POST hash 200", "WhoAsks POST hash 200"
    new = [*registered("ClientsOverview", "POST", "POST"), page, *CHANGES, page]
    assert checked(first, "Made by urql false 1") == [*new, *registered("WhoAsks", "POST", "POST")]
    assert checked(second, "Made by urql false 2") == [page, page, *KNOWN_CHANGES, page, short]


def test_relay_asks_by_the_ids_that_its_compiler_made(built: Path, closed: Served) -> None:
    """Pages of a connection, a client put first in it, changes and a contact linked, of a server that takes nothing else."""
    contact = global_id("Contact", closed.org.contacts[0])
    seen = closed.program("built/relay.js", contact, cwd=built)
    operations = (
        *("overviewQuery", "overviewClientsRefetchQuery", "overviewCreateMutation", "clientRenameMutation"),
        *("clientQuery", "clientContactLinkMutation", "clientContactsRefetchQuery"),
    )
    assert seen.pop("sent") == [f"{name} POST id 200" for name in operations]
    assert seen == {
        "first": 25,
        "hasNextPage": True,
        "second": 27,
        "newest": "Relay",
        "renamed": {"name": "Relay BV", "version": 2},
        "shown": "Relay BV",
        "before": [],
        "after": ["An Person 00000-0"],
    }


def test_every_id_that_a_tool_made_is_known(closed: Served, maps: dict[str, str]) -> None:
    """Of Relay, GraphQL Code Generator and Apollo: each finds its own document, by any of the names that clients send an id by."""
    assert len(maps) > 25
    for key, name in maps.items():
        for field in ("documentId", "doc_id", "id"):
            body = closed.post(**{field: key}, operationName=name).json()
            assert {error["extensions"]["code"] for error in body.get("errors", [])} <= {"BAD_USER_INPUT"}, (key, body)
        assert closed.post(documentId=key, operationName="Other").json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_what_no_tool_made_is_refused(closed: Served) -> None:
    """A text that the server was not given, and an id that nothing has."""
    refused = [closed.post(query="{ viewer { permissions } }"), closed.post(documentId="sha256:" + "0" * 64)]
    codes = [(response.status_code, response.json()["errors"][0]["extensions"]["code"]) for response in refused]
    assert codes == [(400, "PERSISTED_QUERY_NOT_TRUSTED"), (400, "PERSISTED_QUERY_NOT_FOUND")]
