"""Run exports as background jobs."""

from functools import partial
from uuid import UUID

from db.tables import JobFailureCode
from domain import files
from domain.core.scope import WriteScope
from domain.exports.outcome import TooManyRowsError, WrittenExport
from domain.exports.request import load_request
from domain.exports.writing import requested_columns, write_export
from domain.files import FileLimits, FileQuotaExceededError, NewFile
from domain.jobs.handlers import JobFailedError, Run, RunHandler, RunResult

OPERATION = "clientExportStart"


def build_handler(limits: FileLimits) -> RunHandler:
    return RunHandler(
        OPERATION,
        lambda job_input: load_request(job_input["request"]).permissions,
        lambda job_input: requested_columns(load_request(job_input["request"])),
        partial(_run, limits),
    )


async def _run(limits: FileLimits, run: Run) -> RunResult:
    request = load_request(run.input["request"])
    try:
        export = await write_export(run.scope, run.scope.actor.tenant, request, run.folder / "clients", run.report)
    except TooManyRowsError as error:
        raise JobFailedError(JobFailureCode.TOO_MANY_ROWS) from error
    return RunResult(export.count, export.warnings, lambda scope: _store(scope, run.job_id, export, limits))


async def _store(scope: WriteScope, job_id: UUID, export: WrittenExport, limits: FileLimits) -> None:
    try:
        await files.store(scope, NewFile(job_id, export.name, export.media_type), export.path, limits)
    except FileQuotaExceededError as error:
        raise JobFailedError(JobFailureCode.FILE_QUOTA_EXCEEDED) from error
