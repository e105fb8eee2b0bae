"""A client of 100,000 registrations and 5,000 invoices is deleted: nothing of it is left, all else is as it was, memory is flat."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx
import psutil
import pytest

from db.tables import Role, Table
from tests.api.test_client_delete import ASK, DELETE
from tests.builders import tenant
from tests.commands import serving
from tests.conftest import runtime_url
from tests.full_clients import archived
from tests.ids import global_id
from tests.large_clients import sums, worked

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


async def test_a_client_with_much_is_deleted(
    fresh_database: Callable[[], Awaitable[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the server's own process, as over HTTP; how long it took is printed, not judged."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    org = await tenant(owner)
    client, twin, small = await org.add_client("Groot"), await org.add_client("Tweeling"), await org.add_client("Klein")
    for key, many in ((client, REGISTRATIONS), (twin, REGISTRATIONS // 10), (small, 20)):
        await worked(owner, org, key, many)
    for key in (client, small):
        await archived(org, key)
    await owner.execute("VACUUM ANALYZE")
    with serving(DATABASE_URL=runtime_url(url), RELATIES_DATA_DIR=str(tmp_path)) as server:
        headers = {"authorization": f"Bearer {org.tokens[Role.OWNER]}"}
        process = psutil.Process(server.process.pid)
        async with httpx.AsyncClient(base_url=server.address, headers=headers, timeout=90) as http:
            await deleted(http, global_id("Client", small))  # all that is loaded on first use
            before, resident = await sums(owner, org, client), process.memory_info().rss
            took, payload = await deleted(http, global_id("Client", client))
            grown = process.memory_info().rss - resident
    with capsys.disabled():
        print(f"\n100,000 registrations and 5,000 invoices deleted in {took:.1f} s, {grown / 2**20:.1f} MiB grown")  # noqa: T201 a figure
    assert {name: payload["deleted"][name] for name in WENT} == WENT
    assert grown < MOST_GROWTH
    after = await sums(owner, org, client)
    assert {name for name in before if before[name] != after[name]} == {"deletion_record", "outbox_event", "payment", "invoice_line"}
    for table in Table.metadata.sorted_tables:
        if "client_id" in table.columns:
            assert await owner.fetchval(f"SELECT count(*) FROM {table.fullname} WHERE client_id = $1", client) == 0, table.name
    left = [await owner.fetchval(f"SELECT count(*) FROM relaties.{name}") for name in ("payment", "invoice_line")]
    assert left == [REGISTRATIONS // 10 // 40, REGISTRATIONS // 10 // 10]
    await owner.close()


async def deleted(http: httpx.AsyncClient, key: str) -> tuple[float, dict[str, dict[str, int]]]:
    """How many seconds the answer took, and the payload."""
    asked = (await http.post("/graphql", json={"query": ASK, "variables": {"id": key}})).json()
    given = {"id": key, "previewToken": asked["data"]["client"]["deletionPreview"]["token"], "acknowledgeFiscalRetention": True}
    began = perf_counter()
    body = (await http.post("/graphql", json={"query": DELETE, "variables": {"input": given}})).json()
    payload = body["data"]["clientDelete"]
    assert payload["userErrors"] == [], payload
    return perf_counter() - began, payload
