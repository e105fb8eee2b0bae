"""Health: whether the process lives, and whether to send it requests. Both say one word and nothing else."""

import asyncio

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.migrations import head
from db.probe import HealthProbe
from db.walls import REVISION_SQL
from server.doctor import UNREACHABLE

READY, DRAINING, UNMIGRATED, DOWN = "ready", "draining", "migrations missing", "database unreachable"


class Health:
    """Ready is who is not draining and whose database answers, with the tables that this code needs.

    A server whose connections are all in use is ready: it refuses what it cannot take by itself, with UNAVAILABLE.
    """

    def __init__(self, probe: HealthProbe, limit_s: float = 1.0) -> None:
        self.is_draining = False
        self._probe = probe
        self._limit_s = limit_s
        self._head = head()
        self._asked: asyncio.Task[str] | None = None

    def routes(self) -> list[Route]:
        return [Route("/livez", _live), Route("/readyz", self._ready)]

    async def _ready(self, _request: Request) -> Response:
        status = DRAINING if self.is_draining else await self._database()
        return _told(status, 200 if status == READY else 503)

    async def _database(self) -> str:
        """Whoever asks while another's question is under way gets that answer; none waits longer than the limit."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._looked())
        done, _ = await asyncio.wait({self._asked}, timeout=self._limit_s)
        return self._asked.result() if done else DOWN

    async def _looked(self) -> str:
        try:
            return READY if await self._probe.fetch_value(REVISION_SQL) == self._head else UNMIGRATED
        except asyncpg.UndefinedTableError:
            return UNMIGRATED
        except (*UNREACHABLE, asyncpg.InternalClientError):  # the latter where PostgreSQL has said farewell and not hung up yet
            return DOWN


async def _live(_request: Request) -> Response:
    return _told("alive", 200)


def _told(status: str, code: int) -> Response:
    return JSONResponse({"status": status}, code, {"cache-control": "no-store"})
