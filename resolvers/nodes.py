"""Find any object by its id."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry

from db.engine.statement import Row
from domain import portals, projects
from domain.clients import contacts, labels
from domain.clients import reads as clients
from domain.core import activity
from domain.core.errors import BadInput
from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import ReadScope
from domain.invoicing import invoices, layouts, quotes, vat_rates
from domain.jobs import reads as jobs
from domain.organization import members, organizations, tokens
from domain.registrations import rules as registrations
from resolvers.context import Info
from resolvers.ids import GlobalId

BATCHES: dict[str, Callable[[ReadScope, Sequence[UUID]], Awaitable[Sequence[Any]]]] = {
    "ActivityEvent": activity.by_id,
    "ApiToken": tokens.by_id,
    "Client": clients.by_id,
    "ClientExportJob": jobs.exports_by_id,
    "ClientPortal": portals.by_id,
    "Contact": contacts.by_id,
    "Invoice": invoices.by_id,
    "InvoiceLayout": layouts.by_id,
    "Label": labels.by_id,
    "Member": members.by_id,
    "Organization": organizations.by_id,
    "Project": projects.by_id,
    "Registration": registrations.by_id,
    "RevenueRebuildJob": jobs.rebuilds_by_id,
    "Quote": quotes.by_id,
    "VatRate": vat_rates.by_id,
}


async def by_id(info: Info, id: Annotated[GlobalId, strawberry.argument(description="Id of the object.")]) -> Row | None:
    row: Row | None = await info.context.loaders.of(BATCHES[id.require_type()]).load(id.key)
    return row


async def by_ids(
    info: Info, ids: Annotated[list[GlobalId], strawberry.argument(description=f"Ids of the objects, at most {MAX_PAGE_SIZE}.")]
) -> list[Row | None]:
    if len(ids) > MAX_PAGE_SIZE:
        raise BadInput(f"`ids` has at most {MAX_PAGE_SIZE} entries. Send several requests.")
    rows = list[Row | None]()
    for each in await asyncio.gather(*(by_id(info, key) for key in ids), return_exceptions=True):
        if isinstance(each, BaseException):
            raise each  # the first error of the list, since the order in time is random
        rows.append(each)
    return rows
