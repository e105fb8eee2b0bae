"""Clients and labels that an older one folds to the same text as: what `db.migrations.folding` left without a key of its own."""

from typing import Any

from sqlalchemy import Select, Text, and_, func, literal_column, select, union_all

from db.engine import Database
from db.keys import APART
from db.query import col, compiled, table_of
from db.rows import DuplicateRow
from db.tables import Client, Label, Organization

MOST = 100  # of those there are


def _rows_of(table: type[Client | Label], kind: str, text: str) -> Select[*tuple[Any, ...]]:
    """Select the rows of a table with the name of their organization."""
    output = literal_column(f"'{kind}'", Text()).label("kind"), col(table.id), col(getattr(table, text)).label("text")
    rows = select(col(Organization.name).label("organization"), *output).select_from(table_of(table))
    return rows.join(table_of(Organization), col(Organization.tenant_id) == col(table.tenant_id))


CLIENTS = _rows_of(Client, "client", "number").where(and_(col(Client.number).is_not(None), col(Client.number_key).is_(None)))
IS_APART = func.strpos(col(Label.name_key), literal_column(f"'{APART}'", Text())) > literal_column("0")
BOTH = union_all(CLIENTS, _rows_of(Label, "label", "name").where(IS_APART)).subquery("both")
FIRST = select(*BOTH.c).order_by(BOTH.c.organization, BOTH.c.kind, BOTH.c.id).limit(literal_column(str(MOST)))


async def everywhere(owner: Database) -> list[DuplicateRow]:
    """Return the first of them of all organizations: for the owner of the database alone, since the wall shows others none."""
    return await owner.fetch_across_tenants(compiled(FIRST)[0], DuplicateRow)
