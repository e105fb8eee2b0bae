"""What the fuzzers ask: a server process with an organization that has one of everything, and the requests that are made for it."""

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
from tests.ask import MUCH
from tests.builders import add_token
from tests.commands import Serving, free_port
from tests.conftest import runtime_url
from tests.fuzzing import documents, http_requests
from tests.fuzzing.http_requests import Request
from tests.fuzzing.sending import Sender
from tests.inputs import CORE, World, world

ROOT = Path(__file__).parents[2]
# Points and refusals would answer nearly everything. Documents have little room, so that memory does not grow by those that are kept.
SETTINGS = {
    "RELATIES_RATE_LIMIT_BURST": str(MUCH),
    "RELATIES_RATE_LIMIT_RESTORE": str(MUCH),
    "RELATIES_MAX_AUTH_FAILURES": str(MUCH),
    "RELATIES_MAX_REFUSALS_PER_SECOND": str(MUCH),
    "RELATIES_QUEUE_TIMEOUT": "60",
    "RELATIES_DOCUMENT_CACHE_BYTES": "2000000",
}


@dataclass(frozen=True)
class Target:
    """The process, the organization, and the tokens by the names of their roles."""

    server: Serving
    world: World
    tokens: dict[str, str]

    def sender(self) -> Sender:
        return Sender(self.server.port, self.tokens)

    def kinds(self) -> dict[str, st.SearchStrategy[Request]]:
        """What is sent to it, by name."""
        ids = [*self.world.ids.values()]
        return {
            "queries": http_requests.posts(documents.queries(CORE, ids, ["x", *ids[:1]])),
            "mutations": http_requests.posts(documents.mutations(self.world)),
            "bodies": http_requests.bodies(),
            "addresses": http_requests.gets(),
            "headers": http_requests.with_headers(),
            "wires": http_requests.wires(),
        }


async def callers(owner: asyncpg.Connection) -> tuple[World, dict[str, str]]:
    """An organization, and tokens of machines: no mutation can name them, so that none revokes them."""
    made = await world(owner, "Fuzzed")
    tokens = {role.value: new_secret() for role in (Role.VIEWER, Role.OWNER)}
    for role, secret in tokens.items():
        await add_token(owner, made.id, secret, role=role)
    return made, tokens


@contextmanager
def watched(owner_url: str, folder: Path) -> Iterator[Serving]:
    """A server that says when its event loop was busy for long."""
    port = free_port()
    command = [sys.executable, "-m", "tests.fuzzing.stalls", "serve", "--port", str(port)]
    settings = {"DATABASE_URL": runtime_url(owner_url), "RELATIES_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), **SETTINGS}
    started = Serving(command, port, settings)
    try:
        started.wait("answers at")
        yield started
    finally:
        started.end(signal.SIGINT)
