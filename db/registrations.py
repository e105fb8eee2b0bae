"""Queries of registrations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Date, Select, Text, Uuid, and_, func, or_, select

from db.engine import Tx
from db.fetching import ByKey, GroupsByKey
from db.paging import Listing, Place, Slice, counts_of, per_parent
from db.query import TENANT, Query, among, asked, col, columns, grouped, parameter, table_of
from db.rows import CountOfRow, CountRow, RegistrationFinancialRow, RegistrationLabelRow, RegistrationRow
from db.tables import Client, Label, Project, Registration, RegistrationKind, RegistrationLabel, RegistrationStatus


@dataclass(frozen=True)
class Filter:
    """Which registrations: all that is given holds."""

    kind: RegistrationKind | None = None
    status: RegistrationStatus | None = None
    is_billable: bool | None = None
    since: date | None = None
    until: date | None = None
    member_id: UUID | None = None

    @property
    def shape(self) -> tuple[str, ...]:
        """Which conditions are in use: one text of SQL a shape."""
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
OF_CLIENT = and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(Registration.client_id))
OF_PROJECT = and_(col(Project.tenant_id) == TENANT, col(Project.id) == col(Registration.project_id))
IS_ARCHIVED = or_(col(Client.archived_at).is_not(None), col(Project.archived_at).is_not(None))
NEWEST = Place(col(Registration.registered_on), Date(), col(Registration.id), "registered_on")


def _all() -> Select[*tuple[Any, ...]]:
    """Each with what tells whether its client or its project is archived."""
    rows = select(*columns(RegistrationRow, Registration, is_archived=IS_ARCHIVED)).select_from(table_of(Registration))
    return rows.join(table_of(Client), OF_CLIENT).outerjoin(table_of(Project), OF_PROJECT).where(col(Registration.tenant_id) == TENANT)


ALL = _all()
BY_ID = Query(ALL.where(among(col(Registration.id))), RegistrationRow)
FINANCIAL = Query(
    select(
        *columns(RegistrationFinancialRow, Registration, registration_id=col(Registration.id), invoice_method=col(Project.invoice_method))
    )
    .select_from(table_of(Registration))
    .outerjoin(table_of(Project), OF_PROJECT)
    .where(col(Registration.tenant_id) == TENANT, among(col(Registration.id))),
    RegistrationFinancialRow,
)
LABELS = Query(
    select(*columns(RegistrationLabelRow, Label, registration_id=col(RegistrationLabel.registration_id)))
    .select_from(table_of(RegistrationLabel))
    .join(table_of(Label), and_(col(Label.tenant_id) == TENANT, col(Label.id) == col(RegistrationLabel.label_id)))
    .where(col(RegistrationLabel.tenant_id) == TENANT, among(col(RegistrationLabel.registration_id)))
    .order_by(col(RegistrationLabel.registration_id), col(Label.name_key), col(Label.id)),
    RegistrationLabelRow,
)

by_id, financial = ByKey(BY_ID), ByKey(FINANCIAL, "registration_id")
labels = GroupsByKey(LABELS, "registration_id")
"""Labels of each registration by name."""


def those(shape: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [col(Registration.tenant_id) == TENANT, *(CONDITIONS[name]() for name in shape)]


@cache
def _page(shape: tuple[str, ...], *, is_ascending: bool, is_next: bool) -> Query[RegistrationRow]:
    return Listing(ALL, RegistrationRow, NEWEST).page(those(shape), is_ascending=is_ascending, is_next=is_next)


async def page(tx: Tx, wanted: Filter, part: Slice) -> list[RegistrationRow]:
    """Registrations of the organization by day."""
    return await part.fetch(tx, partial(_page, wanted.shape), **wanted.values)


@cache
def _of_each(parent: str, shape: tuple[str, ...], *, is_ascending: bool, is_next: bool) -> Query[RegistrationRow]:
    each = ALL.where(PARENTS[parent] == asked.c.id, *those(shape)[1:])
    return per_parent(each, RegistrationRow, NEWEST, is_ascending=is_ascending, is_next=is_next)


async def of_each(tx: Tx, parent: str, ids: Sequence[UUID], wanted: Filter, part: Slice) -> list[list[RegistrationRow]]:
    """Return the registrations of each client or project by day."""
    found = await part.fetch(tx, partial(_of_each, parent, wanted.shape), ids=ids, **wanted.values)
    return grouped(found, ids, parent)


@cache
def _count(shape: tuple[str, ...]) -> Query[CountRow]:
    return Query(select(func.count().label("count")).select_from(table_of(Registration)).where(*those(shape)), CountRow)


async def count(tx: Tx, wanted: Filter) -> int:
    (found,) = await tx.fetch(_count(wanted.shape), **wanted.values)
    return found.count


@cache
def _count_of_each(parent: str, shape: tuple[str, ...]) -> Query[CountOfRow]:
    count = select(func.count()).select_from(table_of(Registration)).where(PARENTS[parent] == asked.c.id, *those(shape)).scalar_subquery()
    return Query(select(asked.c.id, count.label("count")), CountOfRow)


async def counts(tx: Tx, parent: str, ids: Sequence[UUID], wanted: Filter) -> list[int]:
    """How many of them each client or project has."""
    return await counts_of(tx, _count_of_each(parent, wanted.shape), ids, **wanted.values)
