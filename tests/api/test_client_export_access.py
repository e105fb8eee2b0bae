"""Exports of clients over the API: polling, downloading and cancelling them, who may do that, and what is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import strawberry

from db.tables import Role
from db.tables.keys import new_id
from domain.exports.fields import FINANCIAL_FIELDS
from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant
from tests.support.exports import CANCEL, JOB, START, ExportCase, open_export_case
from tests.support.ids import global_id
from tests.support.jobs import open_job_database
from tests.support.snapshots import assert_unchanged

NAME_COLUMN = [{"field": "NAME"}]


@pytest.fixture
async def case(fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema, tmp_path: Path) -> AsyncIterator[ExportCase]:
    async with open_job_database(await fresh_database()) as jobs, open_export_case(jobs, schema, tmp_path) as export_case:
        yield export_case


async def test_job_is_polled_from_start_to_file(case: ExportCase) -> None:
    """The URL is new at each query, and the file has a name with the day."""
    await case.org.add_client("Een")
    key = await case.start(format="XLSX")
    before = await case.read_job(key)
    queued: dict[str, Any] = {
        "__typename": "ClientExportJob",
        "id": key,
        "kind": "CLIENT_EXPORT",
        "status": "QUEUED",
        "warnings": [],
        "failure": None,
    }
    assert before == {**queued, "progress": {"done": 0, "total": None}, "file": None, "downloadUrl": None}
    await case.worker.work_off()
    after = await case.read_job(key)
    assert {**after, "file": None, "downloadUrl": None} == {**queued, "status": "SUCCEEDED", "progress": {"done": 1, "total": 1}} | {
        "file": None,
        "downloadUrl": None,
    }
    assert after["file"]["name"].startswith("clients-20")
    assert after["file"]["name"].endswith(".xlsx")
    assert after["file"]["size"] == len(await case.stored_content())
    assert after["downloadUrl"].startswith("/downloads/")
    node = (await case.api.data("query ($id: ID!) { node(id: $id) { id ... on ClientExportJob { downloadUrl } } }", id=key))["node"]
    assert node["id"] == key
    for unreadable in (await create_tenant(case.jobs.owner)), case.org:
        api = case.api_of(Role.MEMBER if unreadable is case.org else Role.OWNER, unreadable)
        assert (await api.data(JOB, id=key))["job"] is None
    await case.jobs.owner.execute("DELETE FROM relaties.file_part")
    await case.jobs.owner.execute("DELETE FROM relaties.file")
    without_file = await case.read_job(key)
    assert (without_file["status"], without_file["file"], without_file["downloadUrl"]) == ("SUCCEEDED", None, None)


async def test_id_of_an_export_is_no_id_of_another_kind_of_job(case: ExportCase) -> None:
    """An object has one id."""
    key = await case.start()
    job = await case.jobs.owner.fetchval("SELECT id FROM relaties.job")
    other = global_id("RevenueRebuildJob", job)
    assert global_id("ClientExportJob", job) == key
    assert (await case.api.data("query ($id: ID!) { job(id: $id) { id } node(id: $id) { id } }", id=other)) == {"job": None, "node": None}
    async with assert_unchanged(case.jobs.owner, case.org.id):
        assert (await case.api.data(CANCEL, id=other))["jobCancel"]["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]


FIGURE_COLUMNS: list[dict[str, Any]] = [{"field": field} for field in FINANCIAL_FIELDS] + [{"revenue": {"measure": "PAID"}}]


@pytest.mark.parametrize("column", FIGURE_COLUMNS)
async def test_figures_need_their_permission_before_anything_is_queued(case: ExportCase, column: dict[str, object]) -> None:
    api = await case.api_with(["CLIENTS_READ", "CLIENTS_EXPORT"])
    async with assert_unchanged(case.jobs.owner, case.org.id):
        body = await api.execute(START, input={"format": "XLSX", "columns": [*NAME_COLUMN, column]})
    assert (body["data"], body["errors"][0]["extensions"]["code"]) == ({"clientExportStart": None}, "FORBIDDEN")
    assert await case.jobs.message_count() == 0


@pytest.mark.parametrize("role", Role)
async def test_role_may_export_or_is_refused(case: ExportCase, role: Role) -> None:
    api = case.api_of(role)
    if role in {Role.OWNER, Role.ADMIN, Role.FINANCE}:
        assert (await case.run(api, columns=[{"field": "IBAN"}]))["file"] is not None
        return
    async with assert_unchanged(case.jobs.owner, case.org.id):
        body = await api.execute(START, input={"format": "CSV"})
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_file_is_hidden_from_callers_who_may_no_longer_read_it(case: ExportCase) -> None:
    """A token that may manage jobs sees the job, but downloads it only with the permissions that the columns need."""
    plain = (await case.run(columns=NAME_COLUMN))["id"]
    figures = (await case.run(columns=[{"field": "IBAN"}]))["id"]
    for scope, readable in (
        (["ORGANIZATION_WRITE"], []),
        (["ORGANIZATION_WRITE", "FINANCE_READ"], []),
        (["CLIENTS_EXPORT"], [plain]),
        (["CLIENTS_EXPORT", "FINANCE_READ"], [plain, figures]),
    ):
        api = await case.api_with(scope)
        jobs = {key: await case.read_job(key, api) for key in (plain, figures)}
        assert [key for key, job in jobs.items() if job["downloadUrl"]] == readable
        assert [key for key, job in jobs.items() if job["file"]] == readable
        assert {job["status"] for job in jobs.values()} == {"SUCCEEDED"}


async def test_member_cancels_their_own_export_and_no_other(case: ExportCase) -> None:
    """A cancelled export has no file. Managers cancel all jobs; to others, another's job does not exist."""
    finance, admin = case.api_of(Role.FINANCE), case.api_of(Role.ADMIN)
    own, other = await case.start(finance), await case.start()
    async with assert_unchanged(case.jobs.owner, case.org.id):
        assert (await finance.data(CANCEL, id=other))["jobCancel"]["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
        theirs = case.api_of(Role.OWNER, await create_tenant(case.jobs.owner))
        assert (await theirs.data(CANCEL, id=own))["jobCancel"]["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
        for role in (Role.MEMBER, Role.VIEWER):
            body = await case.api_of(role).execute(CANCEL, id=own)
            assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    for api, key in ((finance, own), (admin, other)):
        payload = (await api.data(CANCEL, id=key))["jobCancel"]
        assert payload == {"userErrors": [], "job": {"id": key, "status": "CANCELLED", "warnings": []}}
    await case.worker.work_off()
    assert await case.jobs.owner.fetchval("SELECT count(*) FROM relaties.file") == 0
    assert (await case.read_job(own, finance))["downloadUrl"] is None


async def test_member_without_the_permission_cannot_cancel_their_own_rebuild(case: ExportCase) -> None:
    member = await case.jobs.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'FINANCE'", case.org.id)
    key = global_id("RevenueRebuildJob", await case.org.add_job(member_id=member))
    async with assert_unchanged(case.jobs.owner, case.org.id):
        body = await case.api_of(Role.FINANCE).execute(CANCEL, id=key)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


WRONG_INPUTS: dict[str, tuple[dict[str, Any], list[tuple[str, list[str]]]]] = {
    "too much revenue": ({"columns": [{"revenue": {"measure": "PAID"}}] * 25}, [("TOO_MANY", ["columns"])]),
    "reversed period": (
        {"columns": [*NAME_COLUMN, {"revenue": {"measure": "PAID", "period": {"since": "2026-02-01", "until": "2026-01-01"}}}]},
        [("INVALID", ["columns", "1", "revenue", "period"])],
    ),
    "long search": ({"search": "x" * 201}, [("INVALID", ["search"])]),
    "wrong register": ({"filter": {"kvkNumber": "12", "country": "XX"}}, [
        ("INVALID", ["filter", "country"]), ("INVALID", ["filter", "kvkNumber"])
    ]),
    "too many labels": ({"filter": {"labels": {"none": [global_id("Label", new_id())] * 51}}}, [
        ("TOO_MANY", ["filter", "labels", "none"])
    ]),
    "unknown labels": ({"filter": {"labels": {"any": ["x"], "all": [global_id("Label", new_id())]}}}, [
        ("NOT_FOUND", ["filter", "labels", "any", "0"]), ("NOT_FOUND", ["filter", "labels", "all", "0"])
    ]),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_INPUTS)
async def test_wrong_input_is_refused_and_queues_nothing(org: Tenant, api_for: Callable[..., Api], what: str) -> None:
    input_values, expected = WRONG_INPUTS[what]
    async with assert_unchanged(org.owner, org.id):
        payload = (await api_for(org).data(START, input={"format": "CSV", **input_values}))["clientExportStart"]
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == expected
    assert payload["job"] is None


async def test_label_of_another_organization_is_not_found(org: Tenant, sample_org: Tenant, api_for: Callable[..., Api]) -> None:
    label = global_id("Label", sample_org.labels[0])
    async with assert_unchanged(org.owner, org.id):
        payload = (await api_for(org).data(START, input={"format": "CSV", "filter": {"labels": {"any": [label]}}}))["clientExportStart"]
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [("NOT_FOUND", ["filter", "labels", "any", "0"])]
