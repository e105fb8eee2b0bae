"""Write the clients of an organization to a local file, in one snapshot and with bounded memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from db.engine.protocols import Transaction
from db.queries import clients, organizations
from db.rows import OrganizationRow
from db.tables.timestamps import now
from domain.exports import csv_file, xlsx_file
from domain.exports.about import DESCRIPTION_COLUMNS, describe_export
from domain.exports.cells import Cell, CellWarnings
from domain.exports.columns import ClientRecord, ColumnReader, build_reader
from domain.exports.csv_file import CsvFile
from domain.exports.outcome import LocalStorageError, ReportProgress, TooManyRowsError, WrittenExport
from domain.exports.reading import RecordReader, read_parts
from domain.exports.request import ExportFormat, ExportRequest, decimal_separator_of, delimiter_of
from domain.exports.xlsx_file import MAX_ROWS, XlsxFile

T = TypeVar("T")
MEDIA_TYPES = {ExportFormat.CSV: csv_file.MEDIA_TYPE, ExportFormat.XLSX: xlsx_file.MEDIA_TYPE}


class TableFile(Protocol):
    """A file that rows are written to."""

    warnings: CellWarnings

    def write(self, rows: Sequence[Sequence[Cell]]) -> None: ...

    def finish(self, about: Sequence[tuple[str, str]]) -> None: ...

    def discard(self) -> None: ...


async def write_export(tx: Transaction, tenant: UUID, request: ExportRequest, path: Path, report: ReportProgress) -> WrittenExport:
    """Write the export to a new file. Reads everything from the transaction, which must be one snapshot.

    Raises `TooManyRowsError`, `LocalStorageError`, and what `report` raises. Then the file is incomplete.
    """
    (organization,) = await organizations.by_id(tx, [tenant])
    if organization is None:
        raise LookupError(tenant)
    (total,) = await clients.counts(tx, [request.criteria])
    if request.format is ExportFormat.XLSX and total > MAX_ROWS:
        raise TooManyRowsError
    zone = ZoneInfo(organization.timezone)
    columns = [build_reader(column, organization.base_currency, zone) for column in request.columns]
    exported_at = now().astimezone(zone)
    about = await describe_export(tx, organization, request, exported_at, total)
    async with _open_file(path, _complete(request, organization), columns) as file:
        await _write_rows(tx, request, columns, file, lambda count: report(count, total))
        await run_in_thread(lambda: file.finish(about))
    return WrittenExport(path, _name_file(request, exported_at), MEDIA_TYPES[request.format], total, file.warnings.sentences)


async def _write_rows(
    tx: Transaction,
    request: ExportRequest,
    columns: Sequence[ColumnReader],
    file: TableFile,
    report: Callable[[int], Awaitable[None]],
) -> None:
    def write(records: Sequence[ClientRecord]) -> None:
        file.write([[column.read(record) for column in columns] for record in records])

    reader, count = RecordReader.of(columns), 0
    async for part in read_parts(tx, request):
        records = await reader.read(tx, part)
        # Formatting takes the processor for some tenths of a second; in a thread, the worker's heartbeats go on.
        await run_in_thread(lambda records=records: write(records))  # type: ignore[misc]
        count += len(part)
        await report(count)


def requested_columns(request: ExportRequest) -> frozenset[str]:
    """Return the columns that the statements of an export must select."""
    zone = ZoneInfo("UTC")
    names = {name for column in request.columns for name in build_reader(column, "", zone).requested}
    return frozenset(names | DESCRIPTION_COLUMNS)


@asynccontextmanager
async def _open_file(path: Path, request: ExportRequest, columns: Sequence[ColumnReader]) -> AsyncIterator[TableFile]:
    file = await run_in_thread(lambda: _create_file(path, request, columns))
    try:
        yield file
    except BaseException:
        file.discard()
        raise


def _create_file(path: Path, request: ExportRequest, columns: Sequence[ColumnReader]) -> TableFile:
    headings = [column.heading for column in columns]
    if request.format is ExportFormat.CSV and request.delimiter and request.decimal_separator:
        return CsvFile(path, headings, request.delimiter, request.decimal_separator)
    return XlsxFile(path, headings)


def _complete(request: ExportRequest, organization: OrganizationRow) -> ExportRequest:
    """Return the request with the delimiter and the decimal separator of the organization's locale, unless it has its own."""
    return replace(
        request,
        delimiter=request.delimiter or delimiter_of(organization.locale),
        decimal_separator=request.decimal_separator or decimal_separator_of(organization.locale),
    )


def _name_file(request: ExportRequest, exported_at: datetime) -> str:
    return f"clients-{exported_at:%Y-%m-%d-%H%M}.{request.format.lower()}"


async def run_in_thread(action: Callable[[], T]) -> T:
    """Run an action on the local file. Raises `LocalStorageError` instead of the errors of the system.

    Those would look like a lost connection to the database.
    """
    try:
        return await asyncio.to_thread(action)
    except OSError as error:
        raise LocalStorageError(str(error)) from error
