"""Commands that list, show and cancel background jobs. They run as the owner of the database and need no token."""

from typing import Annotated
from uuid import UUID

import typer

from db.engine.database import Database
from db.tables import JobStatus
from domain.core.errors import RuleViolation, not_found
from domain.core.pagination import MAX_PAGE_SIZE, PageRequest
from domain.core.scope import Actor, ReadScope, open_write_scope
from domain.jobs import lifecycle, reads
from domain.jobs.reads import AnyJob
from server.cli.admin import OrganizationOption, find_organization, run_as_operator
from server.cli.options import DataDirOption
from server.runtime.console import print_lines, print_table

jobs = typer.Typer(no_args_is_help=True, help="List, show and cancel background jobs.")
JobArgument = Annotated[UUID, typer.Argument(help="Id of the job, from `relaties jobs list`.")]


@jobs.command("list")
def jobs_list(
    name_or_id: OrganizationOption = None,
    status: Annotated[list[JobStatus] | None, typer.Option(help="Only jobs with this status. Can be repeated.")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """List the newest jobs of an organization, at most 100."""

    async def read_rows(database: Database) -> list[AnyJob]:
        tenant = (await find_organization(database, name_or_id)).id
        tx = database.read(tenant)
        try:
            page = await reads.page(ReadScope(Actor.operator(tenant), tx, [b""]), None, status or None, PageRequest(first=MAX_PAGE_SIZE))
            return [*page.rows]
        finally:
            await tx.end()

    print_table(("Id", "Kind", "Status", "Progress", "Queued", "Ended"), map(_row_cells, run_as_operator(data_dir, read_rows)))


@jobs.command("show")
def jobs_show(id: JobArgument, name_or_id: OrganizationOption = None, data_dir: DataDirOption = None) -> None:
    """Show a job with its warnings and the reason why it failed."""

    async def read_row(database: Database) -> AnyJob:
        tenant = (await find_organization(database, name_or_id)).id
        tx = database.read(tenant)
        try:
            (row,) = await reads.by_id(ReadScope(Actor.operator(tenant), tx, [b""]), [id])
        finally:
            await tx.end()
        if row is None:
            raise RuleViolation(not_found("job", ["id"]))
        return row

    row = run_as_operator(data_dir, read_row)
    labels = ("Id", "Kind", "Status", "Progress", "Queued", "Ended")
    lines = [f"{label}: {cell}" for label, cell in zip(labels, _row_cells(row), strict=True)]
    failure = [f"Failure: {row.failure_code}: {row.failure_message}"] if row.failure_code else []
    print_lines(*lines, *failure, *(f"Warning: {warning}" for warning in row.warnings))


@jobs.command("cancel")
def jobs_cancel(id: JobArgument, name_or_id: OrganizationOption = None, data_dir: DataDirOption = None) -> None:
    """Cancel a job. What it has processed is kept, except for the chunk that is running."""

    async def cancel(database: Database) -> None:
        tenant = (await find_organization(database, name_or_id)).id
        async with open_write_scope(database, Actor.operator(tenant), "jobs cancel") as scope:
            await lifecycle.cancel(scope, id)

    run_as_operator(data_dir, cancel)
    print_lines("The job is cancelled.")


def _row_cells(row: AnyJob) -> list[str]:
    progress = reads.estimate_progress(row)
    times = [f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "" for moment in (row.created_at, row.finished_at)]
    return [str(row.id), row.kind, row.status, f"{progress.done_count}/{'?' if progress.total is None else progress.total}", *times]
