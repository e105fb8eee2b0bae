"""The viewer: the caller and their permissions."""

from domain.core.scope import Actor, Permission
from domain.organization import members, organizations
from schema.core.fields import list_size, relation
from schema.core.row_type import computed_field, row_type
from schema.members import Member
from schema.organizations import Organization


@row_type(Actor, description="Who asks, and what they may.")
class Viewer:
    organization: Organization | None = relation(
        organizations.by_id, key="tenant", description="The organization that the token belongs to."
    )
    member: Member | None = relation(members.by_id, key="member_id", description="The member whose token it is; null for a machine's.")
    permissions: list[Permission] = computed_field(
        lambda actor: sorted(actor.permissions), description="Rights of the token, by name.", directives=[list_size(len(Permission))]
    )
