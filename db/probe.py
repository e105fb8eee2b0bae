"""Whether the database answers: asked on a connection of its own, which no pool that is busy keeps waiting."""

import asyncpg


class Probe:
    """One connection, made when it is first needed and made anew after a failure."""

    def __init__(self, url: str, limit_s: float = 1.0) -> None:
        self._url = url
        self._limit_s = limit_s
        self._connection: asyncpg.Connection | None = None

    async def ask(self, sql: str) -> object:
        """The first value that it gives. Whatever goes wrong costs the connection, which may be in any state then."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connected()
        try:
            return await _said(self._connection, sql)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url,
            timeout=self._limit_s,
            command_timeout=self._limit_s,
            statement_cache_size=0,
            server_settings={"application_name": "relaties"},
        )


async def _said(connection: asyncpg.Connection, sql: str) -> object:
    """In a transaction: behind a pooler the steps of a statement then stay on one connection of the server."""
    await connection.execute("BEGIN READ ONLY")
    found: object = await connection.fetchval(sql)
    await connection.execute("COMMIT")
    return found
