"""The command that exports clients to a file. It runs as the owner of the database and needs no token."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from db.engine.database import Database
from domain.clients.reads import Filter
from domain.core.errors import BadInput, pluralize
from domain.core.lookups import normalize_search
from domain.core.periods import Period
from domain.exports.fields import ExportColumn, ExportField, RevenueColumn, RevenueMeasure, importable_columns
from domain.exports.outcome import LocalStorageError, ReportProgress, TooManyRowsError, WrittenExport
from domain.exports.request import ExportFormat, ExportRequest
from domain.exports.starting import MAX_COLUMNS
from server.cli.admin import OrganizationOption, find_organization, run_as_operator
from server.cli.options import DataDirOption
from server.runtime.console import error_console, print_lines, print_status, progress_bar
from server.startup_errors import StartupError

REVENUE_COLUMN = re.compile(r"(?P<measure>[a-z]+)(:(?P<since>[\d-]*)\.\.(?P<until>[\d-]*))?")
COLUMNS_HELP = (
    "Names of columns, separated by commas: the fields of the export in the API, such as `name,primary_city`, and `invoiced`, `paid` and "
    "`outstanding`, each with a period, such as `invoiced:2026-01-01..2026-12-31`. Default: all that an import takes back."
)


class FileFormat(StrEnum):
    """The format of the file, as it is written at the command line."""

    CSV = "csv"
    XLSX = "xlsx"


def export_clients(  # noqa: PLR0913 its options
    file_format: Annotated[FileFormat, typer.Option("--format", help="Format of the file.")],
    output: Annotated[Path, typer.Option(help="File to write. It appears once it is complete.", dir_okay=False)],
    name_or_id: OrganizationOption = None,
    columns: Annotated[str | None, typer.Option(help=COLUMNS_HELP)] = None,
    search: Annotated[str | None, typer.Option(help="Text within the name or the number of the clients.")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Export the clients of an organization to a file, as the job of the API does."""
    request = _build_request(file_format, columns, search)
    if output.exists() and not force:
        raise StartupError(f"{output} exists. Pass --force to overwrite it, or choose another --output.")

    async def write(database: Database) -> WrittenExport:
        tenant = (await find_organization(database, name_or_id)).id
        with _show_progress() as report:
            return await _write(database, tenant, request, path, report)

    with _replace_when_complete(output, is_forced=force) as path:
        export = run_as_operator(data_dir, write)
    for warning in export.warnings:
        print_status(warning)
    print_lines(f"{pluralize(export.count, 'client')} exported to {output}")


async def _write(database: Database, tenant: UUID, request: ExportRequest, path: Path, report: ReportProgress) -> WrittenExport:
    # The import is slow, so it happens only here.
    from domain.exports.writing import requested_columns, write_export  # noqa: PLC0415

    try:
        async with database.open_snapshot(tenant, requested_columns(request)) as snapshot:
            return await write_export(snapshot, tenant, request, path, report)
    except TooManyRowsError as error:
        raise StartupError("More clients match than an XLSX file has rows. Pass --format csv.") from error
    except LocalStorageError as error:
        raise StartupError(f"The file cannot be written: {error}") from error


def _build_request(file_format: FileFormat, columns: str | None, search: str | None) -> ExportRequest:
    names = [] if columns is None else columns.split(",")
    if len(names) > MAX_COLUMNS:
        raise StartupError(f"--columns must have at most {MAX_COLUMNS} names.")
    columns_once = dict.fromkeys(map(_parse_column, names)) or importable_columns(has_figures=True)
    try:
        criteria = Filter(search=normalize_search(search))
    except BadInput as error:
        raise StartupError(f"--search: {error}") from error
    return ExportRequest(ExportFormat(file_format.upper()), tuple(columns_once), criteria)


def _parse_column(text: str) -> ExportColumn:
    name = text.strip().lower()
    if name.upper() in ExportField.__members__:
        return ExportField(name.upper())
    match = REVENUE_COLUMN.fullmatch(name)
    if match and match["measure"] in set(RevenueMeasure):
        try:
            since, until = (date.fromisoformat(day) if day else None for day in (match["since"], match["until"]))
            return RevenueColumn(RevenueMeasure(match["measure"]), Period(since, until))
        except (ValueError, BadInput) as error:
            raise StartupError(f"--columns: `{text}` has no valid period. Write it as `invoiced:2026-01-01..2026-12-31`.") from error
    names = ", ".join(each.lower() for each in (*ExportField, *RevenueMeasure))
    raise StartupError(f"--columns: there is no column `{text}`. Columns: {names}.")


@contextmanager
def _replace_when_complete(output: Path, *, is_forced: bool) -> Iterator[Path]:
    """Yield the path of a temporary file beside the output, and give it the name of the output once the block has written it.

    It is in a folder that only this user can enter, together with the temporary files of the library that writes it.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent, ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "clients"
            yield path
            with path.open("rb") as file:
                os.fsync(file.fileno())
            _rename(path, output, is_forced=is_forced)
    except FileExistsError as error:
        raise StartupError(f"{output} was created meanwhile. Pass --force to overwrite it.") from error
    except OSError as error:
        raise StartupError(f"{output}: {error.strerror}. Choose another --output.") from error


def _rename(path: Path, output: Path, *, is_forced: bool) -> None:
    if is_forced:
        path.replace(output)
    else:
        output.hardlink_to(path)  # unlike a rename, it never overwrites a file
    folder = os.open(output.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _show_progress() -> Iterator[ReportProgress]:
    """Yield the function that shows the progress. It shows nothing where nobody watches."""
    if not error_console.is_terminal:

        async def ignore(_count: int, _total: int) -> None: ...

        yield ignore
        return
    with progress_bar(error_console) as bar:
        task = bar.add_task("Exporting clients", total=None)

        async def show(count: int, total: int) -> None:
            bar.update(task, completed=count, total=total)

        yield show
