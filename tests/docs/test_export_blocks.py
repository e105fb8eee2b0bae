"""Run the blocks of the page on exports in order: the start, a poll while a worker writes the file, a poll after it, and the download."""

import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import strawberry

from tests.docs.answers import format_answer, replace_answer
from tests.support.exports import open_export_case, pausing_handler
from tests.support.jobs import open_job_database
from tests.support.large_organization import ALLOCATIONS, CLIENTS, INVOICES, PAYMENTS, fill_organization
from tests.support.pages import BLOCKS, Block, find_answer

START, POLL, RESULT = [block for block in BLOCKS if (block.kind, block.environment) == ("graphql", "exports")]
(FILE,) = [block for block in BLOCKS if (block.kind, block.environment) == ("csv", "exports")]
CLIENT_COUNT = 1_001
# What differs from run to run, and what the page shows for it.
EXAMPLES = {
    r"clients-[\d-]+\.csv": "clients-2026-01-31-0930.csv",
    r"/downloads/[\w-]+": "/downloads/0192aac3bd4170f4a2c1…",
    r"\d{4}-\d{2}-\d{2}T[\d:.]+Z": "2026-02-01T08:30:12.000Z",
}


def check_answer(block: Block, answer: Any) -> None:  # noqa: ANN401 JSON
    text, documented = json.dumps(answer, ensure_ascii=False), find_answer(block)
    for pattern, example in EXAMPLES.items():
        text = re.sub(pattern, example, text)
    assert documented
    if os.environ.get("RELATIES_TEST_ANSWERS"):
        replace_answer(documented, format_answer(json.loads(text)))
    else:
        assert json.loads(text) == json.loads(documented.text)


async def test_export_page_has_the_actual_answers(
    fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema, tmp_path: Path
) -> None:
    """With RELATIES_TEST_ANSWERS=1, write the actual answers into the page instead."""
    async with open_job_database(await fresh_database()) as jobs, open_export_case(jobs, schema, tmp_path) as case:
        await fill_organization(jobs.owner, case.org, CLIENT_COUNT, (CLIENTS, INVOICES, PAYMENTS, ALLOCATIONS))

        async def poll(count: int) -> None:
            if count == CLIENT_COUNT:  # the part before is recorded
                check_answer(POLL, await case.api.data(POLL.text, id=key))

        worker = await jobs.worker(pausing_handler(poll), tmp_path)
        check_answer(START, await case.api.data(START.text))
        key = (await case.api.data("{ jobs { nodes { id } } }"))["jobs"]["nodes"][0]["id"]
        await worker.work_off()
        assert worker.errors == []
        result = await case.api.data(RESULT.text, id=key)
        check_answer(RESULT, result)
        download = await case.api.http.get(result["job"]["downloadUrl"])
        assert (download.status_code, download.content) == (200, await case.stored_content())
        lines = download.content.decode().split("\r\n")
        assert lines[: FILE.text.count("\n")] == FILE.text.splitlines()
        assert len(lines) == CLIENT_COUNT + 2
