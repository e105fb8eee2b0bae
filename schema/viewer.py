"""Who asks."""

from operator import attrgetter

import strawberry

from db.rows import MemberRow, OrganizationRow
from db.tables import Role
from domain.scope import Actor, Permission
from resolvers import viewer
from resolvers.words import words
from schema.fields import by, listed
from schema.lens import Node, lens, read
from schema.scalars import CurrencyCode

words(
    Role,
    "What a member does for the organization, from most to least rights.",
    OWNER="Everything, and who else is an owner.",
    ADMIN="Everything but that.",
    FINANCE="Clients and their figures, imports and exports.",
    MEMBER="Clients and registrations, without figures.",
    VIEWER="Looks at clients, without figures.",
)
words(
    Permission,
    "A right.",
    CLIENTS_READ="To see clients, contacts, labels, projects, and registrations without amounts.",
    CLIENTS_WRITE="To change clients, contacts, labels and what links them.",
    REGISTRATIONS_WRITE="To register time, expenses and mileage.",
    FINANCE_READ="To see figures: revenue, rates, bank accounts, invoices.",
    FINANCE_WRITE="To change financial settings, VAT rates, layouts, invoices.",
    CLIENTS_ARCHIVE="To archive clients, take them back, and delete them.",
    CLIENTS_IMPORT="To import clients.",
    CLIENTS_EXPORT="To export clients.",
    ORGANIZATION_WRITE="To change the organization, its members and tokens.",
    OWNERS_WRITE="To make and remove owners.",
)


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
    permissions: list[Permission] = read(
        lambda actor: sorted(actor.permissions), description="Rights of the token, by name.", directives=[listed(len(Permission))]
    )
