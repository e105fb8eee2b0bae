"""Inputs and resolvers of members."""

from uuid import UUID

import strawberry

from db.tables import ExistingMemberFields, MemberFields, Role
from domain.core.scope import WriteScope
from domain.organization import members
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, input_of, input_values, patch_of, patch_values, to_uuid

describe_enum(
    Role,
    "What a member does for the organization, from most to least rights.",
    OWNER="Everything, and who else is an owner.",
    ADMIN="Everything but that.",
    FINANCE="Clients and their figures, imports and exports.",
    MEMBER="Clients and registrations, without figures.",
    VIEWER="Looks at clients, without figures.",
)


@input_of(MemberFields, description="A new member. By the e-mail address of one who was removed, that one is brought back.")
class MemberAddInput: ...


@patch_of(
    ExistingMemberFields,
    description="What to change of a member: what is left out stays. One who is not active keeps the tokens; `memberRemove` revokes them.",
)
class MemberUpdateInput:
    id: GlobalId = strawberry.field(description="The member.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


@strawberry.input(description="A member to remove.")
class MemberRemoveInput:
    id: GlobalId = strawberry.field(description="The member.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


async def add(scope: WriteScope, input: MemberAddInput) -> UUID:
    return await members.add(scope, input_values(MemberFields, input))


async def update(scope: WriteScope, input: MemberUpdateInput) -> UUID:
    changes = patch_values(ExistingMemberFields, input)
    return await members.update(scope, to_uuid(input.id, "Member"), changes, expected_version=input.expected_version)


async def remove(scope: WriteScope, input: MemberRemoveInput) -> UUID:
    return await members.remove(scope, to_uuid(input.id, "Member"), expected_version=input.expected_version)
