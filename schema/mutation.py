"""The root type of mutations, composed of the parts of the subjects."""

import strawberry

from schema.mutations.client_links import ClientLinkMutations
from schema.mutations.clients import ClientMutations
from schema.mutations.contacts import ContactMutations
from schema.mutations.jobs import JobMutations
from schema.mutations.labels import LabelMutations
from schema.mutations.layouts import InvoiceLayoutMutations
from schema.mutations.members import MemberMutations
from schema.mutations.organizations import OrganizationMutations
from schema.mutations.projects import ProjectMutations
from schema.mutations.registrations import RegistrationMutations
from schema.mutations.tokens import TokenMutations
from schema.mutations.vat_rates import VatRateMutations


@strawberry.type(
    description="Mutations. Several of them in one operation run one after another, each in its own transaction. A mutation that fails "
    "changes nothing."
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
    JobMutations,
): ...
