"""Read the revision of the tables as the server's role."""

from db.engine.database import Database
from db.engine.statement import Row
from db.tables import SCHEMA

REVISION_SQL = f"SELECT version_num::text AS name FROM {SCHEMA}.alembic_version"  # noqa: S608


class RevisionRow(Row):
    name: str


async def current_revision(database: Database) -> str | None:
    """Return the revision of the tables; None before the first migration."""
    exists = await database.fetch_across_tenants(f"SELECT to_regclass('{SCHEMA}.alembic_version')::text AS name", RevisionRow)
    if exists[0].name is None:
        return None
    return next((row.name for row in await database.fetch_across_tenants(REVISION_SQL, RevisionRow)), None)
