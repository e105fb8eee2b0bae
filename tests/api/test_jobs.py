"""Background jobs over the API: starting, polling, listing and cancelling, for each role and organization."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

import pytest
import strawberry
from graphql import GraphQLObjectType

from db.tables import JobKind, Role
from domain.files import FileLimits
from domain.jobs.lifecycle import MAX_UNFINISHED
from domain.reports.monthly_balances import BATCH_SIZE
from server.documents.cost import BASE_COST
from server.jobs.handlers import build_handlers
from tests.support.api import Api, connect_client
from tests.support.builders import CREATED_AT, Tenant, create_tenant
from tests.support.ids import global_id
from tests.support.jobs import JobDatabase, open_job_database

START = "mutation ($input: RevenueRebuildStartInput!) { revenueRebuildStart(input: $input) { userErrors { code } job { id status } } }"
CANCEL = "mutation ($id: ID!) { jobCancel(input: {id: $id}) { userErrors { code path message } job { id status finishedAt } } }"
JOB = """query ($id: ID!) { job(id: $id) { __typename id kind status warnings startedAt finishedAt createdBy { name }
  progress { done total rate secondsLeft } failure { code message } } }"""
LIST = """query ($kinds: [JobKind!], $statuses: [JobStatus!]) {
  jobs(kinds: $kinds, statuses: $statuses) { totalCount nodes { id status } } }"""
RUNNING = {"status": "RUNNING", "owner": "00000000-0000-0000-0000-000000000001", "lease_until": CREATED_AT, "started_at": CREATED_AT}
ENDED = {"status": "SUCCEEDED", "started_at": CREATED_AT, "finished_at": CREATED_AT}
FAILED = {**ENDED, "status": "FAILED", "failure_code": "ACCESS_LOST", "failure_message": "Why."}


@pytest.fixture
async def jobs(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[JobDatabase]:
    """Return a database for one test: the queue is shared by all organizations of a database."""
    async with open_job_database(await fresh_database()) as job_database:
        yield job_database


async def corrupt_balances(org: Tenant) -> None:
    await org.owner.execute("UPDATE relaties.client_month SET invoiced = 1 WHERE tenant_id = $1", org.id)


async def find_member(org: Tenant, role: Role) -> Any:  # noqa: ANN401 a column
    return await org.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = $2", org.id, role)


@pytest.mark.parametrize("repair", [True, False])
async def test_revenue_rebuild_runs_from_start_to_end(jobs: JobDatabase, schema: strawberry.Schema, repair: bool) -> None:
    """It goes through all clients in chunks of 500, and repairs wrong balances or only counts them."""
    org = await create_tenant(jobs.owner)
    for number in range(BATCH_SIZE + 1):
        client = await org.add_client(f"Client {number:03}")
        if number % BATCH_SIZE == 0:
            await org.add_invoice(client, date(2026, 1, 10), "100.00")
    await corrupt_balances(org)
    worker = await jobs.worker(build_handlers(FileLimits())[JobKind.REVENUE_REBUILD])
    async with connect_client(schema, jobs.database) as http:
        api = Api(http, org.tokens[Role.ADMIN])
        payload = (await api.data(START, input={"repair": repair}))["revenueRebuildStart"]
        job = {"__typename": "RevenueRebuildJob", "kind": "REVENUE_REBUILD", "createdBy": {"name": "Admin"}, "failure": None}
        assert payload == {"userErrors": [], "job": {"id": payload["job"]["id"], "status": "QUEUED"}}
        polls = [(await api.data(JOB, id=payload["job"]["id"]))["job"]]
        for _ in range(2):
            assert await worker.step() == org.id
            polls.append((await api.data(JOB, id=payload["job"]["id"]))["job"])
    assert [{name: poll[name] for name in job} for poll in polls] == [job] * 3
    assert [(poll["status"], poll["progress"]["done"], poll["progress"]["total"]) for poll in polls] == [
        ("QUEUED", 0, None),
        ("RUNNING", BATCH_SIZE, BATCH_SIZE + 1),
        ("SUCCEEDED", BATCH_SIZE + 1, BATCH_SIZE + 1),
    ]
    warning = f"The stored revenue of 1 client was wrong and {'was rebuilt' if repair else 'was not changed'}."
    assert [poll["warnings"] for poll in polls] == [[], [warning], [warning] * 2]
    assert [(poll["startedAt"] is None, poll["finishedAt"] is None) for poll in polls] == [(True, True), (False, True), (False, False)]
    assert polls[1]["progress"]["rate"] > 0
    assert [poll["progress"]["secondsLeft"] is None for poll in polls] == [True, False, True]
    wrong = await jobs.owner.fetchval("SELECT count(*) FROM relaties.client_month WHERE tenant_id = $1 AND invoiced = 1", org.id)
    assert wrong == (0 if repair else 2)
    assert (await worker.step(), worker.errors) == (None, [])


async def test_members_see_their_own_jobs_and_managers_all(org: Tenant, sample_org: Tenant, api_for: Callable[..., Api]) -> None:
    """Another organization sees none. A job that is not visible looks like one that does not exist."""
    own = global_id("RevenueRebuildJob", await org.add_job(member_id=await find_member(org, Role.MEMBER), **ENDED))
    other = global_id("RevenueRebuildJob", await org.add_job(member_id=await find_member(org, Role.FINANCE), **FAILED))
    for role, visible in {
        Role.OWNER: [other, own],
        Role.ADMIN: [other, own],
        Role.MEMBER: [own],
        Role.FINANCE: [other],
        Role.VIEWER: [],
    }.items():
        api = api_for(org, role)
        listing = (await api.data(LIST))["jobs"]
        assert [node["id"] for node in listing["nodes"]] == visible
        assert listing["totalCount"] == len(visible)
        for job in (own, other):
            data = await api.data("query ($id: ID!) { job(id: $id) { id } node(id: $id) { id } }", id=job)
            assert data == ({"job": {"id": job}, "node": {"id": job}} if job in visible else {"job": None, "node": None})
    theirs = api_for(sample_org)
    assert (await theirs.data(JOB, id=own))["job"] is None
    assert own not in {node["id"] for node in (await theirs.data(LIST))["jobs"]["nodes"]}
    failed = (await api_for(org).data(JOB, id=other))["job"]
    assert (failed["status"], failed["failure"]) == ("FAILED", {"code": "ACCESS_LOST", "message": "Why."})


async def test_machine_token_sees_the_jobs_that_it_started(org: Tenant, api_for: Callable[..., Api]) -> None:
    tokens = await org.owner.fetch("SELECT id, member_id FROM relaties.api_token WHERE tenant_id = $1", org.id)
    viewer = await find_member(org, Role.VIEWER)
    token = next(row["id"] for row in tokens if row["member_id"] == viewer)
    await org.owner.execute("UPDATE relaties.api_token SET member_id = NULL, role = 'VIEWER' WHERE id = $1", token)
    own = await org.add_job(token_id=token)
    await org.add_job(member_id=viewer)
    await org.add_job()
    nodes = (await api_for(org, Role.VIEWER).data(LIST))["jobs"]["nodes"]
    assert nodes == [{"id": global_id("RevenueRebuildJob", own), "status": "QUEUED"}]


async def test_jobs_are_filtered_by_kind_and_status(org: Tenant, api_for: Callable[..., Api]) -> None:
    queued, running, ended = [global_id("RevenueRebuildJob", await org.add_job(**values)) for values in ({}, RUNNING, ENDED)]
    api = api_for(org)
    for variables, expected in (
        ({}, [ended, running, queued]),
        ({"statuses": ["QUEUED", "RUNNING"]}, [running, queued]),
        ({"kinds": ["REVENUE_REBUILD"], "statuses": ["SUCCEEDED"]}, [ended]),
        ({"statuses": []}, []),
    ):
        listing = (await api.data(LIST, **variables))["jobs"]
        assert ([node["id"] for node in listing["nodes"]], listing["totalCount"]) == (expected, len(expected))


@pytest.mark.parametrize("values", [{}, RUNNING])
async def test_job_is_cancelled_at_once(org: Tenant, api_for: Callable[..., Api], values: dict[str, Any]) -> None:
    """Cancelling it again changes nothing. Members without the permission and other organizations cannot."""
    job = await org.add_job(member_id=await find_member(org, Role.FINANCE), **values)
    row, key = await org.owner.fetchrow("SELECT * FROM relaties.job WHERE id = $1", job), global_id("RevenueRebuildJob", job)
    denial = await api_for(org, Role.FINANCE).execute(CANCEL, id=key)
    assert denial["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    refused = (await api_for(await create_tenant(org.owner)).data(CANCEL, id=key))["jobCancel"]
    assert (refused["job"], refused["userErrors"][0]["code"], refused["userErrors"][0]["path"]) == (None, "NOT_FOUND", ["id"])
    assert await org.owner.fetchrow("SELECT * FROM relaties.job WHERE id = $1", job) == row
    first, second = [(await api_for(org, Role.ADMIN).data(CANCEL, id=key))["jobCancel"] for _ in range(2)]
    assert first == second == {"userErrors": [], "job": {**first["job"], "id": key, "status": "CANCELLED"}}
    assert first["job"]["finishedAt"] is not None
    assert await org.owner.fetchval("SELECT owner FROM relaties.job WHERE id = $1", job) is None


@pytest.mark.parametrize("values", [ENDED, FAILED])
async def test_job_that_has_ended_cannot_be_cancelled(org: Tenant, api_for: Callable[..., Api], values: dict[str, Any]) -> None:
    job = await org.add_job(**values)
    payload = (await api_for(org).data(CANCEL, id=global_id("RevenueRebuildJob", job)))["jobCancel"]
    message = f"This job has already ended as {values['status']}, so it cannot be cancelled."
    assert payload == {"job": None, "userErrors": [{"code": "INVALID", "path": ["id"], "message": message}]}
    assert await org.owner.fetchval("SELECT status FROM relaties.job WHERE id = $1", job) == values["status"]


async def test_organization_has_at_most_a_thousand_unfinished_jobs(org: Tenant, sample_org: Tenant, api_for: Callable[..., Api]) -> None:
    """Jobs that have ended do not count, and neither do those of other organizations. A refused job leaves no row."""
    for _ in range(MAX_UNFINISHED - 1):
        await org.add_job()
    await org.add_job(**ENDED)
    payloads = [(await api_for(org).data(START, input={}))["revenueRebuildStart"] for _ in range(2)]
    assert [payload["userErrors"] for payload in payloads] == [[], [{"code": "TOO_MANY"}]]
    assert payloads[1]["job"] is None
    assert await org.owner.fetchval("SELECT count(*) FROM relaties.job WHERE tenant_id = $1", org.id) == MAX_UNFINISHED + 1
    assert (await api_for(sample_org).data(START, input={}))["revenueRebuildStart"]["userErrors"] == []


async def test_poll_is_one_statement_and_costs_few_points(org: Tenant, api_for: Callable[..., Api], statements: list[str]) -> None:
    """It reads the job by its primary key. `createdBy` would be a second statement."""
    job = global_id("RevenueRebuildJob", await org.add_job(**RUNNING))
    query = JOB.replace("createdBy { name }", "")
    body = (await api_for(org).post({"query": query, "variables": {"id": job}, "extensions": {"cost": True}})).json()
    assert body["data"]["job"]["status"] == "RUNNING"
    assert len([sql for sql in statements if "relaties.job" in sql]) == 1
    assert body["extensions"]["cost"]["actual"] == BASE_COST + 2


def test_every_kind_of_job_has_a_type_and_a_handler(schema: strawberry.Schema) -> None:
    types = [kind for kind in schema._schema.type_map.values() if isinstance(kind, GraphQLObjectType)]  # noqa: SLF001
    implementations = [kind.name for kind in types if "Job" in {each.name for each in kind.interfaces}]
    assert len(implementations) == len(JobKind) == len(build_handlers(FileLimits()))
