"""Manage organizations, members and tokens with the owner's database address; no token is needed."""

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
organization = typer.Typer(no_args_is_help=True, help="Organizations.")
member = typer.Typer(no_args_is_help=True, help="Members of an organization.")
token = typer.Typer(no_args_is_help=True, help="Tokens to sign in with.")
OrganizationOption = Annotated[str | None, typer.Option("--organization", help="Name or id. Not needed while there is one.")]


def _run_as_operator(data_dir: Path | None, act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    async def act_as_owner(urls: DatabaseUrls) -> T:
        async with open_as_owner(urls) as database:
            return await act(database)

    with open_database(load_settings(data_dir), print_status) as urls:
        return run(act_as_owner(urls))


async def _find_organization(database: Database, name_or_id: str | None) -> OrganizationRow:
    """Find the organization by name or id, or the only one."""
    candidates = await organizations.everywhere(database)
    matches = [row for row in candidates if name_or_id in {None, str(row.id), row.name}] or [
        row for row in candidates if _has_name(row, name_or_id or "")
    ]
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(f"{row.name} ({row.id})" for row in candidates) or "none yet: relaties organization create NAME"
    raise StartupError(f"Say which organization with --organization. There are: {names}.")


def _has_name(row: OrganizationRow, name: str) -> bool:
    """Return whether this is its name, in any Unicode form that a terminal sends."""
    try:
        return normalize_lookup(OrganizationFields, "name", name, "--organization") == row.name
    except BadInput as error:
        raise StartupError(str(error)) from error


@organization.command("create")
def organization_create(
    name: Annotated[str, typer.Argument(help="Name of the organization.")],
    currency: Annotated[str, typer.Option(help="Currency in which totals are given.")] = "EUR",
    country: Annotated[str, typer.Option(help="Country, of ISO 3166-1.")] = "NL",
    data_dir: DataDirOption = None,
) -> None:
    """Create an organization and print its id."""

    async def act(database: Database) -> UUID:
        tenant = organizations.new_tenant_id()
        async with open_write_scope(database, Actor.operator(tenant), "organization create") as scope:
            values = {"name": name, "base_currency": currency, "country": country}
            return await organizations.create(scope, values)

    print_lines(str(_run_as_operator(data_dir, act)))


@member.command("add")
def member_add(
    name: Annotated[str, typer.Argument(help="Name of the person.")],
    email: Annotated[str, typer.Argument(help="E-mail address, used once in an organization.")],
    role: Annotated[Role, typer.Option(help="What the member does for the organization.")] = Role.MEMBER,
    name_or_id: OrganizationOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Add a member to an organization, and print its id."""

    async def act(database: Database) -> UUID:
        tenant = (await _find_organization(database, name_or_id)).id
        async with open_write_scope(database, Actor.operator(tenant), "member add") as scope:
            values = {"name": name, "email": email, "role": role}
            return await members.add(scope, values)

    print_lines(str(_run_as_operator(data_dir, act)))


@token.command("create")
def token_create(  # noqa: PLR0913, PLR0917 its options
    name_or_id: OrganizationOption = None,
    member: Annotated[str | None, typer.Option(help="E-mail address of the member. Without one the token is a machine's.")] = None,
    role: Annotated[Role | None, typer.Option(help="Role of the token, at most the member's; the member's unless given.")] = None,
    scope: Annotated[list[Permission] | None, typer.Option(help="Only this right. May be repeated.")] = None,
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it signs in.")] = None,
    name: Annotated[str, typer.Option(help="What the token is for.")] = "Command line",
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the token alone.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Create a token and print it, once."""
    expires_at = datetime.combine(expires, time.max, UTC) if expires else None

    async def act(database: Database) -> str:
        organization_row = await _find_organization(database, name_or_id)
        async with open_write_scope(database, Actor.operator(organization_row.id), "token create") as write_scope:
            values = {"name": name, "role": role, "expires_at": expires_at}
            member_id = None if member is None else await members.find_by_email(write_scope, member)
            return (await tokens.create(write_scope, NewToken(values, member_id, scope or None))).secret

    secret = _run_as_operator(data_dir, act)
    print_lines(secret)
    if not quiet:
        print_lines(f"Keep it well: it is shown only now. Send it as `Authorization: Bearer {secret[:8]}…`.")


@token.command("list")
def token_list(name_or_id: OrganizationOption = None, data_dir: DataDirOption = None) -> None:
    """List the tokens of an organization, without their secrets."""

    async def act(database: Database) -> list[TokenRow]:
        tenant = (await _find_organization(database, name_or_id)).id
        tx = database.read(tenant)
        try:
            return await tokens.every(Scope(Actor.operator(tenant), tx))
        finally:
            await tx.end()

    columns = ("Id", "Name", "Member", "Role", "Scope", "Expires", "Revoked")
    print_table(columns, map(_row_cells, _run_as_operator(data_dir, act)))


def _row_cells(row: TokenRow) -> list[str]:
    days = [f"{moment:%Y-%m-%d}" if moment else "" for moment in (row.expires_at, row.revoked_at)]
    return [str(row.id), row.name, row.member_name or "", row.role or "", ", ".join(row.scope or ()), *days]


@token.command("revoke")
def token_revoke(
    id: Annotated[UUID, typer.Argument(help="Id of the token, from `relaties token list`.")],
    name_or_id: OrganizationOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Revoke a token; it stops working within seconds."""

    async def act(database: Database) -> None:
        tenant = (await _find_organization(database, name_or_id)).id
        async with open_write_scope(database, Actor.operator(tenant), "token revoke") as scope:
            await tokens.revoke(scope, id)

    _run_as_operator(data_dir, act)
    print_lines("Revoked.")
