"""Who asks."""

from domain import members, organizations
from domain.scope import Actor, Permission
from schema.fields import by, listed
from schema.lens import lens, read
from schema.members import Member
from schema.organizations import Organization


@lens(Actor, description="Who asks, and what they may.")
class Viewer:
    organization: Organization | None = by(organizations.by_id, key="tenant", description="The organization that the token belongs to.")
    member: Member | None = by(members.by_id, key="member_id", description="The member whose token it is; null for a machine's.")
    permissions: list[Permission] = read(
        lambda actor: sorted(actor.permissions), description="Rights of the token, by name.", directives=[listed(len(Permission))]
    )
