"""API tokens."""

from datetime import datetime
from operator import attrgetter

import strawberry

from db.rows import TokenRow
from db.tables import Role, TokenFields
from domain.core.scope import Permission
from domain.organization import members, tokens
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import FieldOptions, list_size, relation
from schema.core.row_type import Node, computed_field, row_type
from schema.members import Member

MANAGE_OPTIONS = FieldOptions(permission=Permission.ORGANIZATION_WRITE)


@row_type(
    TokenRow,
    fields=TokenFields,
    description="A token that a member or a machine signs in with. The token itself is shown once, when it is made.",
)
class ApiToken(Node):
    name: str = strawberry.field(description="What it is for.")
    role: Role | None = strawberry.field(
        description="Its role, at most its member's; what it may is the least of both. Null for the member's."
    )
    scope: list[Permission] | None = computed_field(
        attrgetter("scope"), description="The only rights that it has; null for all of its role.", directives=[list_size(len(Permission))]
    )
    member: Member | None = relation(members.by_id, key="member_id", description="The member whose token it is; null for a machine's.")
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by: Member | None = relation(
        members.by_id, key="created_by", description="The member who created it; null where a machine or the command line did."
    )
    expires_at: datetime | None = strawberry.field(description="Until when it signs in; null for no end.")
    revoked_at: datetime | None = strawberry.field(description="Since when it signs nobody in any more; null while it does.")


@strawberry.type(description="Tokens, the newest first.")
class ApiTokenConnection(Connection[ApiToken]):
    total_count: int | None = declare_total_count(tokens.counts)
