"""Who asks: the bearer token of the request, looked up in the database and kept for a few seconds."""

import time
from datetime import UTC, datetime

from db.engine import Database
from domain import tokens
from domain.scope import Actor

KEPT_S = 5.0
KEPT = 10_000


class SignIn:
    """Tokens that were looked up, for five seconds: as long as a revoked one may still be let in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Actor | None, datetime | None]] = {}

    async def actor(self, authorization: str | None) -> Actor | None:
        """Whom the header `Authorization: Bearer …` stands for; None for nobody."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        at, actor, expires_at = self._known.get(secret, (0.0, None, None))
        if time.monotonic() - at > KEPT_S:
            actor, expires_at = await self._looked_up(secret)
        return None if expires_at and expires_at <= datetime.now(UTC) else actor

    async def _looked_up(self, secret: str) -> tuple[Actor | None, datetime | None]:
        actor, expires_at = await tokens.actor_of(self._database, secret) or (None, None)
        if len(self._known) >= KEPT:
            self._known.clear()
        if tokens.SHAPE.fullmatch(secret):
            self._known[secret] = (time.monotonic(), actor, expires_at)
        return actor, expires_at
