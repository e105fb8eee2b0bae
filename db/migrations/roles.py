"""Create and update the role that the server logs in as, with only the rights that it needs, and with limits on its statements."""

from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, text

from db.rls_bypasses import DEFINER_FUNCTIONS
from db.tables import QUEUE_SCHEMA, SCHEMA

LIMITS = {"statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s"}
# The default of `random_page_cost` is for spinning disks, and makes the planner scan whole tables. Without parallel workers, one search
# cannot take all processors. JIT compilation costs more than it saves here. The settings belong to the role, because a pooler would reject
# them from a connection.
SETTINGS = {**LIMITS, "random_page_cost": "1.1", "max_parallel_workers_per_gather": "0", "jit": "off"}
# Not GRANT ... ON ALL TABLES, which would include views of the owner: a view shows what its owner sees. The same applies to functions.
TABLES = f"SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = '{SCHEMA}'::regnamespace AND c.relkind IN ('r', 'p')"  # noqa: S608 a constant of ours
FUNCTIONS = f"""SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = '{SCHEMA}'::regnamespace
 AND (NOT p.prosecdef OR p.oid = ANY (SELECT to_regprocedure(signature)::oid FROM unnest(CAST(:ours AS text[])) signature))"""  # noqa: S608 a constant of ours
REVOKED_RIGHTS = {"alembic_version": "INSERT, UPDATE, DELETE", "audit_event": "UPDATE, DELETE"}  # read-only; append-only
QUEUE_RIGHTS = {  # what the library's statements need that the server and its workers send
    "pgqueuer": "SELECT, INSERT, UPDATE, DELETE",
    "pgqueuer_log": "SELECT, INSERT, DELETE",
    "pgqueuer_schedules": "SELECT, INSERT, UPDATE, DELETE",
    "pgqueuer_statistics": "SELECT",
    # Without SELECT on each sequence, `pg_dump` would fail for that, before it reports row-level security.
    "SEQUENCE pgqueuer_id_seq": "USAGE, SELECT",
    "SEQUENCE pgqueuer_schedules_id_seq": "USAGE, SELECT",
    "SEQUENCE pgqueuer_log_id_seq": "SELECT",
    "SEQUENCE pgqueuer_statistics_id_seq": "SELECT",
}
# Before PostgreSQL 16, a role with CREATEROLE could alter every other role; since then, only the roles that it administers.
CAN_ALTER_ROLE = """SELECT me.rolsuper OR (current_setting('server_version_num')::int < 160000 AND me.rolcreaterole)
 OR pg_has_role(it.oid, 'USAGE WITH ADMIN OPTION') FROM pg_roles me, pg_roles it WHERE me.rolname = current_user AND it.rolname = :name"""

BYPASSES_ROW_SECURITY = "SELECT 1 FROM pg_roles WHERE rolname = :name AND (rolname = current_user OR rolsuper OR rolbypassrls)"


def grant_access(connection: Connection, runtime_url: str) -> None:
    """Create or update the role of a URL, and grant its rights. A role that we cannot alter keeps its password and its limits.

    A role that bypasses row-level security is left alone: the server refuses to run as it, and our limits must not apply to its other uses.
    """
    user = urlsplit(runtime_url)
    name = unquote(user.username or "")
    if connection.scalar(text(BYPASSES_ROW_SECURITY), {"name": name}):
        return
    role = _quote(connection, "%I", name)
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}) is None:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    if connection.scalar(text(CAN_ALTER_ROLE.replace("::", r"\:\:")), {"name": name}):
        if user.password:
            connection.execute(text(f"ALTER ROLE {role} PASSWORD {_quote(connection, '%L', unquote(user.password))}"))
        for setting, value in SETTINGS.items():
            connection.execute(text(f"ALTER ROLE {role} SET {setting} = '{value}'"))
    for right in _rights(connection):
        connection.execute(text(f"GRANT {right} TO {role}"))
    for table, rights in REVOKED_RIGHTS.items():
        connection.execute(text(f"REVOKE {rights} ON {SCHEMA}.{table} FROM {role}"))


def _rights(connection: Connection) -> list[str]:
    tables = connection.scalars(text(TABLES.replace("::", r"\:\:"))).all()
    functions = connection.scalars(text(FUNCTIONS.replace("::", r"\:\:")), {"ours": [*DEFINER_FUNCTIONS]}).all()
    rights = {"SELECT, INSERT, UPDATE, DELETE ON": tables, "EXECUTE ON FUNCTION": functions}
    grants = [f"{right} {', '.join(names)}".replace(":", r"\:") for right, names in rights.items() if names]
    return [f"USAGE ON SCHEMA {SCHEMA}", *grants, *_queue_rights(connection)]


def _queue_rights(connection: Connection) -> list[str]:
    """Return the rights on the job queue. There are none before the migration that creates it."""
    if connection.scalar(text(f"SELECT to_regnamespace('{QUEUE_SCHEMA}')")) is None:
        return []
    names = {name: name.replace("pgqueuer", f"{QUEUE_SCHEMA}.pgqueuer", 1) for name in QUEUE_RIGHTS}
    return [f"USAGE ON SCHEMA {QUEUE_SCHEMA}", *(f"{rights} ON {names[name]}" for name, rights in QUEUE_RIGHTS.items())]


def _quote(connection: Connection, format_code: str, value: str) -> str:
    """Quote a value with PostgreSQL's `format()`, because a role and its password cannot be parameters.

    Escapes colons, which SQLAlchemy would take for the start of a parameter.
    """
    text_literal = connection.scalar(text("SELECT format(:how, CAST(:value AS text))"), {"how": format_code, "value": value})
    return str(text_literal).replace(":", r"\:")
