"""GraphQL type of the viewer: the caller and their permissions."""

from domain.core.scope import Actor, Permission
from domain.organization import members, organizations
from schema.core.fields import REFERENCE_OPTIONS, list_size, relation
from schema.core.row_type import computed_field, row_type
from schema.members import Member
from schema.organizations import Organization


@row_type(Actor, description="The caller and their permissions.")
class Viewer:
    organization: Organization | None = relation(organizations.by_id, "Organization of the token.", key="tenant", options=REFERENCE_OPTIONS)
    member: Member | None = relation(members.by_id, "Member who signs in with the token. Null for a machine token.", key="member_id")
    permissions: list[Permission] = computed_field(
        lambda actor: sorted(actor.permissions), "Permissions of the token, sorted by name.", directives=[list_size(len(Permission))]
    )
