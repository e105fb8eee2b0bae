"""Start exports of clients, and find the files that they have made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db.queries import jobs as job_rows
from db.rows import FileRow
from db.tables import JobKind
from domain import files
from domain.core.errors import RuleViolation, TooMany, too_many
from domain.core.scope import Permission, Scope, WriteScope
from domain.exports.criteria import validate_criteria
from domain.exports.fields import RevenueColumn, importable_columns
from domain.exports.request import ExportRequest, dump_request
from domain.jobs import lifecycle

MAX_COLUMNS = 100
MAX_REVENUE_COLUMNS = 24  # each period is another statement for each part
LOOKUPS = ("search", "kvk_number", "vat_number")
"""The criteria that may name a client."""


@dataclass(frozen=True)
class ExportFile:
    """The file of an export. `size` is in bytes; the integers of GraphQL end at 2 GB."""

    name: str
    size: float
    expires_at: datetime


async def start(scope: WriteScope, request: ExportRequest) -> UUID:
    """Start an export, and return the id of its job. Without columns, it has all that an import takes back and the caller may see."""
    scope.require(Permission.CLIENTS_EXPORT)
    _limit_columns(request)
    columns = request.columns or importable_columns(has_figures=scope.allows(Permission.FINANCE_READ))
    request = replace(request, columns=tuple(dict.fromkeys(columns)))
    scope.require_all(request.permissions)
    request = replace(request, criteria=await validate_criteria(scope, request.criteria))
    names_clients = any(getattr(request.criteria, name) is not None for name in LOOKUPS)
    job_input = {"has_figures": request.has_figures, "names_clients": names_clients, "request": dump_request(request)}
    return await lifecycle.start(scope, JobKind.CLIENT_EXPORT, job_input)


def _limit_columns(request: ExportRequest) -> None:
    if len(request.columns) > MAX_COLUMNS:
        raise RuleViolation(too_many("columns", MAX_COLUMNS))
    if sum(isinstance(column, RevenueColumn) for column in request.columns) > MAX_REVENUE_COLUMNS:
        reason = f"`columns` must have at most {MAX_REVENUE_COLUMNS} columns with `revenue`. Pass fewer of them."
        raise RuleViolation(TooMany(["columns"], reason))


async def files_of_jobs(scope: Scope, ids: Sequence[UUID]) -> list[ExportFile | None]:
    """Return the file of each export that the caller may download. None before its end, and once the file is gone."""
    return [None if row is None else ExportFile(row.name, row.size, row.expires_at) for row in await _find_readable(scope, ids)]


async def download_urls(scope: Scope, ids: Sequence[UUID]) -> list[str | None]:
    """Return a new URL for the file of each export that the caller may download."""
    return [None if row is None else files.sign_download(scope, row.id) for row in await _find_readable(scope, ids)]


async def _find_readable(scope: Scope, ids: Sequence[UUID]) -> list[FileRow | None]:
    """Return the files whose content the caller may read. The caller has found the jobs, so it may see them."""
    if not scope.allows(Permission.CLIENTS_EXPORT):
        return [None] * len(ids)
    rows = await files.of_jobs(scope, ids)
    if scope.allows(Permission.FINANCE_READ):
        return rows
    unreadable = await job_rows.with_figures(scope, [row.job_id for row in rows if row])
    return [None if row is None or row.job_id in unreadable else row for row in rows]
