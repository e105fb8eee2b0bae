"""Members of the organization."""

import strawberry

from db.rows import MemberRow
from db.tables import ExistingMemberFields, MemberFields, Role
from domain.organization import members
from schema.core.connections import Connection, declare_total_count
from schema.core.row_type import DESCRIBED_BY, Node, row_type


@row_type(MemberRow, fields=MemberFields, description="A person who works for the organization, or did.")
class Member(Node):
    name: str = strawberry.field(description="Name.")
    email: str = strawberry.field(description="E-mail address, used once in an organization.")
    role: Role = strawberry.field(description="Role.")
    is_active: bool = strawberry.field(description="Whether the member can sign in.")
    version: int = strawberry.field(description="Grows by one with each change.")


DESCRIBED_BY[ExistingMemberFields] = Member


@strawberry.type(description="Members in the order of their making, those who were removed too.")
class MemberConnection(Connection[Member]):
    total_count: int | None = declare_total_count(members.counts)
