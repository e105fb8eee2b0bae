"""Metrics of a job worker for Prometheus: the unfinished jobs of all organizations, and what this worker has processed."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from db.engine.database import Database
from db.engine.errors import DRIVER_ERRORS
from domain.jobs.monitoring import count_jobs

REFRESH_INTERVAL_S = 5


class JobMetrics:
    """Metrics of a job worker, in their own registry. The counts are those of the last refresh."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._queued = Gauge("relaties_jobs_queued", "Jobs that wait, of all organizations.", registry=self.registry)
        self._running = Gauge("relaties_jobs_running", "Jobs that run, of all organizations.", registry=self.registry)
        self._oldest = Gauge("relaties_jobs_oldest_seconds", "Age of the oldest unfinished job.", registry=self.registry)
        self._entries = Counter("relaties_job_entries", "Entries that the jobs of this worker have processed.", registry=self.registry)
        self._rate = Gauge("relaties_job_entries_per_second", "Entries per second between the last two refreshes.", registry=self.registry)
        self._entry_count = 0
        ProcessCollector(registry=self.registry)

    def count_entries(self, count: int) -> None:
        self._entries.inc(count)
        self._entry_count += count

    async def watch(self, database: Database) -> None:
        """Refresh the counts every few seconds. They stay as they are while the database is unreachable."""
        while True:
            previous_count = self._entry_count
            with suppress(*DRIVER_ERRORS):
                await self.refresh(database)
            await asyncio.sleep(REFRESH_INTERVAL_S)
            self._rate.set((self._entry_count - previous_count) / REFRESH_INTERVAL_S)

    async def refresh(self, database: Database) -> None:
        """Count the unfinished jobs."""
        statistics = await count_jobs(database)
        self._queued.set(statistics.queued)
        self._running.set(statistics.running)
        oldest = statistics.oldest_created_at
        self._oldest.set(0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds())
