"""Queries of labels."""

from uuid import UUID

from sqlalchemy import CompoundSelect, Select, Text, Uuid, and_, func, or_, select, union

from db.engine import Tx
from db.fetching import ByKey, GroupsByKey
from db.paging import Listing, Place
from db.query import TENANT, Query, among, col, columns, parameter, table_of, word
from db.rows import ClientLabelRow, FixedRow, KeyRow, LabelRow
from db.search import Named
from db.tables import Client, ClientLabel, Label, Project, Registration, RegistrationLabel, RegistrationStatus

MINE = col(Label.tenant_id) == TENANT
ALL = select(*columns(LabelRow, Label)).where(MINE)
BY_ID = Query(ALL.where(among(col(Label.id))), LabelRow).keeping("id")
BY_NAME = Named(Label, Listing(ALL, LabelRow, Place(col(Label.name_key), Text(), col(Label.id), "name_key")))
page, counts, by_id = BY_NAME.page, BY_NAME.counts, ByKey(BY_ID)
OF_CLIENTS = Query(
    select(*columns(ClientLabelRow, Label, client_id=col(ClientLabel.client_id)))
    .select_from(table_of(ClientLabel))
    .join(table_of(Label), and_(col(Label.tenant_id) == TENANT, col(Label.id) == col(ClientLabel.label_id)))
    .where(col(ClientLabel.tenant_id) == TENANT, among(col(ClientLabel.client_id), is_planned_once=True))
    .order_by(col(ClientLabel.client_id), col(Label.name_key), col(Label.id)),
    ClientLabelRow,
).keeping("id", "client_id")
of_clients = GroupsByKey(OF_CLIENTS, "client_id")
"""Labels of each client by name."""

LABEL = parameter("label", Uuid())
LOCKED = (RegistrationStatus.APPROVED, RegistrationStatus.INVOICED, RegistrationStatus.WRITTEN_OFF)
OF_CLIENT = col(ClientLabel.tenant_id) == TENANT, col(ClientLabel.label_id) == LABEL
OF_REGISTRATION = col(RegistrationLabel.tenant_id) == TENANT, col(RegistrationLabel.label_id) == LABEL
WORN = (
    select(col(Registration.id), col(Registration.client_id), col(Registration.project_id), col(Registration.status))
    .select_from(table_of(RegistrationLabel))
    .join(
        table_of(Registration), and_(col(Registration.tenant_id) == TENANT, col(Registration.id) == col(RegistrationLabel.registration_id))
    )
    .where(*OF_REGISTRATION)
    .subquery("worn")
)


def _steady(table: type[Client | Project | Registration], wearers: Select[tuple[UUID]] | CompoundSelect[tuple[UUID]]) -> Query[KeyRow]:
    """Those that nobody changes or removes from here on, in the order of their ids."""
    mine = select(col(table.id)).where(col(table.tenant_id) == TENANT, col(table.id).in_(wearers))
    return Query(mine.order_by(col(table.id)).with_for_update(read=True), KeyRow)


HOLDS = {
    "clients": _steady(Client, union(select(col(ClientLabel.client_id)).where(*OF_CLIENT), select(WORN.c.client_id))),
    "projects": _steady(Project, select(WORN.c.project_id)),
    "registrations": _steady(Registration, select(WORN.c.id)),
}
FIXED = Query(
    select(
        select(func.count())
        .select_from(table_of(ClientLabel))
        .join(table_of(Client), and_(col(Client.tenant_id) == TENANT, col(Client.id) == col(ClientLabel.client_id)))
        .where(*OF_CLIENT, col(Client.archived_at).is_not(None))
        .scalar_subquery()
        .label("clients"),
        select(func.count())
        .select_from(WORN)
        .join(table_of(Client), and_(col(Client.tenant_id) == TENANT, col(Client.id) == WORN.c.client_id))
        .outerjoin(table_of(Project), and_(col(Project.tenant_id) == TENANT, col(Project.id) == WORN.c.project_id))
        .where(
            or_(
                col(Client.archived_at).is_not(None),
                col(Project.archived_at).is_not(None),
                *(WORN.c.status == word(status) for status in LOCKED),
            )
        )
        .scalar_subquery()
        .label("registrations"),
    ),
    FixedRow,
)


async def hold_wearers(tx: Tx, label_id: UUID) -> None:
    """Keeps what wears the label, its clients and its projects as they are until the transaction ends."""
    for hold in HOLDS.values():
        await tx.fetch(hold, label=label_id)


async def fixed(tx: Tx, label_id: UUID) -> tuple[int, int]:
    """How many wear it that take no change: archived clients; and registrations that are locked or of what is archived."""
    (found,) = await tx.fetch(FIXED, label=label_id)
    return found.clients, found.registrations
