"""Payloads of mutations: the object as it is now, or the errors."""

from operator import attrgetter

import strawberry

from domain import projects
from domain.clients import contacts, labels
from domain.clients import reads as clients
from domain.clients.bulk_upsert import UpsertAction, UpsertResult
from domain.clients.deletion import DeletionResult
from domain.core import errors
from domain.core.idempotency import Outcome
from domain.invoicing import layouts, vat_rates
from domain.organization import members, organizations, tokens
from domain.organization.tokens import CreatedToken
from domain.registrations import rules as registrations
from resolvers.clients import load_changed
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId, make_id_encoder
from resolvers.tokens import load_created
from schema.clients import Client
from schema.contacts import Contact
from schema.core.errors import UserError
from schema.core.fields import FieldOptions, list_size, relation, resolved_field
from schema.core.payload import NOW_DESCRIPTION, Payload, declare_deleted_id
from schema.core.row_type import computed_field, row_type
from schema.labels import Label
from schema.layouts import InvoiceLayout
from schema.members import Member
from schema.organizations import Organization
from schema.previews import DeletedCounts
from schema.projects import Project
from schema.registrations import Registration
from schema.tokens import ApiToken
from schema.vat_rates import VatRate

describe_enum(
    UpsertAction,
    "What became of one client.",
    name="ClientUpsertAction",
    CREATED="It is new.",
    UPDATED="It was there, and something is other than it was.",
    UNCHANGED="It was there, just as it was given.",
    REFUSED="It was refused, and left as it was.",
    NOT_DONE="Nothing: another was refused, and it was all or nothing.",
)


