"""Check whether the database responds, on a connection of its own, so that a busy pool does not delay the check."""

import asyncpg


class HealthProbe:
    """A connection for health checks, opened at the first check and reopened after a failure. `timeout` is in seconds."""

    def __init__(self, url: str, timeout: float = 1.0) -> None:
        self._url = url
        self._timeout = timeout
        self._connection: asyncpg.Connection | None = None

    async def fetch_value(self, sql: str) -> object:
        """Return the first value of a query. Closes the connection after any error, because its state is then unknown."""
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
    """Fetch the value in a transaction, so that a pooler sends all messages of the statement to one server connection."""
    await connection.execute("BEGIN READ ONLY")
    value: object = await connection.fetchval(sql)
    await connection.execute("COMMIT")
    return value
