"""Who asks: the bearer token of the request, looked up in the database and kept for a few seconds."""

import math
import time
from datetime import UTC, datetime

from db.engine import Database
from domain import tokens
from domain.scope import Actor
from server.refusals import ErrorCode, Unanswerable

KEPT_S = 5.0
KEPT = 10_000
WINDOW_S = 60.0


class Failures:
    """Tokens that were refused, by the address that sent them, in a minute. Who guesses has to wait; nothing is looked up meanwhile."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._since: dict[str, tuple[float, int]] = {}

    def refuse(self, address: str) -> None:
        """Unless the address may try a token that was not good before."""
        began, count = self._since.get(address, (0.0, 0))
        wait = math.ceil(began + WINDOW_S - time.monotonic())
        if count >= self._most and wait > 0:
            message = f"Too many wrong tokens came from your address. Try again in {wait} seconds."
            raise Unanswerable(ErrorCode.RATE_LIMITED, message, headers={"retry-after": str(wait)})

    def count(self, address: str) -> None:
        now = time.monotonic()
        began, count = self._since.get(address, (now, 0))
        if len(self._since) >= KEPT:
            self._since = {known: (at, many) for known, (at, many) in self._since.items() if now - at < WINDOW_S}
        self._since[address] = (began, count + 1) if now - began < WINDOW_S else (now, 1)


class SignIn:
    """Tokens that were looked up, for five seconds: as long as a revoked one may still be let in."""

    def __init__(self, database: Database, most_failures: int = 20) -> None:
        self._database = database
        self._failures = Failures(most_failures)
        self._known: dict[str, tuple[float, Actor | None, datetime | None]] = {}

    async def actor(self, authorization: str | None, address: str = "") -> Actor | None:
        """Whom the header `Authorization: Bearer …` stands for; None for nobody."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        at, actor, expires_at = self._known.get(secret, (0.0, None, None))
        if time.monotonic() - at > KEPT_S:
            if actor is None:
                self._failures.refuse(address)
            actor, expires_at = await self._looked_up(secret, address)
        return None if expires_at and expires_at <= datetime.now(UTC) else actor

    async def _looked_up(self, secret: str, address: str) -> tuple[Actor | None, datetime | None]:
        actor, expires_at = await tokens.actor_of(self._database, secret) or (None, None)
        if actor is None:
            self._failures.count(address)
        if len(self._known) >= KEPT:
            self._known.clear()
        if tokens.SHAPE.fullmatch(secret):
            self._known[secret] = (time.monotonic(), actor, expires_at)
        return actor, expires_at
