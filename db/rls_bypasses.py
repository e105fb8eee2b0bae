"""Find ways around row-level security for the current role: roles that it can become, and objects that work with their owner's rights.

All schemas except the system's are checked. Objects of extensions are left out (by `pg_depend`): they show data such as statistics or
geometry, not rows of our tables.
"""

from db.engine.database import Database
from db.engine.statement import Row
from db.tables import SCHEMA

# Our functions that run with the owner's rights on purpose. Each checks which rows it may touch.
DEFINER_FUNCTIONS = (
    f"{SCHEMA}.token_actor(bytea)",
    f"{SCHEMA}.erase_traces(uuid, uuid[])",
    f"{SCHEMA}.organizations_without_message()",
    f"{SCHEMA}.job_statistics()",
    f"{SCHEMA}.organizations_with_expired_files()",
)
# Members of these roles can act as the operating system account of the database server, and so read its files.
SERVER_ROLES = ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files")


class MembershipRow(Row):
    """A role that the current role is a member of, directly or through others, and the reasons why it must not be."""

    name: str
    is_superuser: bool
    is_bypassing: bool
    is_owning: bool
    is_creating: bool
    is_on_server: bool


class ObjectRow(Row):
    """An object that works with its owner's rights and that the current role can use. `cure` is the statement that ends that."""

    kind: str
    name: str
    cure: str


IS_OWNING = f"EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace('{SCHEMA}') AND c.relowner = r.oid)"
# Any membership counts, whatever its options: one without INHERIT allows SET ROLE, and one with only ADMIN can grant itself the rest.
# Before PostgreSQL 16, a role with CREATEROLE can make itself a member of every role that is not a superuser.
MEMBERSHIPS_SQL = f"""SELECT * FROM (
 SELECT r.rolname::text AS name, r.rolsuper AS is_superuser, r.rolbypassrls AS is_bypassing, {IS_OWNING} AS is_owning,
  r.rolcreaterole AND current_setting('server_version_num')::int < 160000 AS is_creating, r.rolname = ANY ($1) AS is_on_server
 FROM pg_roles me, pg_roles r
 WHERE me.rolname = current_user AND NOT me.rolsuper AND r.oid <> me.oid AND pg_has_role(me.oid, r.oid, 'MEMBER')) found
WHERE is_superuser OR is_bypassing OR is_owning OR is_creating OR is_on_server ORDER BY name"""  # noqa: S608
FOREIGN_SCHEMAS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE')"


def _of_extension(catalog: str, oid: str) -> str:
    return f"EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{catalog}'::regclass AND d.objid = {oid} AND d.deptype = 'e')"


SIGNATURE = "format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))"
RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
OBJECTS_SQL = f"""SELECT kind, name, cure FROM (
 SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END AS kind,
  format('%I.%I', n.nspname, c.relname) AS name,
  CASE c.relkind WHEN 'v' THEN format('ALTER VIEW %I.%I SET (security_invoker = true)', n.nspname, c.relname)
  ELSE format('REVOKE ALL ON %I.%I FROM PUBLIC, %I', n.nspname, c.relname, current_user) END AS cure
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm', 'f') AND {FOREIGN_SCHEMAS} AND NOT {_of_extension("pg_class", "c.oid")}
  AND (has_table_privilege(c.oid, '{RIGHTS}') OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE'))
  AND NOT (c.relkind = 'v' AND EXISTS
   (SELECT FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker' AND option_value::boolean))
 UNION ALL
 SELECT 'function' AS kind, {SIGNATURE} AS name,
  format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, %I', {SIGNATURE}, current_user) AS cure
 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef AND {FOREIGN_SCHEMAS} AND NOT {_of_extension("pg_proc", "p.oid")} AND has_function_privilege(p.oid, 'EXECUTE')
  AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND p.oid <> ALL (
   SELECT coalesce(to_regprocedure(signature)::oid, 0) FROM unnest($1::text[]) signature)) found
ORDER BY kind DESC, name"""  # noqa: S608


async def memberships(database: Database) -> list[MembershipRow]:
    return await database.fetch_across_tenants(MEMBERSHIPS_SQL, MembershipRow, SERVER_ROLES)


async def objects(database: Database) -> list[ObjectRow]:
    return await database.fetch_across_tenants(OBJECTS_SQL, ObjectRow, DEFINER_FUNCTIONS)
