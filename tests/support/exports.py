"""Start exports over the API, run them with a worker, and read the files that they make."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
import strawberry

from db.tables import Role
from domain.core.scope import WriteScope
from domain.exports.jobs import build_handler
from domain.files import FileLimits
from domain.jobs.handlers import Run, RunHandler, RunResult
from domain.organization.tokens import new_secret
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant, add_token, create_tenant
from tests.support.jobs import JobDatabase, QueueWorker

START = """mutation ($input: ClientExportStartInput!) { clientExportStart(input: $input) {
  userErrors { code path message } job { id status file { size } downloadUrl } } }"""
JOB = """query ($id: ID!) { job(id: $id) { __typename id kind status warnings progress { done total } failure { code message }
  ... on ClientExportJob { file { name size expiresAt } downloadUrl } } }"""
CANCEL = "mutation ($id: ID!) { jobCancel(input: {id: $id}) { userErrors { code path } job { id status warnings } } }"
CONTENT = """SELECT content FROM relaties.file_part p JOIN relaties.file f ON f.id = p.file_id WHERE f.tenant_id = $1 AND f.job_id = $2
  ORDER BY number"""


@dataclass
class ExportCase:
    """An organization, its API for the owner, and a worker for exports."""

    jobs: JobDatabase
    org: Tenant
    api: Api
    worker: QueueWorker

    def api_of(self, role: Role, org: Tenant | None = None) -> Api:
        return Api(self.api.http, (org or self.org).tokens[role])

    async def api_with(self, scope: list[str]) -> Api:
        """Return the API for a token of the owner that is limited to these permissions."""
        owner, secret = self.jobs.owner, new_secret()
        member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", self.org.id)
        await add_token(owner, self.org.id, secret, member_id=member, scope=scope)
        return Api(self.api.http, secret)

    async def start(self, api: Api | None = None, **input_values: object) -> str:
        """Start an export and return the id of its job."""
        payload = (await (api or self.api).data(START, input={"format": "CSV", **input_values}))["clientExportStart"]
        assert payload["userErrors"] == []
        key: str = payload["job"]["id"]
        return key

    async def read_job(self, key: str, api: Api | None = None) -> dict[str, Any]:
        job: dict[str, Any] = (await (api or self.api).data(JOB, id=key))["job"]
        return job

    async def run(self, api: Api | None = None, **input_values: object) -> dict[str, Any]:
        """Start an export, run it to its end, and return its job."""
        key = await self.start(api, **input_values)
        await self.worker.work_off()
        job = await self.read_job(key, api)
        assert job["status"] == "SUCCEEDED", (job, self.worker.errors)
        return job

    async def stored_content(self) -> bytes:
        """Return the content of the newest file of the organization."""
        job = await self.jobs.owner.fetchval("SELECT job_id FROM relaties.file WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1", self.org.id)
        return b"".join(row["content"] for row in await self.jobs.owner.fetch(CONTENT, self.org.id, job))

    async def export(self, api: Api | None = None, **input_values: object) -> list[list[Any]]:
        """Return the rows of an export, with its header."""
        await self.run(api, **input_values)
        content = await self.stored_content()
        return read_xlsx(content) if input_values.get("format") == "XLSX" else read_csv(content)


def read_csv(content: bytes, delimiter: str = ";") -> list[list[str]]:
    return [*csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter)]


def read_xlsx(content: bytes, sheet: str = "Clients") -> list[list[Any]]:
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    return [list(row) for row in workbook[sheet].iter_rows(values_only=True)]


@asynccontextmanager
async def open_export_case(jobs: JobDatabase, schema: strawberry.Schema, folder: Path) -> AsyncIterator[ExportCase]:
    org, worker = await create_tenant(jobs.owner), await jobs.worker(build_handler(FileLimits()), folder)
    async with connect_client(schema, jobs.database) as http:
        yield ExportCase(jobs, org, Api(http, org.tokens[Role.OWNER]), worker)


async def no_pause() -> None: ...


def pausing_handler(
    after_part: Callable[[int], Awaitable[None]] | None = None,
    after_store: Callable[[], Awaitable[None]] = no_pause,
    limits: FileLimits | None = None,
) -> RunHandler:
    """Return the handler of exports, which calls functions after each part that it has written, and after it has stored the file."""
    handler = build_handler(limits or FileLimits())

    async def run(original: Run) -> RunResult:
        async def report(count: int, total: int) -> None:
            if after_part:
                await after_part(count)
            await original.report(count, total)

        result = await handler.run(replace(original, report=report))

        async def store(scope: WriteScope) -> None:
            await result.store(scope)
            await after_store()

        return replace(result, store=store)

    return replace(handler, run=run)
