"""An export of thousands of clients makes one complete file of one snapshot, whatever dies in the meantime."""

import random
import signal
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import pytest

from domain.core.periods import Period
from domain.exports.fields import ExportField, RevenueColumn, RevenueMeasure
from domain.exports.request import ExportFormat, ExportRequest
from domain.exports.writing import requested_columns, write_export
from tests.support.databases import RUNTIME
from tests.support.exports import read_csv, read_xlsx
from tests.support.job_workers import ExportCase, kill_backends, prepare_export

CLIENTS, KILLS = 5_000, 3
MANY_CLIENTS, MANY_KILLS = 100_000, 16
FreshDatabase = Callable[[], Awaitable[str]]
COLUMNS = (
    ExportField.NAME,
    ExportField.NUMBER,
    ExportField.PRIMARY_LINE1,
    ExportField.CREATED_AT,
    RevenueColumn(RevenueMeasure.INVOICED, Period(date(2024, 1, 1), date(2024, 12, 31))),
    RevenueColumn(RevenueMeasure.OUTSTANDING),
)


def list_local_files(folder: Path) -> list[str]:
    """Return the names of what job workers have left in the folder for temporary files."""
    return [path.name for path in folder.glob("relaties-jobs-*/*")]


async def no_report(_count: int, _total: int) -> None: ...


async def write_undisturbed(case: ExportCase, request: ExportRequest, folder: Path) -> bytes:
    """Return the export as one process writes it without an interruption. Nothing has changed since, so its snapshot is the same."""
    async with case.jobs.database.open_snapshot(case.org.id, requested_columns(request)) as snapshot:
        export = await write_export(snapshot, case.org.id, request, folder / "undisturbed", no_report)
    return export.path.read_bytes()


async def check_file(case: ExportCase, request: ExportRequest, folder: Path, clients: int) -> None:
    await case.check_result(clients)
    content, undisturbed = await case.read_file(), await write_undisturbed(case, request, folder)
    if request.format is ExportFormat.CSV:
        assert content == undisturbed
        assert len(read_csv(content)) == clients + 1
    else:
        assert read_xlsx(content) == read_xlsx(undisturbed)
        assert len(read_xlsx(content)) == clients + 1


async def kill_workers(case: ExportCase, clients: int, kills: int) -> None:
    """Kill a worker at random times while the export runs, each time further on, and start another one."""
    for number in range(kills):
        worker = case.start_worker()
        await case.wait_for_count(clients * number // (kills + 1) + random.randrange(1, 500))  # noqa: S311 no secret
        worker.stop(signal.SIGKILL)
    case.start_worker()


@pytest.mark.parametrize("file_format", ExportFormat)
async def test_export_survives_kills_of_its_worker(fresh_database: FreshDatabase, tmp_path: Path, file_format: ExportFormat) -> None:
    """The local files of the dead workers are gone."""
    request = ExportRequest(file_format, COLUMNS)
    async with prepare_export(await fresh_database(), tmp_path, CLIENTS, request) as case:
        await kill_workers(case, CLIENTS, KILLS)
        await check_file(case, request, tmp_path, CLIENTS)
        case.processes[-1].stop(signal.SIGTERM)
        assert list_local_files(tmp_path) == ["lock"]


async def test_export_survives_kills_of_its_backends(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    """The snapshot is lost with its connection, so the worker starts again."""
    request = ExportRequest(ExportFormat.CSV, COLUMNS)
    async with prepare_export(await fresh_database(), tmp_path, CLIENTS, request) as case:
        case.start_worker()
        for number in range(KILLS):
            await case.wait_for_count(CLIENTS * number // (KILLS + 1) + 1)
            await kill_backends(case.jobs.owner, RUNTIME)
        await check_file(case, request, tmp_path, CLIENTS)


@pytest.mark.proof
@pytest.mark.parametrize("file_format", ExportFormat)
async def test_export_survives_many_kills_of_its_worker(fresh_database: FreshDatabase, tmp_path: Path, file_format: ExportFormat) -> None:
    request = ExportRequest(file_format, COLUMNS)
    async with prepare_export(await fresh_database(), tmp_path, MANY_CLIENTS, request) as case:
        await kill_workers(case, MANY_CLIENTS, MANY_KILLS)
        await check_file(case, request, tmp_path, MANY_CLIENTS)
