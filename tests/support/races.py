"""Interleave two concurrent changes at various points, and read the error of the later one."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import Tenant, insert_rows
from tests.support.full_client import archive_directly
from tests.support.ids import global_id
from tests.support.mutation_inputs import mutation_document
from tests.support.owner import sign_preview_token

Payload = dict[str, Any]
Request = Callable[[], Awaitable[Payload]]
DATABASE_WORDS = re.compile(
    r"\b(SQL|SELECT|INSERT|UPDATE|TRIGGER|relation|constraint|violates|deadlock|transaction|tuple|asyncpg|sqlalchemy|RL\d+)\b|relaties\.",
    re.IGNORECASE,
)
FRESH_PREVIEW = "... on UserError { ... on PreviewOutdatedError { preview { token } } }"


async def run_mutation(api: Api, mutation: str, **input: object) -> Payload:
    """Run the mutation and return its payload. Fail if a message is not a sentence or contains words of the database."""
    query = mutation_document(mutation).replace("message path }", f"message path {FRESH_PREVIEW} }}")
    payload: Payload = (await api.data(query, input=input))[mutation]
    for error in payload["userErrors"]:
        assert error["message"].endswith("."), error
        assert not DATABASE_WORDS.search(error["message"]), error
    return payload


def outcome_code(payload: Payload) -> str:
    """Return DONE, or the code of the only user error."""
    codes = [error["code"] for error in payload["userErrors"]] or ["DONE"]
    assert len(codes) == 1, payload
    return str(codes[0])


@dataclass(frozen=True)
class Interleaving:
    """The number of event-loop passes before the second request starts (None: after the first has ended), and which of the two is first."""

    loop_passes: int | None
    is_first: bool

    async def run(self, one: Request, other: Request) -> tuple[Payload, Payload]:
        first, second = (one, other) if self.is_first else (other, one)
        task, passes_left = asyncio.ensure_future(first()), self.loop_passes
        while passes_left != 0 and not task.done():
            await asyncio.sleep(0)
            passes_left = None if passes_left is None else passes_left - 1
        then = await second()
        payloads = await task, then
        return payloads if self.is_first else payloads[::-1]


INTERLEAVINGS = [Interleaving(turns, is_first) for turns in (0, 30, 150, 500, 1500, None) for is_first in (True, False)]


@dataclass(frozen=True)
class ClientWithWork:
    """A client with one object of each kind, and another client without any."""

    org: Tenant
    client: UUID
    other: UUID
    contact: UUID
    label: UUID
    project: UUID
    registration: UUID

    def global_id(self, name: str) -> str:
        kind = {"other": "Client"}.get(name, name.title())
        return global_id(kind, getattr(self, name))

    async def deletion_request(self, api: Api, **more: object) -> Request:
        """Return a request that deletes the client with a fresh preview."""
        token = await sign_preview_token(self.org, self.client, timedelta(minutes=5))
        return partial(run_mutation, api, "clientDelete", id=self.global_id("client"), previewToken=token, **more)

    async def is_active(self) -> bool:
        """Return whether the client and its project are active. Fail if only one of them exists or is archived."""
        sql = "SELECT archived_at FROM relaties.client WHERE id = $1 UNION ALL SELECT archived_at FROM relaties.project WHERE id = $2"
        states = [row["archived_at"] is None for row in await self.org.owner.fetch(sql, self.client, self.project)]
        assert states in ([], [True, True], [False, False])
        return any(states)

    async def count_rows(self, table: str, column: str, key: UUID) -> int:
        row_count: int = await self.org.owner.fetchval(f"SELECT count(*) FROM relaties.{table} WHERE {column} = $1", key)
        return row_count


async def create_client_with_work(org: Tenant, *, is_archived: bool = False) -> ClientWithWork:
    client, other = await org.add_client("Werk"), await org.add_client("Ander")
    contact, label = await org.add_contact("Eigen", client), await org.add_label(f"Label {new_id()}", client)
    project = await org.add_project(client)
    registration = await org.add_registration(client, project)
    await insert_rows(
        org.owner,
        "registration_label",
        [{"tenant_id": org.id, "registration_id": registration, "label_id": label, "client_id": client}],
    )
    if is_archived:
        await archive_directly(org, client)
    return ClientWithWork(org, client, other, contact, label, project, registration)
