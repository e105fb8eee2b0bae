"""Report clients and labels that have no key of their own, because an older one has the same folded text (see `db.migrations.folding`)."""

from typing import Any

from sqlalchemy import Select, Text, and_, func, literal_column, select, union_all

from db.engine.database import Database
from db.engine.statement import compile_statement
from db.rows import DuplicateRow
from db.sql.expressions import col
from db.tables import Client, Label, Organization
from db.tables.base import table_of
from db.tables.keys import KEY_SEPARATOR

MAX_ROWS = 100  # rows to report


def _rows_of(table: type[Client | Label], kind: str, text: str) -> Select[*tuple[Any, ...]]:
    """Select the rows of a table, with the name of their organization."""
    output = literal_column(f"'{kind}'", Text()).label("kind"), col(table.id), col(getattr(table, text)).label("text")
    rows = select(col(Organization.name).label("organization"), *output).select_from(table_of(table))
    return rows.join(table_of(Organization), col(Organization.tenant_id) == col(table.tenant_id))


CLIENTS_WITHOUT_KEY = _rows_of(Client, "client", "number").where(and_(col(Client.number).is_not(None), col(Client.number_key).is_(None)))
IS_APART = func.strpos(col(Label.name_key), literal_column(f"'{KEY_SEPARATOR}'", Text())) > literal_column("0")
ALL_DUPLICATES = union_all(CLIENTS_WITHOUT_KEY, _rows_of(Label, "label", "name").where(IS_APART)).subquery("both")
FIRST_DUPLICATES = (
    select(*ALL_DUPLICATES.c)
    .order_by(ALL_DUPLICATES.c.organization, ALL_DUPLICATES.c.kind, ALL_DUPLICATES.c.id)
    .limit(literal_column(str(MAX_ROWS)))
)


async def list_all(owner: Database) -> list[DuplicateRow]:
    """Return the first duplicates of all organizations. Row-level security hides them from every role but the database's owner."""
    return await owner.fetch_across_tenants(compile_statement(FIRST_DUPLICATES)[0], DuplicateRow)
