"""Asking as the owner of the database, without a pool or a wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from db.engine.statement import Query, R
from domain.clients import previews
from domain.core.scope import ALL_PERMISSIONS, Actor, Scope
from tests.ask import SECRETS
from tests.builders import Tenant


@dataclass(frozen=True)
class Directly:
    """A `Transaction` of one organization."""

    owner: asyncpg.Connection
    tenant: UUID

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        return await self.owner.fetch(query.sql, *query.arguments({**values, "tenant": self.tenant}), record_class=query.row)

    def is_requested(self, attribute: str) -> bool:
        return bool(attribute)


async def token_of(org: Tenant, client: UUID, left: timedelta, secrets: Sequence[bytes] = SECRETS) -> str:
    """Of a preview of the client's deletion, as the server would have made it, so that it ends in so long."""
    scope = Scope(Actor(org.id, ALL_PERMISSIONS), Directly(org.owner, org.id), secrets)
    (found,) = await previews.load_contents(scope, [client])
    assert found
    return previews.issue_token(scope, found, datetime.now(UTC) + left - previews.TOKEN_LIFETIME)
