"""Run statements as the owner of the database, without a pool and without row-level security."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from db.engine.statement import Query, R
from domain.clients import previews
from domain.core.scope import ALL_PERMISSIONS, Actor, Scope
from tests.support.api import SECRET_KEYS
from tests.support.builders import Tenant


@dataclass(frozen=True)
class OwnerTransaction:
    """A transaction of one organization that runs on the owner's connection."""

    owner: asyncpg.Connection
    tenant: UUID

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        return await self.owner.fetch(query.sql, *query.arguments({**values, "tenant": self.tenant}), record_class=query.row)

    def is_requested(self, attribute: str) -> bool:
        return bool(attribute)


async def sign_preview_token(org: Tenant, client: UUID, remaining: timedelta, secrets: Sequence[bytes] = SECRET_KEYS) -> str:
    """Sign a token for a preview of the client's deletion, as the server does. It expires after the remaining time."""
    scope = Scope(Actor(org.id, ALL_PERMISSIONS), OwnerTransaction(org.owner, org.id), secrets)
    (preview,) = await previews.load_contents(scope, [client])
    assert preview
    return previews.issue_token(scope, preview, datetime.now(UTC) + remaining - previews.TOKEN_LIFETIME)
