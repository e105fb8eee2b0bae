"""Run the server that is fuzzed, with an organization that has one of everything, and name the kinds of requests."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from hypothesis import strategies as st

from db.tables import Role
from domain.organization.tokens import new_secret
from tests.support.api import HUGE_LIMIT
from tests.support.builders import add_token
from tests.support.databases import runtime_url
from tests.support.fuzzing import documents, http_requests
from tests.support.fuzzing.http_requests import Request
from tests.support.fuzzing.sender import Sender
from tests.support.mutation_inputs import SCHEMA, World, create_world
from tests.support.processes import ServerProcess, find_free_port

ROOT = Path(__file__).parents[3]
# With the usual limits most responses would be refusals. The document cache is small, so that cached documents are not taken for a leak.
SETTINGS = {
    "RELATIES_RATE_LIMIT_BURST": str(HUGE_LIMIT),
    "RELATIES_RATE_LIMIT_RESTORE": str(HUGE_LIMIT),
    "RELATIES_MAX_AUTH_FAILURES": str(HUGE_LIMIT),
    "RELATIES_MAX_REFUSALS_PER_SECOND": str(HUGE_LIMIT),
    "RELATIES_QUEUE_TIMEOUT": "60",
    "RELATIES_DOCUMENT_CACHE_BYTES": "2000000",
}


@dataclass(frozen=True)
class FuzzTarget:
    """The server process, its organization, and the tokens by role name."""

    server: ServerProcess
    world: World
    tokens: dict[str, str]

    def create_sender(self) -> Sender:
        return Sender(self.server.port, self.tokens)

    def request_strategies(self) -> dict[str, st.SearchStrategy[Request]]:
        """Return the strategies of requests by name."""
        ids = [*self.world.ids.values()]
        return {
            "queries": http_requests.post_requests(documents.hostile_queries(SCHEMA, ids, ["x", *ids[:1]])),
            "mutations": http_requests.post_requests(documents.hostile_mutations(self.world)),
            "bodies": http_requests.body_requests(),
            "get requests": http_requests.get_requests(),
            "headers": http_requests.header_requests(),
            "raw requests": http_requests.raw_requests(),
        }


async def create_callers(owner: asyncpg.Connection) -> tuple[World, dict[str, str]]:
    """Create an organization and two tokens of machines. No mutation can name these tokens, so none revokes them."""
    own_world = await create_world(owner, "Fuzzed")
    tokens = {role.value: new_secret() for role in (Role.VIEWER, Role.OWNER)}
    for role, secret in tokens.items():
        await add_token(owner, own_world.id, secret, role=role)
    return own_world, tokens


@contextmanager
def run_watched_server(owner_url: str, folder: Path) -> Iterator[ServerProcess]:
    """Run a server that reports when its event loop was blocked for long."""
    port = find_free_port()
    command = [sys.executable, "-m", "tests.support.fuzzing.stall_monitor", "serve", "--port", str(port)]
    settings = {"DATABASE_URL": runtime_url(owner_url), "RELATIES_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), **SETTINGS}
    process = ServerProcess(command, port, settings)
    try:
        process.wait_for_output("answers at")
        yield process
    finally:
        process.stop(signal.SIGINT)
