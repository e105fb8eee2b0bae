"""Commands on organizations, members and tokens: for whoever has the owner's address, so they need no token."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from db.engine import Database
from db.rows import OrganizationRow, TokenRow
from db.tables import OrganizationFields, Role
from domain import members, organizations, tokens
from domain.errors import BadInput
from domain.lookups import normalize_lookup
from domain.scope import Actor, Permission, Scope, open_write_scope
from domain.tokens import NewToken
from server.doctor import UnfitError
from server.options import DataDir, chosen, run
from server.output import out, print_table, say
from server.place import Place, as_owner, place

T = TypeVar("T")
organization = typer.Typer(no_args_is_help=True, help="Organizations.")
member = typer.Typer(no_args_is_help=True, help="Members of an organization.")
token = typer.Typer(no_args_is_help=True, help="Tokens to sign in with.")
OfOrganization = Annotated[str | None, typer.Option("--organization", help="Name or id. Not needed while there is one.")]


def _as_operator(data_dir: Path | None, act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    async def acted(found: Place) -> T:
        async with as_owner(found) as database:
            return await act(database)

    with place(chosen(data_dir), say) as found:
        return run(acted(found))


async def _organization(database: Database, wanted: str | None) -> OrganizationRow:
    """The one meant: by name or id, or the only one there is."""
    known = await organizations.everywhere(database)
    found = [one for one in known if wanted in {None, str(one.id), one.name}] or [one for one in known if _is_named(one, wanted or "")]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{one.name} ({one.id})" for one in known) or "none yet: relaties organization create NAME"
    raise UnfitError(f"Say which organization with --organization. There are: {names}.")


def _is_named(one: OrganizationRow, wanted: str) -> bool:
    """Whether this is its name, in whatever form a terminal sends it."""
    try:
        return normalize_lookup(OrganizationFields, "name", wanted, "--organization") == one.name
    except BadInput as wrong:
        raise UnfitError(str(wrong)) from wrong


@organization.command("create")
def organization_create(
    name: Annotated[str, typer.Argument(help="Name of the organization.")],
    currency: Annotated[str, typer.Option(help="Currency in which totals are given.")] = "EUR",
    country: Annotated[str, typer.Option(help="Country, of ISO 3166-1.")] = "NL",
    data_dir: DataDir = None,
) -> None:
    """Make an organization, and print its id."""

    async def act(database: Database) -> UUID:
        tenant = organizations.new_tenant_id()
        async with open_write_scope(database, Actor.operator(tenant), "organization create") as scope:
            values = {"name": name, "base_currency": currency, "country": country}
            return await organizations.create(scope, values)

    out(str(_as_operator(data_dir, act)))


@member.command("add")
def member_add(
    name: Annotated[str, typer.Argument(help="Name of the person.")],
    email: Annotated[str, typer.Argument(help="E-mail address, used once in an organization.")],
    role: Annotated[Role, typer.Option(help="What the member does for the organization.")] = Role.MEMBER,
    of: OfOrganization = None,
    data_dir: DataDir = None,
) -> None:
    """Add a member to an organization, and print its id."""

    async def act(database: Database) -> UUID:
        tenant = (await _organization(database, of)).id
        async with open_write_scope(database, Actor.operator(tenant), "member add") as scope:
            values = {"name": name, "email": email, "role": role}
            return await members.add(scope, values)

    out(str(_as_operator(data_dir, act)))


@token.command("create")
def token_create(  # noqa: PLR0913, PLR0917 its options
    of: OfOrganization = None,
    member: Annotated[str | None, typer.Option(help="E-mail address of the member. Without one the token is a machine's.")] = None,
    role: Annotated[Role | None, typer.Option(help="Role of the token, at most the member's; the member's unless given.")] = None,
    scope: Annotated[list[Permission] | None, typer.Option(help="Only this right. May be repeated.")] = None,
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it signs in.")] = None,
    name: Annotated[str, typer.Option(help="What the token is for.")] = "Command line",
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the token alone.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Make a token, and print it, once."""
    until = datetime.combine(expires, time.max, UTC) if expires else None

    async def act(database: Database) -> str:
        found = await _organization(database, of)
        async with open_write_scope(database, Actor.operator(found.id), "token create") as work:
            values = {"name": name, "role": role, "expires_at": until}
            member_id = None if member is None else await members.find_by_email(work, member)
            return (await tokens.create(work, NewToken(values, member_id, scope or None))).secret

    secret = _as_operator(data_dir, act)
    out(secret)
    if not quiet:
        out(f"Keep it well: it is shown only now. Send it as `Authorization: Bearer {secret[:8]}…`.")


@token.command("list")
def token_list(of: OfOrganization = None, data_dir: DataDir = None) -> None:
    """List the tokens of an organization; never the tokens themselves."""

    async def act(database: Database) -> list[TokenRow]:
        tenant = (await _organization(database, of)).id
        tx = database.read(tenant)
        try:
            return await tokens.every(Scope(Actor.operator(tenant), tx))
        finally:
            await tx.end()

    columns = ("Id", "Name", "Member", "Role", "Scope", "Expires", "Revoked")
    print_table(columns, map(_cells, _as_operator(data_dir, act)))


def _cells(row: TokenRow) -> list[str]:
    days = [f"{moment:%Y-%m-%d}" if moment else "" for moment in (row.expires_at, row.revoked_at)]
    return [str(row.id), row.name, row.member_name or "", row.role or "", ", ".join(row.scope or ()), *days]


@token.command("revoke")
def token_revoke(
    id: Annotated[UUID, typer.Argument(help="Id of the token, from `relaties token list`.")],
    of: OfOrganization = None,
    data_dir: DataDir = None,
) -> None:
    """Revoke a token: within seconds it signs nobody in any more."""

    async def act(database: Database) -> None:
        tenant = (await _organization(database, of)).id
        async with open_write_scope(database, Actor.operator(tenant), "token revoke") as scope:
            await tokens.revoke(scope, id)

    _as_operator(data_dir, act)
    out("Revoked.")
