"""What is wrong with settings, database, role, migrations and what is kept of revenue, in plain words, and what to do about it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import asyncpg

from db import bypasses, duplicates, walls
from db.addresses import without_password
from db.engine import Database, DatabaseLimits
from db.migrations import head
from domain import months, organizations
from server.addresses import parse
from server.settings import Environment, Settings
from server.startup_errors import StartupError

FEW = DatabaseLimits(read_pool_size=1, write_pool_size=1)
UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
OWNER_ROLE = "CREATE ROLE relaties_owner LOGIN CREATEROLE BYPASSRLS PASSWORD '…'"


@dataclass(frozen=True)
class Finding:
    """What was looked at; what is wrong and what to do about it, or nothing. `note`: what may be wrong, where only the operator knows."""

    what: str
    wrong: str | None = None
    note: str | None = None

    @property
    def line(self) -> str:
        if self.wrong:
            return f"[wrong] {self.wrong}"
        return f"[note]  {self.note}" if self.note else f"[ok]    {self.what}"


class UnfitError(StartupError):
    """The server does not start: one clear line a reason."""


Told = Callable[[str, int], None]  # of which organization, and how many of its clients were looked at so far


async def examined(runtime_url: str, owner_url: str | None, direct_url: str | None, *, is_pooled: bool = False) -> AsyncIterator[Finding]:
    """Everything that can be wrong, in the order in which to mend it."""
    try:
        database = await Database.connect(runtime_url, FEW, is_pooled=is_pooled)
    except UNREACHABLE as failed:
        yield Finding("database", unreachable("DATABASE_URL", runtime_url, failed))
        return
    async with database:
        yield Finding(f"database {without_password(runtime_url)}")
        for finding in await findings(database):
            yield finding
    if owner_url:
        yield await _owner(owner_url)
    if direct_url:
        yield await _direct(direct_url)


async def findings(database: Database) -> list[Finding]:
    """What must hold before the server may answer anybody: an ordinary role, the right tables, a wall around each."""
    return [await _role(database), await _memberships(database), await _objects(database), *await _tables(database)]


async def fit_or_refused(database: Database) -> None:
    if wrong := [finding.wrong for finding in await findings(database) if finding.wrong]:
        raise UnfitError(*wrong)


def unreachable(setting: str, url: str, failed: BaseException) -> str:
    return f"{setting}: cannot connect to {without_password(url)}: {str(failed) or type(failed).__name__}. Is PostgreSQL running there?"


def proxies(settings: Settings) -> list[Finding]:
    """Say what becomes of a proxy that is not named. Who is in front of the server is seen only by the server, which logs it.

    On a loopback address a server for production is reached through a proxy alone; on any other address it may be.
    """
    if settings.trusted_proxies:
        return [Finding(f"trusted proxies {', '.join(map(str, settings.trusted_proxies))}")]
    is_loopback = settings.host == "localhost" or ((address := parse(settings.host)) is not None and address.is_loopback)
    if is_loopback and settings.env is Environment.DEVELOPMENT:
        return []
    note = (
        f"RELATIES_TRUSTED_PROXIES: not set. If a proxy passes requests on to {settings.host}, name its address there: until then its "
        "X-Forwarded-For is ignored, and all its clients share the limits of one address."
    )
    return [Finding("trusted proxies", note=note)]


async def _role(database: Database) -> Finding:
    role = await walls.current_role(database)
    faults = {
        "a superuser": role.is_superuser,
        "one that bypasses row level security": role.is_bypassing,
        "the tables' owner": role.is_owning,
    }
    if found := [what for what, is_so in faults.items() if is_so]:
        advice = f"give DATABASE_URL a role of its own, which `relaties migrate` makes, and the role {role.name} to RELATIES_OWNER_URL"
        return Finding(
            "role", f"DATABASE_URL: the role {role.name} is {' and '.join(found)}, so organizations are not kept apart: {advice}."
        )
    return Finding(f"role {role.name}: ordinary, as it should be")


async def _memberships(database: Database) -> Finding:
    name, wrong = (await walls.current_role(database)).name, list[str]()
    for role in await bypasses.memberships(database):
        faults = {
            "a superuser": role.is_superuser,
            "one that bypasses row level security": role.is_bypassing,
            "the tables' owner": role.is_owning,
            "one that may become any other role": role.is_creating,
            "one that reads or runs files of the database's machine": role.is_on_server,
        }
        wrong.append(f"{role.name}, which is {' and '.join(what for what, is_so in faults.items() if is_so)}")
    if wrong:
        found = "; of ".join(wrong)
        reason = f"the role {name} is a member of {found}, so organizations are not kept apart"
        return Finding("memberships", f"DATABASE_URL: {reason}: take each away with `REVOKE … FROM {name}`, by the role that granted it.")
    return Finding("memberships: none that sees more")


async def _objects(database: Database) -> Finding:
    """An extension's own views and functions are left out: they show nothing of an organization."""
    name, found = (await walls.current_role(database)).name, await bypasses.objects(database)
    if found:
        what = ", ".join(f"{each.kind} {each.name}" for each in found)
        cures = "; ".join(each.cure for each in found)
        reason = f"works with the rights of its owner, who sees all organizations, and the role {name} may use it"
        return Finding("objects of others", f"DATABASE_URL: each of these {reason}: {what}. As its owner: {cures}.")
    return Finding("views and functions of others: none that shows more")


