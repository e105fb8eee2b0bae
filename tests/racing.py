"""Two changes that meet, however much lies between them, and what is said to the one who comes too late."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from db.tables.keys import new_id
from tests.ask import Api
from tests.builders import Tenant, insert
from tests.directly import token_of
from tests.full_clients import archived
from tests.ids import global_id
from tests.inputs import document

Payload = dict[str, Any]
Ask = Callable[[], Awaitable[Payload]]
OF_THE_DATABASE = re.compile(
    r"\b(SQL|SELECT|INSERT|UPDATE|TRIGGER|relation|constraint|violates|deadlock|transaction|tuple|asyncpg|sqlalchemy|RL\d+)\b|relaties\.",
    re.IGNORECASE,
)
FRESH = "... on PreviewOutdatedError { preview { token } }"


async def asked(api: Api, mutation: str, **input: object) -> Payload:
    """The payload, of an answer without errors; a refusal is a sentence, and none of the database's."""
    query = document(mutation).replace("message path }", f"message path {FRESH} }}")
    payload: Payload = (await api.data(query, input=input))[mutation]
    for error in payload["userErrors"]:
        assert error["message"].endswith("."), error
        assert not OF_THE_DATABASE.search(error["message"]), error
    return payload


def code(payload: Payload) -> str:
    """What became of it: DONE, or the code of its one refusal."""
    codes = [error["code"] for error in payload["userErrors"]] or ["DONE"]
    assert len(codes) == 1, payload
    return str(codes[0])


@dataclass(frozen=True)
class Meeting:
    """How far the first is when the second begins, in turns of the loop, or through; and which of the two is first."""

    turns: int | None
    is_first: bool

    async def of(self, one: Ask, other: Ask) -> tuple[Payload, Payload]:
        first, second = (one, other) if self.is_first else (other, one)
        task, left = asyncio.ensure_future(first()), self.turns
        while left != 0 and not task.done():
            await asyncio.sleep(0)
            left = None if left is None else left - 1
        then = await second()
        payloads = await task, then
        return payloads if self.is_first else payloads[::-1]


MEETINGS = [Meeting(turns, is_first) for turns in (0, 30, 150, 500, 1500, None) for is_first in (True, False)]


@dataclass(frozen=True)
class Worked:
    """A client with one of each, and another client that has none of it."""

    org: Tenant
    client: UUID
    other: UUID
    contact: UUID
    label: UUID
    project: UUID
    registration: UUID

    def shown(self, name: str) -> str:
        kind = {"other": "Client"}.get(name, name.title())
        return global_id(kind, getattr(self, name))

    async def deletion(self, api: Api, **more: object) -> Ask:
        """Its deletion, as a preview of now shows it."""
        token = await token_of(self.org, self.client, timedelta(minutes=5))
        return partial(asked, api, "clientDelete", id=self.shown("client"), previewToken=token, **more)

    async def is_active(self) -> bool:
        """The client and its project both; neither is there, or both are archived, otherwise."""
        sql = "SELECT archived_at FROM relaties.client WHERE id = $1 UNION ALL SELECT archived_at FROM relaties.project WHERE id = $2"
        found = [row["archived_at"] is None for row in await self.org.owner.fetch(sql, self.client, self.project)]
        assert found in ([], [True, True], [False, False])
        return any(found)

    async def count(self, table: str, column: str, key: UUID) -> int:
        found: int = await self.org.owner.fetchval(f"SELECT count(*) FROM relaties.{table} WHERE {column} = $1", key)
        return found


async def worked(org: Tenant, *, is_archived: bool = False) -> Worked:
    client, other = await org.add_client("Werk"), await org.add_client("Ander")
    contact, label = await org.add_contact("Eigen", client), await org.add_label(f"Label {new_id()}", client)
    project = await org.add_project(client)
    registration = await org.add_registration(client, project)
    await insert(
        org.owner,
        "registration_label",
        [{"tenant_id": org.id, "registration_id": registration, "label_id": label, "client_id": client}],
    )
    if is_archived:
        await archived(org, client)
    return Worked(org, client, other, contact, label, project, registration)
