"""The server refuses to start if views, functions or memberships would show it the rows of other organizations."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import uuid4

import asyncpg
import pytest

from db import rls_bypasses
from db.engine.database import Database
from server.database_checks import ensure_database_ready
from server.startup_errors import StartupError
from tests.support.builders import Tenant, create_tenant
from tests.support.databases import RUNTIME, runtime_url
from tests.support.processes import run_relaties

VIEW = "CREATE VIEW {} AS SELECT * FROM relaties.client"
DEFINER = "CREATE FUNCTION {}() RETURNS SETOF relaties.client LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM relaties.client'"


@pytest.fixture
async def own_database(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[tuple[asyncpg.Connection, Database, str]]:
    """Yield a new database: a connection as its owner, a connection as the server, and its URL."""
    url = await fresh_database()
    owner, database = await asyncpg.connect(url), await Database.connect(runtime_url(url))
    await ensure_database_ready(database)
    yield owner, database, url
    await database.close()
    await owner.close()


OBJECTS: dict[str, tuple[Sequence[str], str, str]] = {  # the statements that create it, its name in the error, and the advice
    "view": ([VIEW, "GRANT SELECT ON {} TO PUBLIC"], "view {}", "ALTER VIEW {} SET (security_invoker = true)"),
    "view with the option off": (
        ["CREATE VIEW {} WITH (security_invoker = off) AS SELECT * FROM relaties.client", "GRANT SELECT ON {} TO PUBLIC"],
        "view {}",
        "ALTER VIEW {} SET (security_invoker = true)",
    ),
    "view of one column": ([VIEW, "GRANT SELECT (name) ON {} TO PUBLIC"], "view {}", "ALTER VIEW {} SET (security_invoker = true)"),
    "view to write through": ([VIEW, "GRANT DELETE ON {} TO PUBLIC"], "view {}", "ALTER VIEW {} SET (security_invoker = true)"),
    "materialized view": (
        ["CREATE MATERIALIZED VIEW {} AS SELECT * FROM relaties.client", f"GRANT SELECT ON {{}} TO {RUNTIME}"],
        "materialized view {}",
        f"REVOKE ALL ON {{}} FROM PUBLIC, {RUNTIME}",
    ),
    "foreign table": (
        [
            "CREATE FOREIGN DATA WRAPPER nothing",
            "CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing",
            "CREATE FOREIGN TABLE {} (name text) SERVER nowhere",
            "GRANT SELECT ON {} TO PUBLIC",
        ],
        "foreign table {}",
        f"REVOKE ALL ON {{}} FROM PUBLIC, {RUNTIME}",
    ),
    "function": ([DEFINER], "function {}()", f"REVOKE ALL ON FUNCTION {{}}() FROM PUBLIC, {RUNTIME}"),
}


@pytest.mark.parametrize("schema", ["relaties", "public", "odd"])
@pytest.mark.parametrize("kind", OBJECTS)
async def test_object_with_its_owners_rights_is_rejected(
    own_database: tuple[asyncpg.Connection, Database, str], kind: str, schema: str
) -> None:
    """In every schema, the error names the object and a statement, which solves the problem."""
    owner, database, _ = own_database
    create_sql, description, cure = OBJECTS[kind]
    name = f"{schema}.all_clients"
    if schema == "odd":
        name = '"odd Schema"."all Clients"'
        await owner.execute('CREATE SCHEMA "odd Schema"; GRANT USAGE ON SCHEMA "odd Schema" TO PUBLIC')
    for statement in create_sql:
        await owner.execute(statement.format(name))
    with pytest.raises(StartupError) as raised_error:
        await ensure_database_ready(database)
    (reason,) = raised_error.value.reasons
    assert reason == (
        f"DATABASE_URL: role {RUNTIME} may use objects that run with the rights of an owner who sees all organizations: "
        f"{description.format(name)}. Run as their owner: {cure.format(name)}."
    )
    await owner.execute(cure.format(name))
    await ensure_database_ready(database)


async def test_unusable_or_extension_objects_are_allowed(own_database: tuple[asyncpg.Connection, Database, str]) -> None:
    """Views without rights for the server, views with the caller's rights, and views of an extension are allowed."""
    owner, database, _ = own_database
    await owner.execute(VIEW.format("public.closed"))
    await owner.execute("CREATE SCHEMA closed")
    await owner.execute(f"{VIEW.format('closed.open')}; GRANT SELECT ON closed.open TO PUBLIC")
    for word in ("true", "on", "1"):
        await owner.execute(f"CREATE VIEW public.as_caller_{word} WITH (security_invoker = {word}) AS SELECT * FROM relaties.client")
        await owner.execute(f"GRANT SELECT ON public.as_caller_{word} TO PUBLIC")
    await owner.execute(DEFINER.format("public.of_owner"))
    await owner.execute("REVOKE ALL ON FUNCTION public.of_owner FROM PUBLIC")
    await ensure_database_ready(database)
    await owner.execute(f"{VIEW.format('public.statistics')}; GRANT SELECT ON public.statistics TO PUBLIC")
    with pytest.raises(StartupError, match=r"view public\.statistics"):
        await ensure_database_ready(database)
    await owner.execute("ALTER EXTENSION plpgsql ADD VIEW public.statistics")
    await ensure_database_ready(database)