async def _tables(database: Database) -> list[Finding]:
    found, needed = await walls.revision(database), head()
    if found != needed:
        state = f"at revision {found}, and this version needs {needed}" if found else "not there yet"
        return [Finding("tables", f"The tables are {state}: run `relaties migrate` with RELATIES_OWNER_URL set.")]
    return [Finding(f"tables at revision {found}"), await _walls(database)]


async def _walls(database: Database) -> Finding:
    found = await walls.table_isolation(database)
    if open_ := [table.name for table in found if not table.is_isolated]:
        return Finding(
            "walls",
            f"Not every table keeps organizations apart: {', '.join(open_)}. Restore tenant_id, FORCE ROW LEVEL SECURITY and its policy.",
        )
    return Finding(f"row level security on all {len(found)} tables")


async def _owner(owner_url: str) -> Finding:
    try:
        database = await Database.connect(owner_url, FEW)
    except UNREACHABLE as failed:
        return Finding("owner", unreachable("RELATIES_OWNER_URL", owner_url, failed))
    async with database:
        role = await walls.current_role(database)
    if role.is_superuser or (role.is_bypassing and role.is_creating):
        return Finding(f"owner {role.name}")
    return Finding("owner", f"RELATIES_OWNER_URL: the role {role.name} needs CREATEROLE and BYPASSRLS: {OWNER_ROLE}.")


async def numbers(owner_url: str) -> Finding:
    """List the clients and labels that the folding of keys found to have the number or the name of an older one."""
    async with await Database.connect(owner_url, FEW) as database:
        found = await duplicates.list_all(database)
    if not found:
        return Finding("numbers of clients and names of labels, each once")
    # ASCII shows the characters in which the two differ, which a screen may not show.
    listed = "; ".join(f"{row.kind} {row.id} of {row.organization}: {row.text!a}" for row in found)
    more = f" These are the first {duplicates.MAX_ROWS}." if len(found) == duplicates.MAX_ROWS else ""
    return Finding(
        "numbers",
        f"An older client or label has the same number or name in another form, so these are not found by it: {listed}.{more} "
        "Give one of each two another with `clientUpdate` or `labelUpdate`.",
    )


async def revenue(owner_url: str, told: Told, *, is_mended: bool = False) -> Finding:
    """Whether the months that are kept of each client are what its documents and payments come to; those that are not are counted anew."""
    wrong, looked_at = dict[str, int](), 0
    async with await Database.connect(owner_url, FEW) as database:
        for one in await organizations.everywhere(database):
            seen = 0
            async for clients, of_them in months.verify_balances(database, one.id, is_repairing=is_mended):
                seen, wrong[one.name] = seen + clients, wrong.get(one.name, 0) + of_them
                told(one.name, seen)
            looked_at += seen
    found = ", ".join(f"{count} of {name}" for name, count in wrong.items() if count)
    if found and not is_mended:
        advice = "run `relaties doctor --rebuild-revenue`"
        return Finding(
            "revenue", f"Kept revenue is not what documents and payments come to for clients: {found}. To count it anew, {advice}."
        )
    return Finding(f"revenue of {looked_at} clients" + (f", counted anew: {found}" if found else ""))


async def _direct(direct_url: str) -> Finding:
    try:
        await (await Database.connect(direct_url, FEW)).close()
    except UNREACHABLE as failed:
        return Finding("direct", unreachable("RELATIES_DIRECT_URL", direct_url, failed))
    return Finding("direct connection")
