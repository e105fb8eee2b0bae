"""The root of all mutations."""

import strawberry

from schema.mutations.client_links import ClientLinkMutations
from schema.mutations.clients import ClientMutations
from schema.mutations.contacts import ContactMutations
from schema.mutations.labels import LabelMutations
from schema.mutations.layouts import InvoiceLayoutMutations
from schema.mutations.members import MemberMutations
from schema.mutations.organizations import OrganizationMutations
from schema.mutations.projects import ProjectMutations
from schema.mutations.registrations import RegistrationMutations
from schema.mutations.tokens import TokenMutations
from schema.mutations.vat_rates import VatRateMutations


@strawberry.type(
    description="What can be changed. Each is done whole or not at all, unless asked otherwise; several are done one after the other."
)
class Mutation(
    ClientMutations,
    ClientLinkMutations,
    ContactMutations,
    LabelMutations,
    ProjectMutations,
    RegistrationMutations,
    VatRateMutations,
    InvoiceLayoutMutations,
    OrganizationMutations,
    MemberMutations,
    TokenMutations,
): ...
