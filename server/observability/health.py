"""Endpoints that report whether the process is alive (`/livez`) and whether it can take requests (`/readyz`)."""

import asyncio

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.engine.health_probe import HealthProbe
from db.migrations import head
from db.migrations.revision import REVISION_SQL
from server.startup_errors import CONNECTION_ERRORS

READY, DRAINING, MIGRATIONS_MISSING, DATABASE_DOWN = "ready", "draining", "migrations missing", "database unreachable"


class Health:
    """Health of the server. It is ready if it is not draining and the database responds and has the current migrations.

    A server whose database connections are all in use is ready. It rejects requests that it cannot take with UNAVAILABLE.
    """

    def __init__(self, probe: HealthProbe, timeout_s: float = 1.0) -> None:
        self.is_draining = self.is_listening = False
        self._probe = probe
        self._timeout_s = timeout_s
        self._head = head()
        self._status_task: asyncio.Task[str] | None = None

    def build_routes(self) -> list[Route]:
        return [Route("/livez", _handle_livez), Route("/readyz", self._handle_readyz)]

    async def is_ready(self) -> bool:
        """Return whether the port is open and `/readyz` reports that the server is ready."""
        return self.is_listening and await self._status() == READY

    async def _status(self) -> str:
        return DRAINING if self.is_draining else await self._database_status()

    async def _handle_readyz(self, _request: Request) -> Response:
        status = await self._status()
        return _status_response(status, 200 if status == READY else 503)

    async def _database_status(self) -> str:
        """Return the status of the database. Concurrent checks share one query, and none waits longer than the timeout."""
        if self._status_task is None or self._status_task.done():
            self._status_task = asyncio.create_task(self._query_status())
        finished_tasks, _ = await asyncio.wait({self._status_task}, timeout=self._timeout_s)
        return self._status_task.result() if finished_tasks else DATABASE_DOWN

    async def _query_status(self) -> str:
        try:
            return READY if await self._probe.fetch_value(REVISION_SQL) == self._head else MIGRATIONS_MISSING
        except asyncpg.UndefinedTableError:
            return MIGRATIONS_MISSING
        except (*CONNECTION_ERRORS, asyncpg.InternalClientError):  # the last if PostgreSQL ended the session but not the connection
            return DATABASE_DOWN


async def _handle_livez(_request: Request) -> Response:
    return _status_response("alive", 200)


def _status_response(status: str, code: int) -> Response:
    return JSONResponse({"status": status}, code, {"cache-control": "no-store"})
