"""A client with 100,000 registrations and 5,000 invoices is deleted completely, without other changes and without growth of memory."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx
import psutil
import pytest

from db.tables import Role, Table
from tests.support.builders import create_tenant
from tests.support.databases import runtime_url
from tests.support.deletions import DELETE, DELETION_PREVIEW
from tests.support.full_client import archive_directly
from tests.support.ids import global_id
from tests.support.large_client import fill_client, table_sums
from tests.support.processes import run_server

pytestmark = pytest.mark.proof
REGISTRATIONS = 100_000
MOST_GROWTH = 10 * 2**20
WENT = {
    "projectCount": 50,
    "registrationCount": REGISTRATIONS,
    "invoiceCount": 5000,
    "paymentCount": 2500,
    "quoteCount": 0,
    "portalCount": 0,
}


async def test_large_client_is_deleted(
    fresh_database: Callable[[], Awaitable[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is deleted over HTTP in a server process. The time is printed but not checked."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    org = await create_tenant(owner)
    client, twin, small = await org.add_client("Groot"), await org.add_client("Tweeling"), await org.add_client("Klein")
    for key, many in ((client, REGISTRATIONS), (twin, REGISTRATIONS // 10), (small, 20)):
        await fill_client(owner, org, key, many)
    for key in (client, small):
        await archive_directly(org, key)
    await owner.execute("VACUUM ANALYZE")
    with run_server(DATABASE_URL=runtime_url(url), RELATIES_DATA_DIR=str(tmp_path)) as server:
        headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}
        process = psutil.Process(server.process.pid)
        async with httpx.AsyncClient(base_url=server.address, headers=headers, timeout=90) as http:
            await delete_client(http, global_id("Client", small))  # loads everything that is loaded on first use
            before, resident = await table_sums(owner, org, client), process.memory_info().rss
            took, payload = await delete_client(http, global_id("Client", client))
            growth = process.memory_info().rss - resident
    with capsys.disabled():
        print(f"\n100,000 registrations and 5,000 invoices deleted in {took:.1f} s, {growth / 2**20:.1f} MiB grown")  # noqa: T201 only printed
    assert {name: payload["deleted"][name] for name in WENT} == WENT
    assert growth < MOST_GROWTH
    after = await table_sums(owner, org, client)
    assert {name for name in before if before[name] != after[name]} == {"deletion_record", "outbox_event", "payment", "invoice_line"}
    for table in Table.metadata.sorted_tables:
        if "client_id" in table.columns:
            assert await owner.fetchval(f"SELECT count(*) FROM {table.fullname} WHERE client_id = $1", client) == 0, table.name
    remaining_counts = [await owner.fetchval(f"SELECT count(*) FROM relaties.{name}") for name in ("payment", "invoice_line")]
    assert remaining_counts == [REGISTRATIONS // 10 // 40, REGISTRATIONS // 10 // 10]
    await owner.close()


async def delete_client(http: httpx.AsyncClient, key: str) -> tuple[float, dict[str, dict[str, int]]]:
    """Delete the client, and return the seconds until the response and the payload."""
    preview_body = (await http.post("/graphql", json={"query": DELETION_PREVIEW, "variables": {"id": key}})).json()
    input_values = {
        "id": key,
        "previewToken": preview_body["data"]["client"]["deletionPreview"]["token"],
        "acknowledgeFiscalRetention": True,
    }
    began = perf_counter()
    body = (await http.post("/graphql", json={"query": DELETE, "variables": {"input": input_values}})).json()
    payload = body["data"]["clientDelete"]
    assert payload["userErrors"] == [], payload
    return perf_counter() - began, payload