@strawberry.type
class ClientPayload(Payload):
    client: Client | None = relation(clients.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type
class ClientsPayload(Payload):
    clients: list[Client | None] | None = resolved_field(
        load_changed, description="As they are now; null when it was refused.", options=FieldOptions(size=100)
    )


@strawberry.type
class ContactPayload(Payload):
    contact: Contact | None = relation(contacts.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type
class LabelPayload(Payload):
    label: Label | None = relation(labels.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type
class ProjectPayload(Payload):
    project: Project | None = relation(projects.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type
class VatRatePayload(Payload):
    vat_rate: VatRate | None = relation(vat_rates.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type
class InvoiceLayoutPayload(Payload):
    invoice_layout: InvoiceLayout | None = relation(layouts.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type
class RegistrationPayload(Payload):
    registration: Registration | None = relation(registrations.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type
class MemberPayload(Payload):
    member: Member | None = relation(members.by_id, key="value", description=NOW_DESCRIPTION)


def _secret(outcome: Outcome[CreatedToken]) -> str | None:
    return (outcome.value and outcome.value.secret) or None


@strawberry.type(description="The client that was made, or why not.")
class ClientCreatePayload(ClientPayload): ...


@strawberry.type(description="The client as it was changed, or why not.")
class ClientUpdatePayload(ClientPayload): ...


def _deleted_client_id(outcome: Outcome[DeletionResult]) -> str | None:
    return None if outcome.value is None else make_id_encoder("Client")(outcome.value.client_id)


@strawberry.type(description="The client that is gone, or why not.")
class ClientDeletePayload(Payload):
    deleted_id: GlobalId | None = computed_field(_deleted_client_id, description="The id that it had; null when it was refused.")
    deleted: DeletedCounts | None = computed_field(attrgetter("value"), description="What went with it; null when it was refused.")


@row_type(UpsertResult, description="What became of one client.")
class ClientUpsertResult:
    action: UpsertAction = strawberry.field(description="What was done.")
    client: Client | None = relation(clients.by_id, key="client_id", description="As it is now; null when it was refused or not done.")
    user_errors: list[UserError] = computed_field(
        attrgetter("user_errors"), description="Why it was refused; empty when it was not.", directives=[list_size(5)]
    )


def _collect_user_errors(outcome: Outcome[list[UpsertResult]]) -> list[errors.UserError]:
    """Return the errors of the whole, and of each client."""
    return [*outcome.user_errors, *(error for each in outcome.value or () for error in each.user_errors)]


@strawberry.type(description="What became of each of the clients.")
class ClientBulkUpsertPayload(Payload):
    results: list[ClientUpsertResult] = computed_field(
        lambda outcome: outcome.value or [], description="One for each client, in the order of the input."
    )
    user_errors: list[UserError] = computed_field(
        _collect_user_errors,
        description="Why what was refused was refused, all together; empty when nothing was.",
        directives=[list_size(5)],
    )


@strawberry.type(description="The client as it was archived, or why not.")
class ClientArchivePayload(ClientPayload): ...


@strawberry.type(description="The client as it was taken back, or why not.")
class ClientUnarchivePayload(ClientPayload): ...


@strawberry.type(description="The client with its new contact, or why not.")
class ClientContactLinkPayload(ClientPayload): ...


@strawberry.type(description="The client with its contacts, or why not.")
class ClientContactUpdatePayload(ClientPayload): ...


@strawberry.type(description="The client without the contact, or why not.")
class ClientContactUnlinkPayload(ClientPayload): ...


@strawberry.type(description="The clients with their labels, or why not.")
class ClientLabelsAddPayload(ClientsPayload): ...


@strawberry.type(description="The clients with their labels, or why not.")
class ClientLabelsRemovePayload(ClientsPayload): ...


@strawberry.type(description="The contact that was made, or why not.")
class ContactCreatePayload(ContactPayload): ...


@strawberry.type(description="The contact as it was changed, or why not.")
class ContactUpdatePayload(ContactPayload): ...


@strawberry.type(description="The contact that is gone, or why not.")
class ContactDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Contact")


@strawberry.type(description="The label that was made, or why not.")
class LabelCreatePayload(LabelPayload): ...


@strawberry.type(description="The label as it was changed, or why not.")
class LabelUpdatePayload(LabelPayload): ...


@strawberry.type(description="The label that is gone, or why not.")
class LabelDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Label")


@strawberry.type(description="The project that was made, or why not.")
class ProjectCreatePayload(ProjectPayload): ...


@strawberry.type(description="The project as it was changed, or why not.")
class ProjectUpdatePayload(ProjectPayload): ...


@strawberry.type(description="The project, which is archived now, or why not.")
class ProjectArchivePayload(ProjectPayload): ...


@strawberry.type(description="The project, which is active again, or why not.")
class ProjectUnarchivePayload(ProjectPayload): ...


@strawberry.type(description="The project that is gone, or why not.")
class ProjectDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Project")


@strawberry.type(description="The registration that was made, or why not.")
class RegistrationCreatePayload(RegistrationPayload): ...


@strawberry.type(description="The registration as it was changed, or why not.")
class RegistrationUpdatePayload(RegistrationPayload): ...


@strawberry.type(description="The registration as far as it is now, or why not.")
class RegistrationStatusUpdatePayload(RegistrationPayload): ...


@strawberry.type(description="The registration that is gone, or why not.")
class RegistrationDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Registration")


@strawberry.type(description="The organization as it was changed, or why not.")
class OrganizationUpdatePayload(Payload):
    organization: Organization | None = relation(organizations.by_id, key="value", description=NOW_DESCRIPTION)


@strawberry.type(description="The rate of VAT that was made, or why not.")
class VatRateCreatePayload(VatRatePayload): ...


@strawberry.type(description="The rate of VAT as it was changed, or why not.")
class VatRateUpdatePayload(VatRatePayload): ...


@strawberry.type(description="The invoice layout that was made, or why not.")
class InvoiceLayoutCreatePayload(InvoiceLayoutPayload): ...


@strawberry.type(description="The invoice layout as it was changed, or why not.")
class InvoiceLayoutUpdatePayload(InvoiceLayoutPayload): ...


@strawberry.type(description="The invoice layout that is gone, or why not.")
class InvoiceLayoutDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("InvoiceLayout")


@strawberry.type(description="The member that was added or brought back, or why not.")
class MemberAddPayload(MemberPayload): ...


@strawberry.type(description="The member as it was changed, or why not.")
class MemberUpdatePayload(MemberPayload): ...


@strawberry.type(description="The member that cannot sign in any more, or why not.")
class MemberRemovePayload(MemberPayload): ...


@strawberry.type(description="The token that was made, with its secret, or why not.")
class TokenCreatePayload(Payload):
    token: ApiToken | None = resolved_field(load_created, description=NOW_DESCRIPTION)
    secret: str | None = computed_field(
        _secret, description="To sign in with, as `Authorization: Bearer …`. Shown this once: null when the request is sent again."
    )


@strawberry.type(description="The token that signs nobody in any more, or why not.")
class TokenRevokePayload(Payload):
    token: ApiToken | None = relation(tokens.by_id, key="value", description=NOW_DESCRIPTION)
