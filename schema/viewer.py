"""Who asks."""

from operator import attrgetter

import strawberry

from db.rows import MemberRow, OrganizationRow
from db.tables import Role
from domain.scope import Actor, Permission
from resolvers import viewer
from resolvers.loaders import by
from schema.lens import Node, lens, read
from schema.scalars import CurrencyCode

strawberry.enum(Role, description="What a member does for the organization, from most to least rights.")
strawberry.enum(Permission, description="A right.")


@lens(OrganizationRow, description="A company that uses Relaties. Nobody sees anything of another.")
class Organization(Node):
    name: str = strawberry.field(description="Name.")
    currency: CurrencyCode = read(attrgetter("base_currency"), description="Currency in which totals are given.")
    country: str = strawberry.field(description="Country of ISO 3166-1, as `NL`.")
    locale: str = strawberry.field(description="Language and region, as `nl-NL`.")
    time_zone: str = read(attrgetter("timezone"), description="Time zone, as `Europe/Amsterdam`.")
    version: int = strawberry.field(description="Grows by one with each change.")


@lens(MemberRow, description="A person who works for the organization.")
class Member(Node):
    name: str = strawberry.field(description="Name.")
    email: str = strawberry.field(description="E-mail address.")
    role: Role = strawberry.field(description="Role.")
    is_active: bool = strawberry.field(description="Whether the member can sign in.")
    version: int = strawberry.field(description="Grows by one with each change.")


@lens(Actor, description="Who asks, and what they may.")
class Viewer:
    organization: Organization | None = by(viewer.organization, key="tenant", description="The organization that the token belongs to.")
    member: Member | None = by(viewer.member, key="member_id", description="The member whose token it is; null for a machine's.")
    permissions: list[Permission] = read(lambda actor: sorted(actor.permissions), description="Rights of the token, by name.")
