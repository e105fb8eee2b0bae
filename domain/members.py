"""Rules of members. Every member sees who the others are; an organization always has an owner who can sign in."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from db import entities
from db import members as rows
from db.moments import now
from db.rows import MemberRow
from db.tables import ApiToken, ExistingMemberFields, Member, MemberFields, Role
from domain.changes import apply, expect, filled, held
from domain.checks import checked, checked_patch
from domain.errors import BadInput, InvalidInput, LastOwner, NameTaken, NotFound, Refused, not_found
from domain.lookups import normalize_lookup
from domain.pages import Order, PagesOfOrganization
from domain.scope import RIGHTS, Permission, WriteScope

IN_ORDER: Order[MemberRow] = Order("organization.members", attrgetter("id", "id"))
of_organization = PagesOfOrganization(IN_ORDER, rows.page)
"""The members in the order of their creation."""
counts, by_id = rows.counts, rows.by_id


async def named(scope: WriteScope, email: str) -> UUID:
    """The member of an e-mail address."""
    try:
        email = normalize_lookup(MemberFields, "email", email, "member")
    except BadInput as wrong:
        raise Refused(InvalidInput(["member"], str(wrong))) from wrong
    found = await rows.by_email(scope, email)
    if found is None:
        raise Refused(NotFound(["member"], f"No member has the address {email}."))
    return found.id


async def add(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    """A member by e-mail address, which is used once in an organization. One who was removed is brought back, with what is given now."""
    scope.must(Permission.ORGANIZATION_WRITE)
    wanted = checked(MemberFields, values)
    scope.must_have(RIGHTS[wanted.role])
    if known := await rows.by_email(scope, wanted.email):
        return await _brought_back(scope, known.id, wanted)
    member = Member(tenant_id=scope.tenant, **wanted.model_dump())
    scope.session.add(member)
    return member.id


async def _brought_back(scope: WriteScope, member_id: UUID, wanted: MemberFields) -> UUID:
    member = await held(scope, Member, member_id)
    if member.is_active:
        raise Refused(_taken(wanted.email))
    scope.must_manage(member.role)
    apply(member, {**wanted.model_dump(), "is_active": True})
    return member.id


def _taken(email: str) -> NameTaken:
    return NameTaken(["email"], f"{email} is a member already.")


async def update(scope: WriteScope, member_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Whoever changes a member may do all that the member may do then."""
    scope.must(Permission.ORGANIZATION_WRITE)
    member, has_other_owner = await _held(scope, member_id, expected_version)
    scope.must_manage(member.role)
    wanted: dict[str, Any] = checked_patch(ExistingMemberFields, filled(member, ExistingMemberFields), changes)
    scope.must_have(RIGHTS[Role(wanted.get("role", member.role))])
    if "email" in wanted:
        await _refuse_taken(scope, wanted["email"], member_id)
    if not has_other_owner and _is_owner(member):
        _refuse_last(wanted)
    apply(member, wanted)
    return member.id


async def _held(scope: WriteScope, member_id: UUID, expected_version: int) -> tuple[Member, bool]:
    """The member, and whether there is another owner; neither changes until the unit of work ends."""
    found = await rows.lock_with_owners(scope, member_id)
    member = found.pop(member_id, None)
    if member is None:
        raise Refused(not_found("member", ["id"]))
    expect(member, expected_version)
    return member, bool(found)


def _is_owner(member: Member) -> bool:
    return member.is_active and member.role == Role.OWNER


def _refuse_last(wanted: Mapping[str, object]) -> None:
    lost = {"role": wanted.get("role", Role.OWNER) != Role.OWNER, "isActive": not wanted.get("is_active", True)}
    if path := [name for name, is_lost in lost.items() if is_lost]:
        raise Refused(LastOwner(path[:1], "This is the only owner who can sign in. Make somebody else an owner first."))


async def _refuse_taken(scope: WriteScope, email: str, own: UUID) -> None:
    """Without regard to capitals. Two that come at once both look, one is stored, and the other looks again."""
    taken = await rows.by_email(scope, email)
    if taken and taken.id != own:
        raise Refused(_taken(email))


async def remove(scope: WriteScope, member_id: UUID, *, expected_version: int) -> UUID:
    """Takes away every way in: the tokens are revoked for good. What the member did stays theirs, so the row stays too."""
    scope.must(Permission.ORGANIZATION_WRITE)
    member, has_other_owner = await _held(scope, member_id, expected_version)
    scope.must_manage(member.role)
    if _is_owner(member) and not has_other_owner:
        raise Refused(LastOwner(["id"], "This is the only owner who can sign in. Make somebody else an owner first."))
    for token in await entities.find(scope, ApiToken, member_id=member_id, revoked_at=None):
        token.revoked_at = now()
    apply(member, {"is_active": False})
    return member.id
