"""Measure exports: the time and the memory for 100,000 clients, and what they cost another organization.

    python -m benchmarks.exports [--clients 100000] [--seconds 20] [--keep FOLDER]

Each export has 12 columns, two of them revenue. A job worker of its own runs them, whose memory is read while it is idle and during each
export. In the meantime, one connection sends Q2 to the demo organization, each time as soon as the last one is answered. The idle runs come
before and after the exports, so that their difference shows the spread of the machine.
"""

import argparse
import asyncio
import time
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil

from benchmarks.demo_database import DemoDatabase, run_demo_database
from benchmarks.jobs import MAX_RATIO, describe, measure_q2
from benchmarks.load import Target
from benchmarks.machine import print_load
from benchmarks.servers import RAISED_LIMITS, run_relaties
from db.tables import Role
from tests.support.builders import Tenant, create_tenant
from tests.support.large_organization import (
    ADDRESSES,
    ALL_LABELS,
    ALLOCATIONS,
    CLIENT_LABELS,
    CLIENTS,
    INVOICES,
    PAYMENTS,
    fill_organization,
)

FIELDS = ("NAME", "NUMBER", "KIND", "EMAIL", "PHONE", "PRIMARY_LINE1", "PRIMARY_CITY", "PRIMARY_COUNTRY", "VAT_NUMBER", "LABELS")
REVENUE = (
    '{revenue: {measure: INVOICED, period: {since: "2024-01-01", until: "2024-12-31"}}}',
    "{revenue: {measure: OUTSTANDING}}",
)
COLUMNS = " ".join([*(f"{{field: {field}}}" for field in FIELDS), *REVENUE])
MAX_SECONDS = {"XLSX": 60, "CSV": 20}
MAX_MEMORY_MIB = 100
MIB = 2**20


async def prepare_organization(database: DemoDatabase, clients: int) -> Tenant:
    owner = await asyncpg.connect(database.owner_url)
    org = await create_tenant(owner, "With exports")
    tables = (CLIENTS, ADDRESSES, ALL_LABELS, CLIENT_LABELS, INVOICES, PAYMENTS, ALLOCATIONS)
    await fill_organization(owner, org, clients, tables)
    await owner.execute("VACUUM ANALYZE", timeout=3600)
    await owner.close()
    return org


class MemoryMonitor:
    """The memory of the job worker of a server: the anonymous pages of its process, and the most of them that was seen."""

    def __init__(self, server_pid: int) -> None:
        children = psutil.Process(server_pid).children(recursive=True)
        self._worker = next(each for each in children if "worker" in each.cmdline())
        self.idle = self.most = self.read()

    def read(self) -> int:
        memory: int = self._worker.memory_full_info().uss
        return memory

    async def watch(self) -> None:
        while True:
            self.most = max(self.most, self.read())
            await asyncio.sleep(0.1)


async def start_export(target: Target, file_format: str) -> str:
    document = f"mutation {{ clientExportStart(input: {{format: {file_format}, columns: [{COLUMNS}]}}) {{ job {{ id }} }} }}"
    key: str = (await target.post({"query": document}))["data"]["clientExportStart"]["job"]["id"]  # type: ignore[index]
    return key


async def measure_export(target: Target, other: Target, file_format: str, memory: MemoryMonitor, seconds: float) -> float:
    """Run an export and print its time and memory. Return the p99 of Q2 in the meantime."""
    watching = asyncio.create_task(memory.watch())
    start = time.perf_counter()
    key = await start_export(other, file_format)
    durations = await measure_q2(target, (other, key), seconds)
    elapsed = time.perf_counter() - start
    watching.cancel()
    print(f"{file_format}: {elapsed:.1f} s; at most {MAX_SECONDS[file_format]} is the aim")
    return describe(f"with {file_format}", durations)


async def main(database: DemoDatabase, clients: int, seconds: float) -> None:
    org = await prepare_organization(database, clients)
    with run_relaties(database, **RAISED_LIMITS) as server:
        target = server.target
        other = replace(target, token=org.tokens[Role.OWNER])
        before = describe("idle", await measure_q2(target, None, seconds))
        memory = MemoryMonitor(server.process.pid)
        during = [await measure_export(target, other, file_format, memory, seconds) for file_format in MAX_SECONDS]
        after = describe("idle", await measure_q2(target, None, seconds))
    print(f"memory of the idle worker {memory.idle / MIB:.0f} MiB, at most {(memory.most - memory.idle) / MIB:.0f} MiB more")
    print(f"at most {MAX_MEMORY_MIB} MiB more is the aim")
    print(f"p99 with an export is {max(during) / ((before + after) / 2):.2f} times the idle p99; at most {MAX_RATIO} is the aim")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000, help="clients of the organization with the exports")
    parser.add_argument("--seconds", type=float, default=20, help="seconds of each idle run")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_demo_database(options.keep) as demo_database:
        asyncio.run(main(demo_database, options.clients, options.seconds))
    print_load()
