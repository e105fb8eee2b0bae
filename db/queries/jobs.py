"""Queries of background jobs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Text, Uuid, any_, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlmodel import select as select_entities

from db.engine.database import Database
from db.engine.protocols import Transaction, UnitOfWork
from db.engine.statement import Command, Query
from db.rows import CountRow, DueJobRow, IdRow, JobRow, JobStatisticsRow, RequesterRow
from db.sql.expressions import TENANT, col, columns, enum_literal, id_in, parameter, reference
from db.sql.fetchers import RowFetcher
from db.sql.pagination import Listing, PageSlice, count_rows, in_order_of_ids
from db.tables import SCHEMA, ApiToken, File, Job, JobKind, JobStatus, Member
from db.tables.base import table_of
from db.tables.timestamps import now

JOB, OWNER = parameter("job", Uuid()), parameter("owner", Uuid())
NOW, LEASE_UNTIL = (parameter(name, TIMESTAMP(timezone=True)) for name in ("now", "lease_until"))
ZERO, ONE = literal_column("0", Integer()), literal_column("1", Integer())
RUNNING = enum_literal(JobStatus.RUNNING)
HAS_FIGURES = literal_column("'has_figures'", Text())
IS_UNFINISHED = col(Job.status).op("IN")(literal_column(f"('{JobStatus.QUEUED}', '{JobStatus.RUNNING}')"))  # as the index has it
ALL = select(*columns(JobRow, Job)).where(col(Job.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Job.id))), JobRow).always_select("id", "kind", "member_id", "token_id")
DUE = Query(
    select(*columns(DueJobRow, Job, warning_count=func.cardinality(col(Job.warnings))))
    .where(col(Job.tenant_id) == TENANT, IS_UNFINISHED)
    .order_by(col(Job.status).desc(), col(Job.id))  # a running one first: an older one may have been committed since
    .limit(ONE),
    DueJobRow,
)
UNFINISHED_COUNT = count_rows(Job, [col(Job.tenant_id) == TENANT, IS_UNFINISHED])
REQUESTER = Query(
    select(
        *columns(
            RequesterRow,
            Job,
            member_role=col(Member.role),
            member_is_active=col(Member.is_active),
            token_role=col(ApiToken.role),
            scope=col(ApiToken.scope),
            expires_at=col(ApiToken.expires_at),
            revoked_at=col(ApiToken.revoked_at),
        )
    )
    .select_from(table_of(Job))
    .outerjoin(*reference(Member, col(Job.member_id)))
    .outerjoin(*reference(ApiToken, col(Job.token_id)))
    .where(col(Job.tenant_id) == TENANT, col(Job.id) == JOB),
    RequesterRow,
)
CLAIM = Command(
    update(table_of(Job))
    .where(col(Job.tenant_id) == TENANT, col(Job.id) == JOB, IS_UNFINISHED)
    .values(
        status=RUNNING,
        owner=OWNER,
        lease_until=LEASE_UNTIL,
        attempts=col(Job.attempts) + ONE,
        started_at=func.coalesce(col(Job.started_at), NOW),
    ),
    "claim of a job",
)
RECORD_CHUNK = Command(
    update(table_of(Job))
    .where(col(Job.tenant_id) == TENANT, col(Job.id) == JOB, col(Job.status) == RUNNING, col(Job.owner) == OWNER)
    .values(
        cursor=parameter("cursor", Text()),
        done_count=col(Job.done_count) + parameter("count", Integer()),
        total=parameter("total", Integer()),
        warnings=func.array_cat(col(Job.warnings), parameter("warnings", ARRAY(Text()))),
        attempts=ZERO,
        lease_until=LEASE_UNTIL,
    ),
    "progress of a job",
)
RECORD_RUN = Command(
    update(table_of(Job))
    .where(col(Job.tenant_id) == TENANT, col(Job.id) == JOB, col(Job.status) == RUNNING, col(Job.owner) == OWNER)
    .values(
        cursor=parameter("cursor", Text()),
        done_count=parameter("count", Integer()),
        total=parameter("total", Integer()),
        attempts=parameter("attempts", Integer()),
        lease_until=LEASE_UNTIL,
    ),
    "progress of a run",
)
RELEASE = Command(
    update(table_of(Job))
    .where(col(Job.tenant_id) == TENANT, col(Job.id) == JOB, col(Job.status) == RUNNING, col(Job.owner) == OWNER)
    .values(attempts=parameter("attempts", Integer()), lease_until=LEASE_UNTIL),
    "release of a job",
)
# A job whose input does not say whether it has figures counts as one that has.
WITH_FIGURES = Query(
    select(*columns(IdRow, Job)).where(
        col(Job.tenant_id) == TENANT,
        id_in(col(Job.id)),
        col(Job.input).op("->>", return_type=Text())(HAS_FIGURES).is_distinct_from(literal_column("'false'", Text())),
    ),
    IdRow,
)
WITH_FILES = Query(
    select(*columns(IdRow, Job))
    .select_from(table_of(File))
    .join(*reference(Job, col(File.job_id)))
    .where(
        col(File.tenant_id) == TENANT,
        col(Job.kind) == parameter("kind", Text()),
        col(File.created_at) >= parameter("since", TIMESTAMP(timezone=True)),
    )
    .order_by(col(Job.id)),
    IdRow,
)
# Functions of the database that read the jobs of all organizations, which row-level security hides from the server.
WITHOUT_MESSAGE = f"SELECT id FROM {SCHEMA}.organizations_without_message()"  # noqa: S608 a constant of ours
STATISTICS = f"SELECT queued, running, oldest_created_at FROM {SCHEMA}.job_statistics()"  # noqa: S608 a constant of ours

by_id = RowFetcher(BY_ID)


@dataclass(frozen=True)
class JobFilter:
    """Criteria for jobs. All that are set must match."""

    kinds: tuple[JobKind, ...] | None = None
    statuses: tuple[JobStatus, ...] | None = None
    member_id: UUID | None = None
    token_id: UUID | None = None

    @property
    def shape(self) -> tuple[str, ...]:
        """Return the names of the conditions in use. Filters with the same shape have the same SQL."""
        return tuple(name for name in CONDITIONS if getattr(self, name) is not None)

    @property
    def values(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.shape}


CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "kinds": lambda: col(Job.kind) == any_(parameter("kinds", ARRAY(Text()))),
    "statuses": lambda: col(Job.status) == any_(parameter("statuses", ARRAY(Text()))),
    "member_id": lambda: col(Job.member_id) == parameter("member_id", Uuid()),
    "token_id": lambda: col(Job.token_id) == parameter("token_id", Uuid()),
}


def _filter_conditions(shape: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [col(Job.tenant_id) == TENANT, *(CONDITIONS[name]() for name in shape)]


@cache
def _page(shape: tuple[str, ...], *, is_ascending: bool, is_next: bool) -> Query[JobRow]:
    listing = Listing(ALL, JobRow, in_order_of_ids(Job))
    query = listing.page(_filter_conditions(shape), is_ascending=is_ascending, is_next=is_next)
    return query.always_select("id", "kind", "member_id", "token_id")


async def page(tx: Transaction, criteria: JobFilter, page_slice: PageSlice) -> list[JobRow]:
    """Return a page of the organization's jobs that match, in the order of their creation."""
    return await page_slice.fetch(tx, partial(_page, criteria.shape), **criteria.values)


