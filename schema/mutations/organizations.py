"""The mutation of the organization and its payload."""

import strawberry

from domain.core.scope import Permission
from domain.organization.organizations import by_id
from resolvers import organizations
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.organizations import Organization
from schema.user_errors import OrganizationVersionConflictError


@strawberry.type
class OrganizationUpdatePayload(Payload):
    organization: Organization | None = changed_object(by_id)


@mutations
class OrganizationMutations:
    organization_update: OrganizationUpdatePayload = declare_mutation(
        organizations.update,
        "Changes the organization of the token.",
        permission=Permission.ORGANIZATION_WRITE,
        errors=[OrganizationVersionConflictError],
    )
