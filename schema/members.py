"""GraphQL types of members."""

import strawberry

from db.rows import MemberRow
from db.tables import ExistingMemberFields, MemberFields, Role
from domain.organization import members
from schema.core.connections import Connection, declare_total_count
from schema.core.row_type import DESCRIBED_BY, Node, attribute, row_type


@row_type(MemberRow, fields=MemberFields, description="A current or former member of the organization.")
class Member(Node):
    name: str = attribute("Name.")
    email: str = attribute("E-mail address, unique in the organization; case is ignored.")
    role: Role = attribute("Role, which determines the member's permissions.")
    is_active: bool = attribute("Whether the member can sign in.")
    version: int = attribute("Version number, incremented by every change.")


DESCRIBED_BY[ExistingMemberFields] = Member


@strawberry.type(description="A page of members, oldest first, including removed members.")
class MemberConnection(Connection[Member]):
    total_count: int | None = declare_total_count(members.counts)
