"""The transaction of a unit of work: entities and statements on one connection, with an audit log of the changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from db.audit import AuditRecorder, ChangeOrigin
from db.engine.query_stats import QueryStats
from db.engine.statement import Command, Query, R


@dataclass(frozen=True)
class DriverConnection:
    """The driver's own connection, the statistics of its statements, and the timeout of one statement in seconds."""

    connection: asyncpg.Connection
    stats: QueryStats
    timeout: float


class WriteTransaction:
    """The transaction of one unit of work. Entities go through the session, statements through the same connection."""

    def __init__(self, tenant: UUID, session: AsyncSession, connection: DriverConnection, origin: ChangeOrigin) -> None:
        self.tenant = tenant
        self.session = session
        self.driver = connection.connection
        self.audit = AuditRecorder(session, origin)
        self._connection = connection
        self._has_executed = False

    @property
    def has_changed(self) -> bool:
        return bool(self._has_executed or self.audit.changes or self.session.new or self.session.dirty or self.session.deleted)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Run the block in a savepoint. If it raises, its changes are rolled back and removed from the audit log."""
        await self.session.flush()
        changes = dict(self.audit.changes)
        try:
            async with self.session.begin_nested():
                # Otherwise the session sends the SAVEPOINT before its own next statement, so statements of the driver would precede it.
                await self.session.connection()
                yield
                await self.session.flush()
        except BaseException:
            self.audit.changes = changes
            raise

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        await self.session.flush()
        arguments = query.arguments({**values, "tenant": self.tenant})
        return await self._connection.stats.measure(
            self._connection.connection.fetch(query.sql, *arguments, timeout=self._connection.timeout, record_class=query.row)
        )

    def is_requested(self, attribute: str) -> bool:
        """Return True, because a rule may read any attribute of the rows that it changes."""
        return bool(attribute)

    async def execute(self, command: Command, **values: object) -> int:
        """Execute a command and return the number of rows that it changed or locked. The audit log does not record them."""
        await self.session.flush()
        self._has_executed = True
        arguments = command.arguments({**values, "tenant": self.tenant})
        status = await self._connection.stats.measure(
            self._connection.connection.execute(command.sql, *arguments, timeout=self._connection.timeout)
        )
        return int(status.rpartition(" ")[2])
