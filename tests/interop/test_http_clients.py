"""Common clients work with a running server: the audit of graphql-http, Apollo Client, urql and Relay, and the documents they persist."""

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
from tests.support.builders import Tenant, create_sample_org
from tests.support.databases import runtime_url
from tests.support.ids import global_id
from tests.support.node import run, run_without_warnings
from tests.support.processes import run_server

pytestmark = pytest.mark.interop
GRAPHQL = "application/graphql-response+json"


@dataclass
class RunningServer:
    """A running server, and an organization whose owner sends the requests."""

    url: str
    org: Tenant

    @property
    def token(self) -> str:
        return self.org.tokens[Role.OWNER]

    def program(self, name: str, *arguments: str, cwd: Path) -> Any:  # noqa: ANN401 JSON
        """Run a Node program against the server, and return the JSON that it prints."""
        return json.loads(run("node", name, self.url, self.token, *arguments, cwd=cwd))

    def post(self, **parameters: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept": GRAPHQL}
        return httpx.post(self.url, json=parameters, headers=headers, timeout=30)


Serves = Callable[..., Awaitable[RunningServer]]


@pytest.fixture(scope="module")
async def start_server(fresh_database: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serves]:
    """Return a function that starts a server with its own settings, and with an organization of thirty clients in its own database."""
    with ExitStack() as stack:

        async def start(**settings: str) -> RunningServer:
            url = await fresh_database()
            owner = await asyncpg.connect(url)
            org = await create_sample_org(owner, clients=30, contacts=2)
            await owner.close()
            data = str(tmp_path_factory.mktemp("data"))
            server = stack.enter_context(run_server(DATABASE_URL=runtime_url(url), RELATIES_DATA_DIR=data, **settings))
            return RunningServer(f"{server.address}/graphql", org)

        yield start


@pytest.fixture(scope="module")
async def open_server(start_server: Serves) -> RunningServer:
    """Start a server with the default settings of development."""
    return await start_server()


@pytest.fixture(scope="module")
async def trusted_only_server(start_server: Serves, folder: Path) -> RunningServer:
    """Start a server that accepts only the documents that the tools persisted."""
    return await start_server(RELATIES_DOCUMENT_POLICY="trusted-only", RELATIES_TRUSTED_DOCUMENTS=str(folder))


@pytest.fixture(scope="module")
def folder(built_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the persisted documents of Relay, GraphQL Code Generator and Apollo's generator, unchanged."""
    run("node_modules/.bin/generate-persisted-query-manifest", cwd=built_programs)
    target = tmp_path_factory.mktemp("trusted")
    for file_name in ("persisted.json", "generated/persisted-documents.json", "manifest.json"):
        shutil.copy(built_programs / file_name, target)
    return target


@pytest.fixture(scope="module")
def operation_names(folder: Path) -> dict[str, str]:
    """Return the name of the operation by id."""
    relay, codegen, apollo = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("persisted", "persisted-documents", "manifest")
    )
    names_by_id = {key: re.findall(r"(?:query|mutation) (\w+)", text)[0] for key, text in {**relay, **codegen}.items()}
    return {**names_by_id, **{each["id"]: each["name"] for each in apollo["operations"]}}


@pytest.fixture(scope="module")
def built_programs(for_typescript: Path, for_relay: Path) -> Path:
    """Return the folder of the programs, each bundled into one file with its packages, types and artifacts."""
    programs = ("apollo.js", "urql.js", "graphcache.js", "relay.js")
    run("node_modules/.bin/esbuild", *programs, "--bundle", "--platform=node", "--format=esm", "--outdir=built", cwd=for_relay)
    return for_typescript


def test_the_official_audit_finds_nothing(clients: Path, open_server: RunningServer) -> None:
    """The audit checks all that GraphQL over HTTP requires, recommends and allows."""
    report = open_server.program("audit.js", cwd=clients)
    assert [audit for audit in report if audit["status"] != "ok"] == []
    assert len(report) == 61


def check_day(day: dict[str, Any], name: str) -> list[str]:
    """Check that the day had two pages, a client created and renamed once, a number in use and an error. Return its requests."""
    assert day["first"] == ["Client 00000", "Client 00001"]
    assert day["second"] == [f"Client {index:05}" for index in range(4)]
    assert day["made"] == name
    assert (day["update"]["name"], day["update"]["version"]) == (f"{name} BV", 2)
    assert day["again"] == day["update"]
    (accepted,) = day["taken"]
    assert (accepted["code"], accepted["path"], accepted["existingClient"]["name"]) == ("NUMBER_TAKEN", ["number"], f"{name} BV")
    assert day["codes"] == ["BAD_USER_INPUT"]
    requests: list[str] = day["sent"]
    return requests


def check_registration(name: str, method: str, again: str) -> list[str]:
    """Return the requests of a first use: the hash alone, which is unknown, and then the text with the hash."""
    return [f"{name} {method} hash 400", f"{name} {again} text+hash 200"]


CHANGES = [
    *check_registration("ClientCreate", "POST", "POST"),
    *check_registration("ClientUpdate", "POST", "POST"),
    "ClientUpdate POST hash 200",
    "ClientCreate POST hash 200",
]
KNOWN_CHANGES = ["ClientCreate POST hash 200", "ClientUpdate POST hash 200", "ClientUpdate POST hash 200", "ClientCreate POST hash 200"]


async def test_apollo_client_sends_each_document_once(built_programs: Path, start_server: Serves) -> None:
    """It sends hashes by GET and new texts by POST, and only hashes on the second day. The server accepts only known documents by GET."""
    first, second = (await start_server(RELATIES_GET_REQUESTS="persisted")).program("built/apollo.js", cwd=built_programs)
    page = "ClientsOverview GET hash 200"
    assert check_day(first, "Made by Apollo 1") == [*check_registration("ClientsOverview", "GET", "POST"), page, *CHANGES, page]
    assert check_day(second, "Made by Apollo 2") == [page, page, *KNOWN_CHANGES, page]


def test_urql_sends_each_document_once(built_programs: Path, open_server: RunningServer) -> None:
    """By default urql uses GET for all that fits into a URL, also for new texts, so the server must accept queries by GET."""
    first, second = open_server.program("built/urql.js", "true", cwd=built_programs)
    page, short = "ClientsOverview GET hash 200", "WhoAsks GET hash 200"
    new = [*check_registration("ClientsOverview", "GET", "POST"), page, *CHANGES, page]
    assert check_day(first, "Made by urql true 1") == [*new, *check_registration("WhoAsks", "GET", "GET")]
    assert check_day(second, "Made by urql true 2") == [page, page, *KNOWN_CHANGES, page, short]
    assert (first["organization"], second["organization"]) == ("Test", "Test")


async def test_urql_sends_each_document_once_by_post(built_programs: Path, start_server: Serves) -> None:
    """With this setting, urql works with servers that accept only known documents by GET."""
    first, second = (await start_server(RELATIES_GET_REQUESTS="persisted")).program("built/urql.js", "false", cwd=built_programs)
    page, short = "ClientsOverview POST hash 200", "WhoAsks POST hash 200"
    new = [*check_registration("ClientsOverview", "POST", "POST"), page, *CHANGES, page]
    assert check_day(first, "Made by urql false 1") == [*new, *check_registration("WhoAsks", "POST", "POST")]
    assert check_day(second, "Made by urql false 2") == [page, page, *KNOWN_CHANGES, page, short]


def test_graphcache_warns_of_nothing(built_programs: Path, open_server: RunningServer) -> None:
    """It merges pages, shows a changed name everywhere without a request, and loads a list again after an addition.

    Without the `keys` of the documentation it does warn.
    """
    report = open_server.program("built/graphcache.js", cwd=built_programs)
    assert report["warnings"] == []
    assert report["warningsWithoutKeys"] > 3
    assert report["page"] == ["Client 00000", "Client 00001"]
    assert report["pages"] == [f"Client {index:05}" for index in range(4)]
    assert report["organization"] == "Test"
    assert report["cached"][1:] == report["pages"][1:]
    assert report["cached"][0] == report["renamed"] == "Renamed by Graphcache"
    assert (report["made"], report["taken"]) == ("Made by Graphcache", [["NUMBER_TAKEN", "Made by Graphcache"]])
    assert report["changes"] == [f"{name} POST text 200" for name in ("ClientCreate", "ClientCreate", "ClientsOverview")]


def test_codegen_reads_the_schema_of_a_server(for_typescript: Path, open_server: RunningServer) -> None:
    """The types are the same as those from the file, with `@semanticNonNull`, which introspection does not show."""
    url = open_server.url.replace("/graphql", "/schema.graphql")
    run_without_warnings(
        "node_modules/.bin/graphql-codegen", "--config", "codegen-server.js", cwd=for_typescript, SCHEMA_URL=url, TOKEN=open_server.token
    )
    from_file, from_server = [(for_typescript / folder / "graphql.ts").read_text() for folder in ("generated", "from-server")]
    assert from_server == from_file


def test_relay_uses_persisted_ids(built_programs: Path, trusted_only_server: RunningServer) -> None:
    """The server accepts nothing else. Relay loads pages, prepends a new client, renames it and links a contact."""
    contact = global_id("Contact", trusted_only_server.org.contacts[0])
    report = trusted_only_server.program("built/relay.js", contact, cwd=built_programs)
    operations = (
        *("overviewQuery", "overviewClientsRefetchQuery", "overviewCreateMutation", "clientRenameMutation"),
        *("clientQuery", "clientContactLinkMutation", "clientContactsRefetchQuery"),
    )
    assert report.pop("sent") == [f"{name} POST id 200" for name in operations]
    assert report == {
        "first": 25,
        "hasNextPage": True,
        "second": 27,
        "newest": "Relay",
        "renamed": {"name": "Relay BV", "version": 2},
        "shown": "Relay BV",
        "before": [],
        "after": ["An Person 00000-0"],
    }


def test_every_generated_id_is_known(trusted_only_server: RunningServer, operation_names: dict[str, str]) -> None:
    """Each id of Relay, GraphQL Code Generator and Apollo finds its document, in any of the fields in which clients send an id."""
    assert len(operation_names) > 25
    for key, name in operation_names.items():
        for field in ("documentId", "doc_id", "id"):
            body = trusted_only_server.post(**{field: key}, operationName=name).json()
            assert {error["extensions"]["code"] for error in body.get("errors", [])} <= {"BAD_USER_INPUT"}, (key, body)
        assert trusted_only_server.post(documentId=key, operationName="Other").json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_other_documents_are_rejected(trusted_only_server: RunningServer) -> None:
    """The text and the id are unknown to the server."""
    responses = [trusted_only_server.post(query="{ viewer { permissions } }"), trusted_only_server.post(documentId="sha256:" + "0" * 64)]
    codes = [(response.status_code, response.json()["errors"][0]["extensions"]["code"]) for response in responses]
    assert codes == [(400, "PERSISTED_QUERY_NOT_TRUSTED"), (400, "PERSISTED_QUERY_NOT_FOUND")]