async def test_view_granted_to_the_server_would_show_other_organizations(own_database: tuple[asyncpg.Connection, Database, str]) -> None:
    """This is the reason for the check. A migration does not grant rights on such a view."""
    owner, _, url = own_database
    org: Tenant = await create_tenant(owner)
    await org.add_client("Secret")
    await owner.execute(VIEW.format("relaties.every_client"))
    migrate_result = run_relaties("migrate", DATABASE_URL=runtime_url(url), RELATIES_OWNER_URL=url)
    assert migrate_result.returncode == 0, migrate_result.stderr
    runtime = await asyncpg.connect(runtime_url(url))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runtime.fetch("SELECT name FROM relaties.every_client")
    await owner.execute("GRANT SELECT ON relaties.every_client TO PUBLIC")
    assert [row["name"] for row in await runtime.fetch("SELECT name FROM relaties.every_client")] == ["Secret"]
    await runtime.close()
    doctor_result = run_relaties("doctor", DATABASE_URL=runtime_url(url), RELATIES_OWNER_URL=url)
    assert (doctor_result.returncode, "view relaties.every_client" in doctor_result.stdout) == (1, True)


MEMBERSHIPS = {  # a property of the other role, and its description in the error
    "superuser": ("ALTER ROLE {} SUPERUSER", "a superuser"),
    "bypass": ("ALTER ROLE {} BYPASSRLS", "one that bypasses row level security"),
    "owner": ("ALTER TABLE relaties.label OWNER TO {}", "the tables' owner"),
    "files": ("GRANT pg_read_server_files TO {}", None),
}


@pytest.mark.parametrize("is_indirect", [False, True])
@pytest.mark.parametrize("inherits", ["INHERIT", "NOINHERIT"])
@pytest.mark.parametrize("what", MEMBERSHIPS)
async def test_membership_of_a_powerful_role_is_rejected(
    own_database: tuple[asyncpg.Connection, Database, str], what: str, inherits: str, *, is_indirect: bool
) -> None:
    """The membership can be direct or through another role, and its rights inherited or taken with SET ROLE."""
    owner, database, _ = own_database
    powerful, between = (f"relaties_{uuid4().hex[:12]}" for _ in range(2))
    change, reason = MEMBERSHIPS[what]
    await owner.execute(f"CREATE ROLE {powerful} {inherits}; CREATE ROLE {between} {inherits}")
    try:
        await owner.execute(change.format(powerful))
        await owner.execute(f"GRANT {powerful} TO {between if is_indirect else RUNTIME}")
        if is_indirect:
            await ensure_database_ready(database)
            await owner.execute(f"GRANT {between} TO {RUNTIME}")
        with pytest.raises(StartupError) as raised_error:
            await ensure_database_ready(database)
        (reason_text,) = raised_error.value.reasons
        role_description = (
            f"{powerful}, which is {reason}" if reason else "pg_read_server_files, which is one that reads or runs files of the"
        )
        assert reason_text.startswith(f"DATABASE_URL: role {RUNTIME} is a member of {role_description}")
        assert reason_text.endswith(f". Run `REVOKE … FROM {RUNTIME}` for each, as the role that granted it.")
        await owner.execute(f"REVOKE {between if is_indirect else powerful} FROM {RUNTIME}")
        await ensure_database_ready(database)
    finally:
        await owner.execute("ALTER TABLE relaties.label OWNER TO CURRENT_USER")
        for role in (between, powerful):
            await owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_ordinary_membership_is_allowed(own_database: tuple[asyncpg.Connection, Database, str]) -> None:
    """The role has no special rights."""
    owner, database, _ = own_database
    ordinary = f"relaties_{uuid4().hex[:12]}"
    await owner.execute(f"CREATE ROLE {ordinary}; GRANT {ordinary} TO {RUNTIME}")
    try:
        assert await rls_bypasses.memberships(database) == []
        await ensure_database_ready(database)
    finally:
        await owner.execute(f"DROP ROLE {ordinary}")
