"""Commands that manage organizations, members and tokens. They connect as the database owner and need no token."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from db.engine.database import Database
from db.rows import OrganizationRow, TokenRow
from db.tables import OrganizationFields, Role
from domain.core.errors import BadInput
from domain.core.lookups import normalize_lookup
from domain.core.scope import Actor, Permission, Scope, open_write_scope
from domain.organization import members, organizations, tokens
from domain.organization.tokens import NewToken
from server.cli.database import DatabaseUrls, open_as_owner, open_database
from server.cli.options import DataDirOption, load_settings
from server.runtime.console import print_lines, print_status, print_table
from server.runtime.event_loop import run
from server.startup_errors import StartupError

T = TypeVar("T")
organization = typer.Typer(no_args_is_help=True, help="Manage organizations.")
member = typer.Typer(no_args_is_help=True, help="Manage members of an organization.")
token = typer.Typer(no_args_is_help=True, help="Manage API tokens.")
OrganizationOption = Annotated[str | None, typer.Option("--organization", help="Name or id. Optional if there is only one.")]


def run_as_operator(data_dir: Path | None, command: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Run a command on the database as its owner."""

    async def run_as_owner(urls: DatabaseUrls) -> T:
        async with open_as_owner(urls) as database:
            return await command(database)

    with open_database(load_settings(data_dir), print_status) as urls:
        return run(run_as_owner(urls))


async def find_organization(database: Database, name_or_id: str | None) -> OrganizationRow:
    """Return the organization with this name or id. For None, return the only organization.

    Raises `StartupError`, which lists all organizations, unless exactly one matches.
    """
    candidates = await organizations.everywhere(database)
    matches = [row for row in candidates if name_or_id in {None, str(row.id), row.name}] or [
        row for row in candidates if _has_name(row, name_or_id or "")
    ]
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(f"{row.name} ({row.id})" for row in candidates) or "none yet; run `relaties organization create NAME`"
    raise StartupError(f"Pass a name or id as `--organization`. Organizations: {names}.")


def _has_name(row: OrganizationRow, name: str) -> bool:
    """Return whether the organization has this name. Terminals may send the same name in different Unicode forms."""
    try:
        return normalize_lookup(OrganizationFields, "name", name, "--organization") == row.name
    except BadInput as error:
        raise StartupError(str(error)) from error


@organization.command("create")
def organization_create(
    name: Annotated[str, typer.Argument(help="Name of the organization.")],
    currency: Annotated[str, typer.Option(help="Base currency, in which totals are given (ISO 4217).")] = "EUR",
    country: Annotated[str, typer.Option(help="Country code (ISO 3166-1 alpha-2).")] = "NL",
    data_dir: DataDirOption = None,
) -> None:
    """Create an organization and print its id."""

    async def create(database: Database) -> UUID:
        tenant = organizations.new_tenant_id()
        async with open_write_scope(database, Actor.operator(tenant), "organization create") as scope:
            values = {"name": name, "base_currency": currency, "country": country}
            return await organizations.create(scope, values)

    print_lines(str(run_as_operator(data_dir, create)))


@member.command("add")
def member_add(
    name: Annotated[str, typer.Argument(help="Name of the person.")],
    email: Annotated[str, typer.Argument(help="E-mail address, unique in the organization.")],
    role: Annotated[Role, typer.Option(help="Role of the member, which determines the permissions.")] = Role.MEMBER,
    name_or_id: OrganizationOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Add a member to an organization, and print its id."""

    async def add(database: Database) -> UUID:
        tenant = (await find_organization(database, name_or_id)).id
        async with open_write_scope(database, Actor.operator(tenant), "member add") as scope:
            values = {"name": name, "email": email, "role": role}
            return await members.add(scope, values)

    print_lines(str(run_as_operator(data_dir, add)))


@token.command("create")
def token_create(  # noqa: PLR0913, PLR0917 its options
    name_or_id: OrganizationOption = None,
    member: Annotated[str | None, typer.Option(help="E-mail address of the member. Default: a machine token.")] = None,
    role: Annotated[Role | None, typer.Option(help="Role, at most that of the member. Default: the member's role.")] = None,
    scope: Annotated[list[Permission] | None, typer.Option(help="Restrict the token to this permission. Can be repeated.")] = None,
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day on which the token is valid.")] = None,
    name: Annotated[str, typer.Option(help="Name of the token, such as its purpose.")] = "Command line",
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only the token.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Create a token and print it. It cannot be shown again."""
    expires_at = datetime.combine(expires, time.max, UTC) if expires else None

    async def create(database: Database) -> str:
        organization_row = await find_organization(database, name_or_id)
        async with open_write_scope(database, Actor.operator(organization_row.id), "token create") as write_scope:
            values = {"name": name, "role": role, "expires_at": expires_at}
            member_id = None if member is None else await members.find_by_email(write_scope, member)
            return (await tokens.create(write_scope, NewToken(values, member_id, scope or None))).secret

    secret = run_as_operator(data_dir, create)
    print_lines(secret)
    if not quiet:
        print_lines(f"Store this token now: it cannot be shown again. Send it as `Authorization: Bearer {secret[:8]}…`.")


@token.command("list")
def token_list(name_or_id: OrganizationOption = None, data_dir: DataDirOption = None) -> None:
    """List the tokens of an organization, without their secrets."""

    async def read_rows(database: Database) -> list[TokenRow]:
        tenant = (await find_organization(database, name_or_id)).id
        tx = database.read(tenant)
        try:
            return await tokens.every(Scope(Actor.operator(tenant), tx))
        finally:
            await tx.end()

    columns = ("Id", "Name", "Member", "Role", "Scope", "Expires", "Revoked")
    print_table(columns, map(_row_cells, run_as_operator(data_dir, read_rows)))


def _row_cells(row: TokenRow) -> list[str]:
    days = [f"{moment:%Y-%m-%d}" if moment else "" for moment in (row.expires_at, row.revoked_at)]
    return [str(row.id), row.name, row.member_name or "", row.role or "", ", ".join(row.scope or ()), *days]


@token.command("revoke")
def token_revoke(
    id: Annotated[UUID, typer.Argument(help="Id of the token, from `relaties token list`.")],
    name_or_id: OrganizationOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Revoke a token. It stops working within seconds."""

    async def revoke(database: Database) -> None:
        tenant = (await find_organization(database, name_or_id)).id
        async with open_write_scope(database, Actor.operator(tenant), "token revoke") as scope:
            await tokens.revoke(scope, id)

    run_as_operator(data_dir, revoke)
    print_lines("The token is revoked.")
