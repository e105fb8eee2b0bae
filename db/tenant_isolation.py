"""Read from the database whether tenants are isolated: the attributes of the current role, and the row-level security of each table."""

from db.engine.database import Database
from db.engine.statement import Row
from db.tables import SCHEMA

# The condition of every table's policy, exactly as PostgreSQL prints it in `pg_policies`.
TENANT_POLICY = "(tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)"
EXEMPT_TABLES = ("alembic_version",)  # has the revision of the tables, but no tenant's data


class RoleRow(Row):
    """A role and its attributes."""

    name: str
    is_superuser: bool
    is_bypassing: bool  # has BYPASSRLS
    is_creating: bool  # has CREATEROLE
    is_owning: bool  # owns at least one of our tables


class TableIsolationRow(Row):
    """A table, and the parts of its row-level security."""

    name: str
    has_tenant: bool  # has a `tenant_id` column that is NOT NULL
    is_forced: bool  # row-level security is enabled, also for the owner
    has_policy: bool  # its only policy is the tenant policy

    @property
    def is_isolated(self) -> bool:
        return self.has_tenant and self.is_forced and self.has_policy


ROLE_SQL = f"""SELECT rolname::text AS name, rolsuper AS is_superuser, rolbypassrls AS is_bypassing, rolcreaterole AS is_creating,
 EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace('{SCHEMA}') AND c.relowner = r.oid) AS is_owning
FROM pg_roles r WHERE rolname = current_user"""  # noqa: S608 a constant of ours
TABLES_SQL = f"""SELECT c.relname::text AS name,
 EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull) AS has_tenant,
 c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
 (SELECT count(*) = 1 AND bool_and(p.qual = $1 AND p.with_check = $1 AND p.cmd = 'ALL' AND p.permissive = 'PERMISSIVE')
  FROM pg_policies p WHERE p.schemaname = '{SCHEMA}' AND p.tablename = c.relname) AS has_policy
FROM pg_class c WHERE c.relnamespace = to_regnamespace('{SCHEMA}') AND c.relkind IN ('r', 'p') AND c.relname <> ALL ($2)
ORDER BY c.relname"""  # noqa: S608 a constant of ours


async def current_role(database: Database) -> RoleRow:
    (row,) = await database.fetch_across_tenants(ROLE_SQL, RoleRow)
    return row


async def table_isolation(database: Database) -> list[TableIsolationRow]:
    return await database.fetch_across_tenants(TABLES_SQL, TableIsolationRow, TENANT_POLICY, EXEMPT_TABLES)
