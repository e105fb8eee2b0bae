"""Measure what a job of one organization costs another: the time of Q2 while the revenue of 100,000 clients is rebuilt, and without it.

    python -m benchmarks.jobs [--clients 100000] [--seconds 20] [--keep FOLDER]

All stored balances are wrong before, so the job rebuilds each of them. One connection sends Q2 to the demo organization, each time as soon
as the last one is answered. The idle runs come before and after the job, so that their difference shows the spread of the machine.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

import asyncpg

from benchmarks.demo_database import DemoDatabase, run_demo_database
from benchmarks.load import Target, exchange
from benchmarks.machine import print_load
from benchmarks.queries import FIRST_CLIENT, build_queries
from benchmarks.servers import RAISED_LIMITS, run_relaties
from db.tables import Role
from tests.support.builders import Tenant, create_tenant
from tests.support.large_organization import ALLOCATIONS, CLIENTS, INVOICES, PAYMENTS, fill_organization

START = {"query": "mutation { revenueRebuildStart(input: {}) { job { id } } }"}
POLL = "query ($id: ID!) { job(id: $id) { status progress { done total rate } } }"
MAX_RATIO = 3


async def prepare_organization(database: DemoDatabase, clients: int) -> Tenant:
    """Create an organization whose stored balances are all wrong."""
    owner = await asyncpg.connect(database.owner_url)
    org = await create_tenant(owner, "With a job")
    await fill_organization(owner, org, clients, (CLIENTS, INVOICES, PAYMENTS, ALLOCATIONS))
    await owner.execute("UPDATE relaties.client_month SET invoiced = invoiced + 1 WHERE tenant_id = $1", org.id, timeout=3600)
    await owner.execute("VACUUM ANALYZE", timeout=3600)
    await owner.close()
    return org


async def measure_q2(target: Target, job: tuple[Target, str] | None, seconds: float) -> list[float]:
    """Return the durations of Q2 in milliseconds: until the job has ended, or for some seconds without a job."""
    client = (await target.post({"query": FIRST_CLIENT}))["data"]["clients"]["edges"][0]["node"]["id"]  # type: ignore[index]
    request = target.build_request(build_queries(client)["Q2"].build_body())
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**20)
    durations, until, next_poll = list[float](), time.perf_counter() + seconds, time.perf_counter()
    try:
        while True:
            start = time.perf_counter()
            await exchange(reader, writer, request)
            durations.append((time.perf_counter() - start) * 1000)
            if job is None and start >= until:
                return durations
            if job and start >= next_poll:
                next_poll = start + 1
                if await has_ended(*job):
                    return durations
    finally:
        writer.close()


async def has_ended(target: Target, key: str) -> bool:
    job = (await target.post({"query": POLL, "variables": {"id": key}}))["data"]["job"]  # type: ignore[index]
    if job["status"] in {"QUEUED", "RUNNING"}:
        return False
    print(f"job: {job}")
    return True


def describe(name: str, durations: Sequence[float]) -> float:
    p99 = quantiles(durations, n=100)[98]
    print(f"{name:12} {len(durations):7} requests   median {median(durations):7.2f} ms   p99 {p99:7.2f} ms   max {max(durations):7.2f} ms")
    return p99


async def main(database: DemoDatabase, clients: int, seconds: float) -> None:
    org = await prepare_organization(database, clients)
    with run_relaties(database, **RAISED_LIMITS) as server:
        target = server.target
        other = replace(target, token=org.tokens[Role.OWNER])
        before = describe("idle", await measure_q2(target, None, seconds))
        started = await other.post(START)
        key = started["data"]["revenueRebuildStart"]["job"]["id"]  # type: ignore[index]
        during = describe("with the job", await measure_q2(target, (other, key), seconds))
        after = describe("idle", await measure_q2(target, None, seconds))
    print(f"p99 with the job is {during / ((before + after) / 2):.2f} times the idle p99; at most {MAX_RATIO} is the aim")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000, help="clients of the organization with the job")
    parser.add_argument("--seconds", type=float, default=20, help="seconds of each idle run")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_demo_database(options.keep) as demo_database:
        asyncio.run(main(demo_database, options.clients, options.seconds))
    print_load()
