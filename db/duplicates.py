"""Clients and labels that an older one folds to the same text as: what `db.migrations.folding` left without a key of its own."""

from sqlalchemy import Text, and_, func, literal_column, select, union_all

from db.engine import Database
from db.keys import APART
from db.query import col, compiled, table_of
from db.rows import DuplicateRow
from db.tables import Client, Label, Organization

MOST = 100  # of those there are
CLIENTS = (
    select(
        col(Organization.name).label("organization"),
        literal_column("'client'", Text()).label("kind"),
        col(Client.id),
        col(Client.number).label("text"),
    )
    .select_from(table_of(Client))
    .join(table_of(Organization), col(Organization.tenant_id) == col(Client.tenant_id))
    .where(and_(col(Client.number).is_not(None), col(Client.number_key).is_(None)))
)
LABELS = (
    select(
        col(Organization.name).label("organization"),
        literal_column("'label'", Text()).label("kind"),
        col(Label.id),
        col(Label.name).label("text"),
    )
    .select_from(table_of(Label))
    .join(table_of(Organization), col(Organization.tenant_id) == col(Label.tenant_id))
    .where(func.strpos(col(Label.name_key), literal_column(f"'{APART}'", Text())) > literal_column("0"))
)
BOTH = union_all(CLIENTS, LABELS).subquery("both")
FIRST = select(*BOTH.c).order_by(BOTH.c.organization, BOTH.c.kind, BOTH.c.id).limit(literal_column(str(MOST)))


async def everywhere(owner: Database) -> list[DuplicateRow]:
    """Return the first of them of all organizations: for the owner of the database alone, since the wall shows others none."""
    return await owner.fetch_across_tenants(compiled(FIRST)[0], DuplicateRow)
