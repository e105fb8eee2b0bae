"""Ways around row-level security: views, functions and memberships that would show the server other organizations' rows are refused."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import uuid4

import asyncpg
import pytest

from db import rls_bypasses
from db.engine.database import Database
from server.database_checks import ensure_database_ready
from server.startup_errors import StartupError
from tests.builders import Tenant, tenant
from tests.commands import relaties
from tests.conftest import RUNTIME, runtime_url

VIEW = "CREATE VIEW {} AS SELECT * FROM relaties.client"
DEFINER = "CREATE FUNCTION {}() RETURNS SETOF relaties.client LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM relaties.client'"


@pytest.fixture
async def own(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[tuple[asyncpg.Connection, Database, str]]:
    """A database of the test's own, as its owner and as the server, and its address."""
    url = await fresh_database()
    owner, database = await asyncpg.connect(url), await Database.connect(runtime_url(url))
    await ensure_database_ready(database)
    yield owner, database, url
    await database.close()
    await owner.close()


OBJECTS: dict[str, tuple[Sequence[str], str, str]] = {  # what is made, how it is named, and what is advised
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
async def test_an_object_that_works_with_its_owners_rights_is_refused(
    own: tuple[asyncpg.Connection, Database, str], kind: str, schema: str
) -> None:
    """In every schema: named, with the statement that mends it, which does."""
    owner, database, _ = own
    made, named, cure = OBJECTS[kind]
    name = f"{schema}.all_clients"
    if schema == "odd":
        name = '"odd Schema"."all Clients"'
        await owner.execute('CREATE SCHEMA "odd Schema"; GRANT USAGE ON SCHEMA "odd Schema" TO PUBLIC')
    for statement in made:
        await owner.execute(statement.format(name))
    with pytest.raises(StartupError) as refused:
        await ensure_database_ready(database)
    (reason,) = refused.value.reasons
    assert reason == (
        f"DATABASE_URL: each of these works with the rights of its owner, who sees all organizations, and the role {RUNTIME} may use it: "
        f"{named.format(name)}. As its owner: {cure.format(name)}."
    )
    await owner.execute(cure.format(name))
    await ensure_database_ready(database)


async def test_what_the_server_cannot_use_or_an_extension_brings_is_no_matter(own: tuple[asyncpg.Connection, Database, str]) -> None:
    """A view that it has no right to, one that asks with the caller's rights, and one that belongs to an extension."""
    owner, database, _ = own
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


async def test_a_view_that_was_shown_to_the_server_showed_other_organizations(own: tuple[asyncpg.Connection, Database, str]) -> None:
    """What the check is for; and a migration no longer opens such a view by itself."""
    owner, _, url = own
    org: Tenant = await tenant(owner)
    await org.add_client("Secret")
    await owner.execute(VIEW.format("relaties.every_client"))
    done = relaties("migrate", DATABASE_URL=runtime_url(url), RELATIES_OWNER_URL=url)
    assert done.returncode == 0, done.stderr
    runtime = await asyncpg.connect(runtime_url(url))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runtime.fetch("SELECT name FROM relaties.every_client")
    await owner.execute("GRANT SELECT ON relaties.every_client TO PUBLIC")
    assert [row["name"] for row in await runtime.fetch("SELECT name FROM relaties.every_client")] == ["Secret"]
    await runtime.close()
    found = relaties("doctor", DATABASE_URL=runtime_url(url), RELATIES_OWNER_URL=url)
    assert (found.returncode, "view relaties.every_client" in found.stdout) == (1, True)


MEMBERSHIPS = {  # what the other role is, and what is said of it
    "superuser": ("ALTER ROLE {} SUPERUSER", "a superuser"),
    "bypass": ("ALTER ROLE {} BYPASSRLS", "one that bypasses row level security"),
    "owner": ("ALTER TABLE relaties.label OWNER TO {}", "the tables' owner"),
    "files": ("GRANT pg_read_server_files TO {}", None),
}


@pytest.mark.parametrize("is_indirect", [False, True])
@pytest.mark.parametrize("inherits", ["INHERIT", "NOINHERIT"])
@pytest.mark.parametrize("what", MEMBERSHIPS)
async def test_membership_of_a_role_that_sees_more_is_refused(
    own: tuple[asyncpg.Connection, Database, str], what: str, inherits: str, *, is_indirect: bool
) -> None:
    """Direct or through another role, whether its rights are inherited or taken with SET ROLE: named, and what to do."""
    owner, database, _ = own
    powerful, between = (f"relaties_{uuid4().hex[:12]}" for _ in range(2))
    change, reason = MEMBERSHIPS[what]
    await owner.execute(f"CREATE ROLE {powerful} {inherits}; CREATE ROLE {between} {inherits}")
    try:
        await owner.execute(change.format(powerful))
        await owner.execute(f"GRANT {powerful} TO {between if is_indirect else RUNTIME}")
        if is_indirect:
            await ensure_database_ready(database)
            await owner.execute(f"GRANT {between} TO {RUNTIME}")
        with pytest.raises(StartupError) as refused:
            await ensure_database_ready(database)
        (said,) = refused.value.reasons
        named = f"{powerful}, which is {reason}" if reason else "pg_read_server_files, which is one that reads or runs files of the"
        assert said.startswith(f"DATABASE_URL: the role {RUNTIME} is a member of {named}")
        assert said.endswith(f": take each away with `REVOKE … FROM {RUNTIME}`, by the role that granted it.")
        await owner.execute(f"REVOKE {between if is_indirect else powerful} FROM {RUNTIME}")
        await ensure_database_ready(database)
    finally:
        await owner.execute("ALTER TABLE relaties.label OWNER TO CURRENT_USER")
        for role in (between, powerful):
            await owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_an_ordinary_membership_is_no_matter(own: tuple[asyncpg.Connection, Database, str]) -> None:
    """Of a role that sees no more than anybody."""
    owner, database, _ = own
    ordinary = f"relaties_{uuid4().hex[:12]}"
    await owner.execute(f"CREATE ROLE {ordinary}; GRANT {ordinary} TO {RUNTIME}")
    try:
        assert await rls_bypasses.memberships(database) == []
        await ensure_database_ready(database)
    finally:
        await owner.execute(f"DROP ROLE {ordinary}")
