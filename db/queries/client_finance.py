"""Queries of the financial settings of clients."""

from sqlalchemy import and_, func, select

from db.engine.statement import Query
from db.rows import FinancialRow
from db.sql.expressions import TENANT, col, columns, id_in
from db.sql.fetchers import RowFetcher
from db.tables import Client, Organization
from db.tables.base import table_of

CLIENT_CURRENCY = func.coalesce(col(Client.currency), col(Organization.base_currency))
OF_CLIENTS = Query(
    select(*columns(FinancialRow, Client, client_id=col(Client.id), currency=CLIENT_CURRENCY))
    .select_from(table_of(Client))
    .join(table_of(Organization), and_(col(Organization.tenant_id) == TENANT, col(Client.tenant_id) == TENANT))
    .where(id_in(col(Client.id))),
    FinancialRow,
)

of_clients = RowFetcher(OF_CLIENTS, "client_id")
