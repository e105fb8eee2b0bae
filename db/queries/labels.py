"""Queries of labels."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CompoundSelect, DateTime, Select, Uuid, func, or_, select, union, update

from db.engine.protocols import Transaction, UnitOfWork
from db.engine.statement import Command, Query
from db.rows import ClientLabelRow, IdRow, LabelRow, LockedUsesRow
from db.sql.expressions import TENANT, col, columns, enum_literal, id_in, parameter, reference
from db.sql.fetchers import GroupFetcher, RowFetcher
from db.sql.pagination import Listing, in_order_of_names
from db.sql.search import NameListing
from db.tables import Client, ClientLabel, Label, Project, Registration, RegistrationLabel, RegistrationStatus
from db.tables.base import table_of

ALL = select(*columns(LabelRow, Label)).where(col(Label.tenant_id) == TENANT)
BY_ID = Query(ALL.where(id_in(col(Label.id))), LabelRow).always_select("id")
BY_NAME = NameListing(Label, Listing(ALL, LabelRow, in_order_of_names(Label)))
page, counts, by_id = BY_NAME.page, BY_NAME.counts, RowFetcher(BY_ID)
OF_CLIENTS = Query(
    select(*columns(ClientLabelRow, Label, client_id=col(ClientLabel.client_id)))
    .select_from(table_of(ClientLabel))
    .join(*reference(Label, col(ClientLabel.label_id)))
    .where(col(ClientLabel.tenant_id) == TENANT, id_in(col(ClientLabel.client_id), is_planned_once=True))
    .order_by(col(ClientLabel.client_id), col(Label.name_key), col(Label.id)),
    ClientLabelRow,
).always_select("id", "client_id")
of_clients = GroupFetcher(OF_CLIENTS, "client_id")
"""Labels of each client by name."""

LABEL = parameter("label", Uuid())
LOCKED_STATUSES = (RegistrationStatus.APPROVED, RegistrationStatus.INVOICED, RegistrationStatus.WRITTEN_OFF)
OF_CLIENT = col(ClientLabel.tenant_id) == TENANT, col(ClientLabel.label_id) == LABEL
OF_REGISTRATION = col(RegistrationLabel.tenant_id) == TENANT, col(RegistrationLabel.label_id) == LABEL
LABELLED_REGISTRATIONS = (
    select(col(Registration.id), col(Registration.client_id), col(Registration.project_id), col(Registration.status))
    .select_from(table_of(RegistrationLabel))
    .join(*reference(Registration, col(RegistrationLabel.registration_id)))
    .where(*OF_REGISTRATION)
    .subquery("label_use")
)


def _lock_rows(
    table: type[Client | Project | Registration],
    ids: Select[tuple[UUID]] | CompoundSelect[tuple[UUID]],
    *,
    is_changed: bool = False,
) -> Query[IdRow]:
    """Return the query that locks rows FOR SHARE, or FOR NO KEY UPDATE if they are to be changed, in the order of their ids."""
    statement = select(col(table.id)).where(col(table.tenant_id) == TENANT, col(table.id).in_(ids)).order_by(col(table.id))
    return Query(statement.with_for_update(read=not is_changed, key_share=is_changed), IdRow)


LOCKS = {
    # Of the clients, `MARK_CLIENTS_UPDATED` changes some. Two deletions with share locks on the same client would deadlock there.
    "clients": _lock_rows(
        Client,
        union(select(col(ClientLabel.client_id)).where(*OF_CLIENT), select(LABELLED_REGISTRATIONS.c.client_id)),
        is_changed=True,
    ),
    "projects": _lock_rows(Project, select(LABELLED_REGISTRATIONS.c.project_id)),
    "registrations": _lock_rows(Registration, select(LABELLED_REGISTRATIONS.c.id)),
}
MARK_CLIENTS_UPDATED = Command(
    update(table_of(Client))
    .where(col(Client.tenant_id) == TENANT, col(Client.id).in_(select(col(ClientLabel.client_id)).where(*OF_CLIENT)))
    .values(updated_at=parameter("updated_at", DateTime(timezone=True))),
    "clients of a label",
)
LOCKED_USES = Query(
    select(
        select(func.count())
        .select_from(table_of(ClientLabel))
        .join(*reference(Client, col(ClientLabel.client_id)))
        .where(*OF_CLIENT, col(Client.archived_at).is_not(None))
        .scalar_subquery()
        .label("clients"),
        select(func.count())
        .select_from(LABELLED_REGISTRATIONS)
        .join(*reference(Client, LABELLED_REGISTRATIONS.c.client_id))
        .outerjoin(*reference(Project, LABELLED_REGISTRATIONS.c.project_id))
        .where(
            or_(
                col(Client.archived_at).is_not(None),
                col(Project.archived_at).is_not(None),
                *(LABELLED_REGISTRATIONS.c.status == enum_literal(status) for status in LOCKED_STATUSES),
            )
        )
        .scalar_subquery()
        .label("registrations"),
    ),
    LockedUsesRow,
)


async def lock_labelled(tx: Transaction, label_id: UUID) -> None:
    """Lock the clients and registrations that have the label, and their projects, until the transaction ends."""
    for query in LOCKS.values():
        await tx.fetch(query, label=label_id)


async def mark_clients_updated(work: UnitOfWork, label_id: UUID, updated_at: datetime) -> None:
    """Set the time of the last change of the clients that have the label. They are locked."""
    await work.execute(MARK_CLIENTS_UPDATED, label=label_id, updated_at=updated_at)


async def count_locked_uses(tx: Transaction, label_id: UUID) -> tuple[int, int]:
    """Count the clients and the registrations that have the label and cannot change, because they are archived or locked."""
    (row,) = await tx.fetch(LOCKED_USES, label=label_id)
    return row.clients, row.registrations
