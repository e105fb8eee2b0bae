"""Inputs and resolvers of members."""

from uuid import UUID

import strawberry

from db.tables import ExistingMemberFields, MemberFields, Role
from domain.core.scope import WriteScope
from domain.organization import members
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import VERSION_DESCRIPTION, VersionedInput, input_of, input_values, patch_of, patch_values, to_uuid

describe_enum(
    Role,
    "Role of a member or a token, from most to fewest permissions.",
    OWNER="All permissions, including `OWNERS_WRITE`.",
    ADMIN="All permissions except `OWNERS_WRITE`.",
    FINANCE="Read and change clients, registrations and financial data; import and export clients.",
    MEMBER="Read and change clients and registrations, without financial data.",
    VIEWER="Read clients and registrations, without financial data.",
)


@input_of(MemberFields, description="A new member, or a removed member to reactivate.")
class MemberAddInput: ...


@patch_of(
    ExistingMemberFields,
    description="Changes to a member. Omitted fields stay unchanged. With `isActive: false` the member keeps their tokens; "
    "`memberRemove` revokes them.",
)
class MemberUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the member.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


@strawberry.input(description="A member to remove.")
class MemberRemoveInput(VersionedInput): ...


async def add(scope: WriteScope, input: MemberAddInput) -> UUID:
    return await members.add(scope, input_values(MemberFields, input))


async def update(scope: WriteScope, input: MemberUpdateInput) -> UUID:
    changes = patch_values(ExistingMemberFields, input)
    return await members.update(scope, to_uuid(input.id, "Member"), changes, expected_version=input.expected_version)


async def remove(scope: WriteScope, input: MemberRemoveInput) -> UUID:
    return await members.remove(scope, to_uuid(input.id, "Member"), expected_version=input.expected_version)
