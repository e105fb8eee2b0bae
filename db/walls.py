"""What stands between tenants, as the database itself tells it: the role that asks, and the wall around each table."""

from db.engine import Database
from db.query import Row
from db.tables import SCHEMA

POLICY = "(tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)"
WITHOUT_WALL = ("alembic_version",)  # holds a revision and nothing of anybody


class RoleRow(Row):
    name: str
    is_superuser: bool
    is_bypassing: bool
    is_creating: bool
    is_owning: bool


class WallRow(Row):
    """A table and what is missing of its wall."""

    name: str
    has_tenant: bool
    is_forced: bool
    has_policy: bool

    @property
    def stands(self) -> bool:
        return self.has_tenant and self.is_forced and self.has_policy


ROLE = f"""SELECT rolname::text AS name, rolsuper AS is_superuser, rolbypassrls AS is_bypassing, rolcreaterole AS is_creating,
 EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace('{SCHEMA}') AND c.relowner = r.oid) AS is_owning
FROM pg_roles r WHERE rolname = current_user"""  # noqa: S608 a constant of ours
WALLS = f"""SELECT c.relname::text AS name,
 EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull) AS has_tenant,
 c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
 (SELECT count(*) = 1 AND bool_and(p.qual = $1 AND p.with_check = $1 AND p.cmd = 'ALL' AND p.permissive = 'PERMISSIVE')
  FROM pg_policies p WHERE p.schemaname = '{SCHEMA}' AND p.tablename = c.relname) AS has_policy
FROM pg_class c WHERE c.relnamespace = to_regnamespace('{SCHEMA}') AND c.relkind IN ('r', 'p') AND c.relname <> ALL ($2)
ORDER BY c.relname"""  # noqa: S608 a constant of ours
REVISION = f"SELECT version_num::text AS name FROM {SCHEMA}.alembic_version"  # noqa: S608


class RevisionRow(Row):
    name: str


async def role(database: Database) -> RoleRow:
    (found,) = await database.fetch_across_tenants(ROLE, RoleRow)
    return found


async def walls(database: Database) -> list[WallRow]:
    return await database.fetch_across_tenants(WALLS, WallRow, POLICY, WITHOUT_WALL)


async def revision(database: Database) -> str | None:
    """The revision of the tables; None before the first migration."""
    exists = await database.fetch_across_tenants(f"SELECT to_regclass('{SCHEMA}.alembic_version')::text AS name", RevisionRow)
    if exists[0].name is None:
        return None
    return next((row.name for row in await database.fetch_across_tenants(REVISION, RevisionRow)), None)
