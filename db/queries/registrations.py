"""Queries of registrations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Date, Select, Text, Uuid, func, or_, select

from db.engine.protocols import Transaction
from db.engine.statement import Query
from db.rows import CountByIdRow, CountRow, RegistrationFinancialRow, RegistrationLabelRow, RegistrationRow
from db.sql.expressions import TENANT, col, columns, id_in, parameter, reference, requested_ids
from db.sql.fetchers import GroupFetcher, RowFetcher
from db.sql.pagination import Listing, PageSlice, SortKey, count_rows, fetch_counts, page_per_parent
from db.tables import Client, Label, Project, Registration, RegistrationKind, RegistrationLabel, RegistrationStatus
from db.tables.base import table_of


@dataclass(frozen=True)
class RegistrationFilter:
    """Criteria for registrations. All that are set must match."""

    kind: RegistrationKind | None = None
    status: RegistrationStatus | None = None
    is_billable: bool | None = None
    since: date | None = None
    until: date | None = None
    member_id: UUID | None = None

    @property
    def shape(self) -> tuple[str, ...]:
        """Return the names of the conditions in use. Filters with the same shape have the same SQL."""
        return tuple(name for name in CONDITIONS if getattr(self, name) is not None)

    @property
    def values(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.shape}


CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "kind": lambda: col(Registration.kind) == parameter("kind", Text()),
    "status": lambda: col(Registration.status) == parameter("status", Text()),
    "is_billable": lambda: col(Registration.is_billable) == parameter("is_billable", Boolean()),
    "since": lambda: col(Registration.registered_on) >= parameter("since", Date()),
    "until": lambda: col(Registration.registered_on) <= parameter("until", Date()),
    "member_id": lambda: col(Registration.member_id) == parameter("member_id", Uuid()),
}
PARENTS = {"client_id": col(Registration.client_id), "project_id": col(Registration.project_id)}
CLIENT = reference(Client, col(Registration.client_id))
PROJECT = reference(Project, col(Registration.project_id))
IS_ARCHIVED = or_(col(Client.archived_at).is_not(None), col(Project.archived_at).is_not(None))
NEWEST = SortKey(col(Registration.registered_on), Date(), col(Registration.id), "registered_on")


def _all_registrations() -> Select[*tuple[Any, ...]]:
    """Select the registrations, and whether the client or the project of each is archived."""
    rows = select(*columns(RegistrationRow, Registration, is_archived=IS_ARCHIVED)).select_from(table_of(Registration))
    return rows.join(*CLIENT).outerjoin(*PROJECT).where(col(Registration.tenant_id) == TENANT)


ALL = _all_registrations()
BY_ID = Query(ALL.where(id_in(col(Registration.id))), RegistrationRow)
FINANCIAL = Query(
    select(
        *columns(RegistrationFinancialRow, Registration, registration_id=col(Registration.id), invoice_method=col(Project.invoice_method))
    )
    .select_from(table_of(Registration))
    .outerjoin(*PROJECT)
    .where(col(Registration.tenant_id) == TENANT, id_in(col(Registration.id))),
    RegistrationFinancialRow,
)
LABELS = Query(
    select(*columns(RegistrationLabelRow, Label, registration_id=col(RegistrationLabel.registration_id)))
    .select_from(table_of(RegistrationLabel))
    .join(*reference(Label, col(RegistrationLabel.label_id)))
    .where(col(RegistrationLabel.tenant_id) == TENANT, id_in(col(RegistrationLabel.registration_id)))
    .order_by(col(RegistrationLabel.registration_id), col(Label.name_key), col(Label.id)),
    RegistrationLabelRow,
)

by_id, financials = RowFetcher(BY_ID), RowFetcher(FINANCIAL, "registration_id")
labels = GroupFetcher(LABELS, "registration_id")
"""Labels of each registration by name."""


def filter_conditions(shape: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [col(Registration.tenant_id) == TENANT, *(CONDITIONS[name]() for name in shape)]


@cache
def _page(shape: tuple[str, ...], *, is_ascending: bool, is_next: bool) -> Query[RegistrationRow]:
    return Listing(ALL, RegistrationRow, NEWEST).page(filter_conditions(shape), is_ascending=is_ascending, is_next=is_next)


async def page(tx: Transaction, criteria: RegistrationFilter, page_slice: PageSlice) -> list[RegistrationRow]:
    """Return a page of the organization's registrations that match, by day."""
    return await page_slice.fetch(tx, partial(_page, criteria.shape), **criteria.values)


@cache
def _page_per_parent(parent: str, shape: tuple[str, ...], *, is_ascending: bool, is_next: bool) -> Query[RegistrationRow]:
    statement = ALL.where(PARENTS[parent] == requested_ids.c.id, *filter_conditions(shape)[1:])
    return page_per_parent(statement, RegistrationRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


async def of_each(
    tx: Transaction, parent: str, ids: Sequence[UUID], criteria: RegistrationFilter, page_slice: PageSlice
) -> list[list[RegistrationRow]]:
    """Return a page of the matching registrations of each client or project, by day."""
    return await page_slice.fetch_per_parent(tx, partial(_page_per_parent, parent, criteria.shape), ids, parent, **criteria.values)


@cache
def _count(shape: tuple[str, ...]) -> Query[CountRow]:
    return count_rows(Registration, filter_conditions(shape))


async def count(tx: Transaction, criteria: RegistrationFilter) -> int:
    (row,) = await tx.fetch(_count(criteria.shape), **criteria.values)
    return row.count


@cache
def _count_of_each(parent: str, shape: tuple[str, ...]) -> Query[CountByIdRow]:
    count = (
        select(func.count())
        .select_from(table_of(Registration))
        .where(PARENTS[parent] == requested_ids.c.id, *filter_conditions(shape))
        .scalar_subquery()
    )
    return Query(select(requested_ids.c.id, count.label("count")), CountByIdRow)


async def counts(tx: Transaction, parent: str, ids: Sequence[UUID], criteria: RegistrationFilter) -> list[int]:
    """Count the matching registrations of each client or project."""
    return await fetch_counts(tx, _count_of_each(parent, criteria.shape), ids, **criteria.values)
