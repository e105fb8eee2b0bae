"""Check whether the database responds, on a connection of its own, so that a busy pool does not delay the check."""

import asyncpg


class HealthProbe:
    """One connection, opened at the first check and reopened after a failure."""

    def __init__(self, url: str, timeout: float = 1.0) -> None:
        self._url = url
        self._timeout = timeout
        self._connection: asyncpg.Connection | None = None

    async def fetch_value(self, sql: str) -> object:
        """Return the first value of a query. Close the connection after any error, since its state is unknown."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        try:
            return await _fetch_value(self._connection, sql)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection:
            self._connection.terminate()
            self._connection = None

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url,
            timeout=self._timeout,
            command_timeout=self._timeout,
            statement_cache_size=0,
            server_settings={"application_name": "relaties"},
        )


async def _fetch_value(connection: asyncpg.Connection, sql: str) -> object:
    """Fetch in a transaction: behind a pooler the messages of a statement then stay on one server connection."""
    await connection.execute("BEGIN READ ONLY")
    value: object = await connection.fetchval(sql)
    await connection.execute("COMMIT")
    return value
