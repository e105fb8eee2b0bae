"""Rules of projects. Whoever sees a client sees its projects."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from db import projects as rows
from db.projects import counts_of_clients
from db.rows import ProjectFinancialRow, ProjectRow
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, Scope

__all__ = ["by_id", "counts_of_clients", "financial", "of_clients"]

NEWEST: Order[ProjectRow] = Order("client.projects.newest", attrgetter("id", "id"), is_ascending=False)


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, span: Span) -> list[Page[ProjectRow]]:
    """The projects of each client, the newest first."""
    reading = Reading.of(NEWEST, scope.cursors, span)
    return reading.pages(await rows.of_clients(scope, ids, reading.part), ids)


async def financial(scope: Scope, ids: Sequence[UUID]) -> list[ProjectFinancialRow | None]:
    """The prices of each project; nothing for whoever may not see figures."""
    return await rows.financial(scope, ids) if scope.may(Permission.FINANCE_READ) else [None] * len(ids)


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[ProjectRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)
