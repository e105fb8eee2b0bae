"""A long read transaction on a connection of its own: one snapshot of an organization for a job that reads for minutes."""

from uuid import UUID

import asyncpg

from db.engine.statement import Query, R

# The role's limits are for requests. Between two statements a job writes to a local file, and waits for others to commit.
BEGIN = """BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL app.tenant = '{tenant}'; SET LOCAL statement_timeout = {limit};
 SET LOCAL idle_in_transaction_session_timeout = {idle_limit}"""
TAKE_SNAPSHOT = "SELECT pg_current_snapshot()"  # BEGIN and SET take none
ANSWER_GRACE = 1.0  # seconds for the server to report that it cancelled a slow statement
IDLE_TIMEOUT_S = 300  # a worker that is stopped for longer must not keep the database from cleaning up


class SnapshotTransaction:
    """A read transaction whose statements all see the state of the database when it was opened."""

    def __init__(
        self, connection: asyncpg.Connection, tenant: UUID, statement_timeout: float, requested_columns: frozenset[str] | None
    ) -> None:
        """Create a transaction that is open. `requested_columns` are the columns that the job reads; None means all."""
        self.tenant = tenant
        self._connection = connection
        self._statement_timeout = statement_timeout
        self._requested_columns = requested_columns

    @classmethod
    async def open(
        cls, connection: asyncpg.Connection, tenant: UUID, statement_timeout: float, requested_columns: frozenset[str] | None
    ) -> "SnapshotTransaction":
        limits = {"limit": int(statement_timeout * 1000), "idle_limit": IDLE_TIMEOUT_S * 1000}
        await connection.execute(BEGIN.format(tenant=tenant, **limits))
        await connection.execute(TAKE_SNAPSHOT)
        return cls(connection, tenant, statement_timeout, requested_columns)

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        query = query.project(self._requested_columns)
        arguments, timeout = query.arguments({**values, "tenant": self.tenant}), self._statement_timeout + ANSWER_GRACE
        rows: list[R] = await self._connection.fetch(query.sql, *arguments, timeout=timeout, record_class=query.row)
        return rows

    def is_requested(self, attribute: str) -> bool:
        return self._requested_columns is None or attribute in self._requested_columns
