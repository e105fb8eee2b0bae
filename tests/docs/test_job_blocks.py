"""Run the blocks of the page on background jobs in order, with a job worker that runs a chunk after some of them."""

import json
import os
from collections.abc import Awaitable, Callable

import strawberry

from db.tables import JobKind, Role
from domain.files import FileLimits
from server.jobs.handlers import build_handlers
from tests.docs.answers import format_answer, replace_answer
from tests.support.api import Api, connect_client
from tests.support.builders import create_tenant
from tests.support.ids import global_id
from tests.support.jobs import open_job_database
from tests.support.large_organization import CLIENTS, fill_organization
from tests.support.pages import BLOCKS, find_answer

JOB_BLOCKS = [block for block in BLOCKS if (block.kind, block.environment) == ("graphql", "jobs")]
CLIENT_COUNT = 1_001
CHUNKS_BEFORE = {1: 1, 2: 2}  # by block


async def test_job_page_has_the_actual_answers(fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema) -> None:
    """With RELATIES_TEST_ANSWERS=1, write the actual answers into the page instead."""
    async with open_job_database(await fresh_database()) as jobs:
        org = await create_tenant(jobs.owner)
        await fill_organization(jobs.owner, org, CLIENT_COUNT, (CLIENTS,))
        worker = await jobs.worker(build_handlers(FileLimits())[JobKind.REVENUE_REBUILD])
        async with connect_client(schema, jobs.database) as http:
            api, variables = Api(http, org.tokens[Role.OWNER]), dict[str, object]()
            for number, block in enumerate(JOB_BLOCKS):
                for _ in range(CHUNKS_BEFORE.get(number, 0)):
                    await worker.step()
                documented = find_answer(block)
                assert documented
                answer = await api.data(block.text, **(variables if "$id" in block.text else {}))
                job = await jobs.owner.fetchval("SELECT id FROM relaties.job WHERE tenant_id = $1", org.id)
                variables["id"] = global_id("RevenueRebuildJob", job)
                if os.environ.get("RELATIES_TEST_ANSWERS"):
                    replace_answer(documented, format_answer(answer))
                else:
                    assert answer == json.loads(documented.text)
