"""Queries of labels."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, and_, select
from sqlmodel import col

from db.engine import Tx
from db.paging import Listing, Place
from db.query import TENANT, Query, among, by_key, columns, grouped
from db.rows import ClientLabelRow, LabelRow
from db.search import Named
from db.tables import ClientLabel, Label

MINE = col(Label.tenant_id) == TENANT
ALL = select(*columns(LabelRow, Label)).where(MINE)
BY_ID = Query(ALL.where(among(col(Label.id))), LabelRow)
BY_NAME = Named(Label, Listing(ALL, LabelRow, Place(col(Label.name_key), Text(), col(Label.id), "name_key")))
page, count = BY_NAME.page, BY_NAME.count
OF_CLIENTS = Query(
    select(*columns(ClientLabelRow, Label, client_id=col(ClientLabel.client_id)))
    .select_from(ClientLabel)
    .join(Label, and_(col(Label.tenant_id) == TENANT, col(Label.id) == col(ClientLabel.label_id)))
    .where(col(ClientLabel.tenant_id) == TENANT, among(col(ClientLabel.client_id)))
    .order_by(col(ClientLabel.client_id), col(Label.name_key), col(Label.id)),
    ClientLabelRow,
)


async def of_clients(tx: Tx, ids: Sequence[UUID]) -> list[list[ClientLabelRow]]:
    """Labels of each client by name."""
    return grouped(await tx.fetch(OF_CLIENTS, ids=ids), ids, "client_id")


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[LabelRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