@cache
def _count(shape: tuple[str, ...]) -> Query[CountRow]:
    return count_rows(Job, _filter_conditions(shape))


async def counts(tx: Transaction, filters: Sequence[JobFilter]) -> list[int]:
    """Return the number of jobs that each filter finds."""
    results = [await tx.fetch(_count(each.shape), **each.values) for each in filters]
    return [row.count for (row,) in results]


async def find_due(tx: Transaction) -> DueJobRow | None:
    """Return the running job of the organization, or else its oldest queued one."""
    return next(iter(await tx.fetch(DUE)), None)


async def count_unfinished(tx: Transaction) -> int:
    """Return the number of queued and running jobs of the organization."""
    (row,) = await tx.fetch(UNFINISHED_COUNT)
    return row.count


async def find_requester(tx: Transaction, job_id: UUID) -> RequesterRow | None:
    return next(iter(await tx.fetch(REQUESTER, job=job_id)), None)


@dataclass(frozen=True)
class Claim:
    """A claim of a job by a worker, which others respect until `lease_until`."""

    job: UUID
    owner: UUID
    lease_until: datetime


async def claim(work: UnitOfWork, claim: Claim) -> bool:
    """Claim an unfinished job and count the attempt. Return False if the job has ended meanwhile."""
    return await work.execute(CLAIM, **vars(claim), now=now()) == 1


async def record_chunk(work: UnitOfWork, claim: Claim, **progress: object) -> bool:
    """Record the progress of a chunk: `total`, `count`, `cursor` and `warnings`. Renew the claim.

    Return False if the job has ended meanwhile, or if another worker has claimed it.
    """
    return await work.execute(RECORD_CHUNK, **vars(claim), **progress) == 1


async def record_run(work: UnitOfWork, claim: Claim, **progress: object) -> bool:
    """Record the progress of an uninterrupted run: `count`, `total`, `cursor` and `attempts`. Renew the claim.

    Return False if the job has ended meanwhile, or if another worker has claimed it.
    """
    return await work.execute(RECORD_RUN, **vars(claim), **progress) == 1


async def release(work: UnitOfWork, claim: Claim, attempts: int) -> None:
    """Set the number of attempts back, because the worker stops and the job is not to blame."""
    await work.execute(RELEASE, **vars(claim), attempts=attempts)


async def lock_unfinished(work: UnitOfWork, kind: JobKind) -> list[Job]:
    """Lock the unfinished jobs of a kind. It waits for those that end meanwhile, and leaves them out.

    The lock is FOR NO KEY UPDATE: a transaction that stores the file of a job refers to the job's row for seconds before it ends the job.
    """
    statement = select_entities(Job).where(col(Job.tenant_id) == work.tenant, IS_UNFINISHED, col(Job.kind) == kind).order_by(col(Job.id))
    return [*await work.session.exec(statement.with_for_update(key_share=True).execution_options(populate_existing=True))]


async def with_figures(tx: Transaction, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the exports that have columns with figures."""
    return frozenset(row.id for row in await tx.fetch(WITH_FIGURES, ids=ids))


async def find_with_files(tx: Transaction, kind: JobKind, since: datetime) -> list[UUID]:
    """Return the jobs of a kind that have a file which was made since then, also an expired one."""
    return [row.id for row in await tx.fetch(WITH_FILES, kind=kind, since=since)]


async def find_without_message(database: Database) -> list[UUID]:
    """Return the organizations that have unfinished jobs but no message in the queue."""
    return [row.id for row in await database.fetch_across_tenants(WITHOUT_MESSAGE, IdRow)]


async def statistics(database: Database) -> JobStatisticsRow:
    (row,) = await database.fetch_across_tenants(STATISTICS, JobStatisticsRow)
    return row
