"""Members of the organization."""

import strawberry

from db.rows import MemberRow
from db.tables import ExistingMemberFields, MemberFields, Role
from domain import members
from schema.connections import COUNTED, TOTAL, Connection
from schema.fields import by
from schema.lens import SHOWN, Node, lens


@lens(MemberRow, fields=MemberFields, description="A person who works for the organization, or did.")
class Member(Node):
    name: str = strawberry.field(description="Name.")
    email: str = strawberry.field(description="E-mail address, used once in an organization.")
    role: Role = strawberry.field(description="Role.")
    is_active: bool = strawberry.field(description="Whether the member can sign in.")
    version: int = strawberry.field(description="Grows by one with each change.")


SHOWN[ExistingMemberFields] = Member


@strawberry.type(description="Members in the order of their making, those who were removed too.")
class MemberConnection(Connection[Member]):
    total_count: int | None = by(members.counts, key="selector", description=TOTAL, terms=COUNTED)
