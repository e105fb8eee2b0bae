"""Mutations of members, and their payloads."""

from functools import partial

import strawberry

from domain.core.scope import Permission
from domain.organization.members import by_id
from resolvers import members
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.members import Member

OWNERS_HINT = "What is of an owner takes OWNERS_WRITE as well."
declare = partial(declare_mutation, permission=Permission.ORGANIZATION_WRITE)


@strawberry.type
class MemberPayload(Payload):
    member: Member | None = changed_object(by_id)


@mutations
class MemberMutations:
    member_add: MemberPayload = declare(members.add, description=f"Adds a member, with no more rights than one has oneself. {OWNERS_HINT}")
    member_update: MemberPayload = declare(
        members.update, description=f"Changes a member, who has no more rights then than one has oneself. {OWNERS_HINT}"
    )
    member_remove: MemberPayload = declare(
        members.remove, description=f"Takes a member's way in away and revokes their tokens; what they did stays theirs. {OWNERS_HINT}"
    )
