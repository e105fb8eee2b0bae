"""Rules of organizations and their members. Every member sees the organization and who its members are."""

from collections.abc import Mapping
from uuid import UUID

from db import entities
from db import organizations as rows
from db.keys import new_id
from db.organizations import by_id, everywhere, held, members_by_id
from db.tables import Member, MemberFields, Organization, OrganizationFields, Role
from domain.checks import checked
from domain.errors import NameTaken, Refused
from domain.scope import Permission, WriteScope

__all__ = ["add_member", "by_id", "country", "create", "everywhere", "held", "members_by_id", "new_tenant", "own"]

new_tenant = new_id


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    """A new organization: the one that the scope is of."""
    scope.must(Permission.OWNERS_WRITE)
    scope.session.add(Organization(tenant_id=scope.tenant, **checked(OrganizationFields, values).model_dump()))
    return scope.tenant


async def add_member(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    """A member by e-mail address, which is used once in an organization. Making an owner takes a right of its own."""
    scope.must(Permission.ORGANIZATION_WRITE)
    wanted = checked(MemberFields, values)
    if wanted.role == Role.OWNER:
        scope.must(Permission.OWNERS_WRITE)
    if await rows.member_by_email(scope, wanted.email):
        raise Refused(NameTaken(["email"], f"{wanted.email} is a member already."))
    member = Member(tenant_id=scope.tenant, **wanted.model_dump())
    scope.session.add(member)
    return member.id


async def own(scope: WriteScope) -> Organization:
    """The organization that the unit of work is of."""
    (found,) = await entities.found(scope, Organization)
    return found


async def country(scope: WriteScope) -> str:
    """Where a telephone number is from that does not say it."""
    return (await own(scope)).country
