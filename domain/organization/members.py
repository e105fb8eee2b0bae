"""Read, add, change and remove members. Every member may read the others. An organization always has an active owner."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from db.queries import members as rows
from db.rows import MemberRow
from db.sql import locking
from db.tables import ApiToken, ExistingMemberFields, Member, MemberFields, Role
from db.tables.timestamps import now
from domain.core.errors import BadInput, InvalidInput, LastOwner, NameTaken, NotFound, RuleViolation, not_found
from domain.core.locking import apply_changes, expect_version, field_values, lock
from domain.core.lookups import normalize_lookup
from domain.core.pagination import OrganizationPageReader, SortOrder
from domain.core.scope import ROLE_PERMISSIONS, Permission, WriteScope
from domain.core.validation import validate, validate_patch

LAST_OWNER_MESSAGE = "This is the only active owner of the organization. Make another member an owner first."
OLDEST_FIRST: SortOrder[MemberRow] = SortOrder("organization.members", attrgetter("id", "id"))
of_organization = OrganizationPageReader(OLDEST_FIRST, rows.page)
"""Return the members in order of creation."""
counts, by_id = rows.counts, rows.by_id


async def find_by_email(scope: WriteScope, email: str) -> UUID:
    """Return the id of the member with this e-mail address. Raises `RuleViolation` if there is none."""
    try:
        email = normalize_lookup(MemberFields, "email", email, "member")
    except BadInput as error:
        raise RuleViolation(InvalidInput(["member"], str(error))) from error
    member_row = await rows.by_email(scope, email)
    if member_row is None:
        raise RuleViolation(NotFound(["member"], f"No member has the e-mail address {email}. Check the address."))
    return member_row.id


async def add(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    """Add a member. The e-mail address is unique in the organization; a removed member with this address is reactivated and updated."""
    scope.require(Permission.ORGANIZATION_WRITE)
    fields = validate(MemberFields, values)
    scope.require_all(ROLE_PERMISSIONS[fields.role])
    if existing := await rows.by_email(scope, fields.email):
        return await _reactivate(scope, existing.id, fields)
    member = Member(tenant_id=scope.tenant, **fields.model_dump())
    scope.session.add(member)
    return member.id


async def _reactivate(scope: WriteScope, member_id: UUID, fields: MemberFields) -> UUID:
    member = await lock(scope, Member, member_id)
    if member.is_active:
        raise RuleViolation(_name_taken_error(fields.email))
    scope.require_can_manage(member.role)
    apply_changes(member, {**fields.model_dump(), "is_active": True})
    return member.id


def _name_taken_error(email: str) -> NameTaken:
    return NameTaken(["email"], f"Another member has the e-mail address {email}. Use another address.")


async def update(scope: WriteScope, member_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Change a member. The caller needs every permission of the member's new role."""
    scope.require(Permission.ORGANIZATION_WRITE)
    member, has_other_owner = await _lock_member(scope, member_id, expected_version)
    scope.require_can_manage(member.role)
    new_values: dict[str, Any] = validate_patch(ExistingMemberFields, field_values(member, ExistingMemberFields), changes)
    scope.require_all(ROLE_PERMISSIONS[Role(new_values.get("role", member.role))])
    if "email" in new_values:
        await _reject_taken_email(scope, new_values["email"], member_id)
    if not has_other_owner and _is_owner(member):
        _reject_last_owner(new_values)
    apply_changes(member, new_values)
    return member.id


async def _lock_member(scope: WriteScope, member_id: UUID, expected_version: int) -> tuple[Member, bool]:
    """Lock a member and all owners. Return the member and whether there is another owner."""
    members_by_id = await rows.lock_with_owners(scope, member_id)
    member = members_by_id.pop(member_id, None)
    if member is None:
        raise RuleViolation(not_found("member", ["id"]))
    expect_version(member, expected_version)
    return member, bool(members_by_id)


def _is_owner(member: Member) -> bool:
    return member.is_active and member.role == Role.OWNER


def _reject_last_owner(new_values: Mapping[str, object]) -> None:
    losses = {"role": new_values.get("role", Role.OWNER) != Role.OWNER, "isActive": not new_values.get("is_active", True)}
    if path := [name for name, is_loss in losses.items() if is_loss]:
        raise RuleViolation(LastOwner(path[:1], LAST_OWNER_MESSAGE))


async def _reject_taken_email(scope: WriteScope, email: str, member_id: UUID) -> None:
    """Reject an address in use, ignoring case. If two requests store an address at once, one fails in the database and is retried."""
    other = await rows.by_email(scope, email)
    if other and other.id != member_id:
        raise RuleViolation(_name_taken_error(email))


async def remove(scope: WriteScope, member_id: UUID, *, expected_version: int) -> UUID:
    """Deactivate a member and revoke their tokens. Keep the row, because the audit log refers to it."""
    scope.require(Permission.ORGANIZATION_WRITE)
    member, has_other_owner = await _lock_member(scope, member_id, expected_version)
    scope.require_can_manage(member.role)
    if _is_owner(member) and not has_other_owner:
        raise RuleViolation(LastOwner(["id"], LAST_OWNER_MESSAGE))
    for token in await locking.find(scope, ApiToken, member_id=member_id, revoked_at=None):
        token.revoked_at = now()
    apply_changes(member, {"is_active": False})
    return member.id
