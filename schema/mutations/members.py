"""Mutations of members and their payloads."""

from functools import partial

import strawberry

from domain.core.scope import Permission
from domain.organization.members import by_id
from resolvers import members
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.members import Member
from schema.user_errors import MemberVersionConflictError

GRANT_HINT = "Callers can grant only permissions that they have."
OWNERS_HINT = "For an owner, `OWNERS_WRITE` is required too."
LAST_OWNER_HINT = "Fails with `LAST_OWNER` if no other active owner would be left."
declare = partial(declare_mutation, permission=Permission.ORGANIZATION_WRITE)


@strawberry.type
class MemberPayload(Payload):
    member: Member | None = changed_object(by_id)


@mutations
class MemberMutations:
    member_add: MemberPayload = declare(
        members.add,
        "Adds a member, or reactivates the removed member with this e-mail address. "
        f"{GRANT_HINT} {OWNERS_HINT} Fails with `NAME_TAKEN` if an active member has the address.",
    )
    member_update: MemberPayload = declare(
        members.update,
        f"Changes a member. {GRANT_HINT} {OWNERS_HINT} {LAST_OWNER_HINT}",
        errors=[MemberVersionConflictError],
    )
    member_remove: MemberPayload = declare(
        members.remove,
        f"Deactivates a member and revokes their tokens. What they created stays attributed to them. {OWNERS_HINT} {LAST_OWNER_HINT}",
        errors=[MemberVersionConflictError],
    )
