"""GraphQL types of API tokens."""

from datetime import datetime
from operator import attrgetter

import strawberry

from db.rows import TokenRow
from db.tables import Role, TokenFields
from domain.core.scope import Permission
from domain.organization import members, tokens
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import FieldOptions, list_size, relation
from schema.core.row_type import Node, attribute, computed_field, row_type
from schema.members import Member

MANAGE_OPTIONS = FieldOptions(permission=Permission.ORGANIZATION_WRITE)


@row_type(
    TokenRow, fields=TokenFields, description="A token with which a member or a machine signs in. Only `tokenCreate` shows its secret."
)
class ApiToken(Node):
    name: str = attribute("Name, for example the purpose of the token.")
    role: Role | None = attribute("Role, at most that of the member. The token has only permissions of both. Null means the member's role.")
    scope: list[Permission] | None = computed_field(
        attrgetter("scope"),
        "Permissions to which the token is limited. Null if it has all permissions of its role.",
        directives=[list_size(len(Permission))],
    )
    member: Member | None = relation(members.by_id, "Member who signs in with the token. Null for a machine token.", key="member_id")
    created_at: datetime = attribute("Time of creation.")
    created_by: Member | None = relation(
        members.by_id, "Member who created the token. Null if a machine token or the command line created it.", key="created_by"
    )
    expires_at: datetime | None = attribute("Expiry time. Null if the token does not expire.")
    revoked_at: datetime | None = attribute("Time of revocation. Null if the token is not revoked.")


@strawberry.type(description="A page of API tokens, newest first.")
class ApiTokenConnection(Connection[ApiToken]):
    total_count: int | None = declare_total_count(tokens.counts)
