"""Check the database: role, row-level security and migrations. Report each problem with its fix."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from db import rls_bypasses, tenant_isolation
from db.engine.database import Database, DatabaseLimits
from db.engine.urls import without_password
from db.migrations import head
from db.migrations.revision import current_revision
from server.startup_errors import CONNECTION_ERRORS, StartupError, describe_connection_error

SMALL_POOL = DatabaseLimits(read_pool_size=1, write_pool_size=1)
OWNER_ROLE = "CREATE ROLE relaties_owner LOGIN CREATEROLE BYPASSRLS PASSWORD '…'"


@dataclass(frozen=True)
class Finding:
    """The result of a check: a problem with its fix, if there is one. `note` tells the operator about something that may be wrong."""

    subject: str
    problem: str | None = None
    note: str | None = None

    @property
    def line(self) -> str:
        if self.problem:
            return f"[wrong] {self.problem}"
        return f"[note]  {self.note}" if self.note else f"[ok]    {self.subject}"


async def run_checks(runtime_url: str, owner_url: str | None, direct_url: str | None, *, is_pooled: bool = False) -> AsyncIterator[Finding]:
    """Run all checks, in the order in which to fix problems."""
    try:
        database = await Database.connect(runtime_url, SMALL_POOL, is_pooled=is_pooled)
    except CONNECTION_ERRORS as error:
        yield Finding("database", describe_connection_error("DATABASE_URL", runtime_url, error))
        return
    async with database:
        yield Finding(f"database {without_password(runtime_url)}")
        for finding in await check_database(database):
            yield finding
    if owner_url:
        yield await _check_owner(owner_url)
    if direct_url:
        yield await _check_direct(direct_url)


async def check_database(database: Database) -> list[Finding]:
    """Check what the server requires: an ordinary role, current migrations, and row-level security on each table."""
    return [await _check_role(database), await _check_memberships(database), await _check_objects(database), *await _check_tables(database)]


async def ensure_database_ready(database: Database) -> None:
    if problems := [finding.problem for finding in await check_database(database) if finding.problem]:
        raise StartupError(*problems)


async def _check_role(database: Database) -> Finding:
    role = await tenant_isolation.current_role(database)
    faults = {
        "a superuser": role.is_superuser,
        "one that bypasses row level security": role.is_bypassing,
        "the tables' owner": role.is_owning,
    }
    if problems := [text for text, applies in faults.items() if applies]:
        advice = f"Set DATABASE_URL to another role, which `relaties migrate` creates, and RELATIES_OWNER_URL to role {role.name}"
        return Finding("role", f"DATABASE_URL: role {role.name} is {' and '.join(problems)}, so organizations are not isolated. {advice}.")
    return Finding(f"role {role.name} has no special rights")


async def _check_memberships(database: Database) -> Finding:
    name, descriptions = (await tenant_isolation.current_role(database)).name, list[str]()
    for role in await rls_bypasses.memberships(database):
        faults = {
            "a superuser": role.is_superuser,
            "one that bypasses row level security": role.is_bypassing,
            "the tables' owner": role.is_owning,
            "one that may become any other role": role.is_creating,
            "one that reads or runs files of the database's machine": role.is_on_server,
        }
        descriptions.append(f"{role.name}, which is {' and '.join(text for text, applies in faults.items() if applies)}")
    if descriptions:
        roles = "; of ".join(descriptions)
        reason = f"role {name} is a member of {roles}, so organizations are not isolated"
        return Finding("memberships", f"DATABASE_URL: {reason}. Run `REVOKE … FROM {name}` for each, as the role that granted it.")
    return Finding("memberships in other roles bypass no isolation")


async def _check_objects(database: Database) -> Finding:
    """Check views and functions of other roles. Skip those of extensions, because they show no data of an organization."""
    name, objects = (await tenant_isolation.current_role(database)).name, await rls_bypasses.objects(database)
    if objects:
        names = ", ".join(f"{each.kind} {each.name}" for each in objects)
        fixes = "; ".join(each.cure for each in objects)
        reason = f"role {name} may use objects that run with the rights of an owner who sees all organizations"
        return Finding("objects of others", f"DATABASE_URL: {reason}: {names}. Run as their owner: {fixes}.")
    return Finding("views and functions of other roles bypass no isolation")


async def _check_tables(database: Database) -> list[Finding]:
    revision, head_revision = await current_revision(database), head()
    if revision != head_revision:
        state = f"are at revision {revision}, but this version needs {head_revision}" if revision else "do not exist"
        return [Finding("tables", f"The tables {state}. Set RELATIES_OWNER_URL and run `relaties migrate`.")]
    return [Finding(f"tables at revision {revision}"), await _check_row_level_security(database)]


async def _check_row_level_security(database: Database) -> Finding:
    tables = await tenant_isolation.table_isolation(database)
    if open_tables := [table.name for table in tables if not table.is_isolated]:
        return Finding(
            "row level security",
            f"These tables do not isolate organizations: {', '.join(open_tables)}. Restore their tenant_id, FORCE ROW LEVEL SECURITY and "
            "policy.",
        )
    return Finding(f"row level security on all {len(tables)} tables")


async def _check_owner(owner_url: str) -> Finding:
    try:
        database = await Database.connect(owner_url, SMALL_POOL)
    except CONNECTION_ERRORS as error:
        return Finding("owner", describe_connection_error("RELATIES_OWNER_URL", owner_url, error))
    async with database:
        role = await tenant_isolation.current_role(database)
    if role.is_superuser or (role.is_bypassing and role.is_creating):
        return Finding(f"owner {role.name}")
    return Finding("owner", f"RELATIES_OWNER_URL: role {role.name} needs CREATEROLE and BYPASSRLS: {OWNER_ROLE}.")


async def _check_direct(direct_url: str) -> Finding:
    try:
        await (await Database.connect(direct_url, SMALL_POOL)).close()
    except CONNECTION_ERRORS as error:
        return Finding("direct", describe_connection_error("RELATIES_DIRECT_URL", direct_url, error))
    return Finding("direct connection")
