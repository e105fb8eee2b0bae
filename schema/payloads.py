"""What mutations answer: the object as it is now, or why it is not."""

from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import clients, contacts, labels, layouts, members, organizations, projects, registrations, tokens, vat_rates
from domain.client_upserts import UpsertAction, UpsertResult
from domain.deletions import DeletionResult
from domain.errors import Refusal
from domain.idempotency import Outcome
from domain.tokens import CreatedToken
from resolvers.clients import load_changed
from resolvers.ids import GlobalId, global_id
from resolvers.tokens import load_created
from resolvers.words import words
from schema.clients import Client
from schema.consequences import DeletedCounts
from schema.contacts import Contact
from schema.errors import UserError
from schema.fields import Terms, answered, by, listed
from schema.labels import Label
from schema.layouts import InvoiceLayout
from schema.lens import itself, lens, read
from schema.members import Member
from schema.organizations import Organization
from schema.projects import Project
from schema.registrations import Registration
from schema.tokens import ApiToken
from schema.vat_rates import VatRate

if TYPE_CHECKING:
    from schema.root import Query

words(
    UpsertAction,
    "What became of one client.",
    name="ClientUpsertAction",
    CREATED="It is new.",
    UPDATED="It was there, and something is other than it was.",
    UNCHANGED="It was there, just as it was given.",
    REFUSED="It was refused, and left as it was.",
    NOT_DONE="Nothing: another was refused, and it was all or nothing.",
)
NOW = "As it is now; null when it was refused."


@strawberry.type
class Payload:
    """What every payload has."""

    user_errors: list[UserError] = read(
        attrgetter("user_errors"), description="Why it was not done; empty when it was.", directives=[listed(5)]
    )
    query: Annotated["Query", strawberry.lazy("schema.root")] = read(itself, description="To ask on in the same request.")


@strawberry.type
class OfClient(Payload):
    client: Client | None = by(clients.by_id, key="value", description=NOW)


@strawberry.type
class OfClients(Payload):
    clients: list[Client | None] | None = answered(
        load_changed, description="As they are now; null when it was refused.", terms=Terms(size=100)
    )


@strawberry.type
class OfContact(Payload):
    contact: Contact | None = by(contacts.by_id, key="value", description=NOW)


@strawberry.type
class OfLabel(Payload):
    label: Label | None = by(labels.by_id, key="value", description=NOW)


@strawberry.type
class OfProject(Payload):
    project: Project | None = by(projects.by_id, key="value", description=NOW)


@strawberry.type
class OfVatRate(Payload):
    vat_rate: VatRate | None = by(vat_rates.by_id, key="value", description=NOW)


@strawberry.type
class OfInvoiceLayout(Payload):
    invoice_layout: InvoiceLayout | None = by(layouts.by_id, key="value", description=NOW)


@strawberry.type
class OfRegistration(Payload):
    registration: Registration | None = by(registrations.by_id, key="value", description=NOW)


@strawberry.type
class OfMember(Payload):
    member: Member | None = by(members.by_id, key="value", description=NOW)


def deleted(name: str) -> Any:  # noqa: ANN401 the annotation stands
    """The id of what is gone."""
    shown = global_id(name)
    return read(lambda outcome: _gone(outcome, shown), description="The id that it had; null when it was refused.")


def _gone(outcome: Outcome[Any], shown: Any) -> str | None:  # noqa: ANN401
    return None if outcome.value is None else shown(outcome.value)


def _secret(outcome: Outcome[CreatedToken]) -> str | None:
    return (outcome.value and outcome.value.secret) or None


@strawberry.type(description="The client that was made, or why not.")
class ClientCreatePayload(OfClient): ...


@strawberry.type(description="The client as it was changed, or why not.")
class ClientUpdatePayload(OfClient): ...


def _deleted_id(outcome: Outcome[DeletionResult]) -> str | None:
    return None if outcome.value is None else global_id("Client")(outcome.value.client_id)


@strawberry.type(description="The client that is gone, or why not.")
class ClientDeletePayload(Payload):
    deleted_id: GlobalId | None = read(_deleted_id, description="The id that it had; null when it was refused.")
    deleted: DeletedCounts | None = read(attrgetter("value"), description="What went with it; null when it was refused.")


@lens(UpsertResult, description="What became of one client.")
class ClientUpsertResult:
    action: UpsertAction = strawberry.field(description="What was done.")
    client: Client | None = by(clients.by_id, key="client_id", description="As it is now; null when it was refused or not done.")
    user_errors: list[UserError] = read(
        attrgetter("user_errors"), description="Why it was refused; empty when it was not.", directives=[listed(5)]
    )


def _refusals(outcome: Outcome[list[UpsertResult]]) -> list[Refusal]:
    """Of all together, and of each."""
    return [*outcome.user_errors, *(refusal for each in outcome.value or () for refusal in each.user_errors)]


@strawberry.type(description="What became of each of the clients.")
class ClientBulkUpsertPayload(Payload):
    results: list[ClientUpsertResult] = read(
        lambda outcome: outcome.value or [], description="One for each client, in the order of the input."
    )
    user_errors: list[UserError] = read(
        _refusals, description="Why what was refused was refused, all together; empty when nothing was.", directives=[listed(5)]
    )


@strawberry.type(description="The client as it was archived, or why not.")
class ClientArchivePayload(OfClient): ...


@strawberry.type(description="The client as it was taken back, or why not.")
class ClientUnarchivePayload(OfClient): ...


@strawberry.type(description="The client with its new contact, or why not.")
class ClientContactLinkPayload(OfClient): ...


@strawberry.type(description="The client with its contacts, or why not.")
class ClientContactUpdatePayload(OfClient): ...


@strawberry.type(description="The client without the contact, or why not.")
class ClientContactUnlinkPayload(OfClient): ...


@strawberry.type(description="The clients with their labels, or why not.")
class ClientLabelsAddPayload(OfClients): ...


@strawberry.type(description="The clients with their labels, or why not.")
class ClientLabelsRemovePayload(OfClients): ...


@strawberry.type(description="The contact that was made, or why not.")
class ContactCreatePayload(OfContact): ...


@strawberry.type(description="The contact as it was changed, or why not.")
class ContactUpdatePayload(OfContact): ...


@strawberry.type(description="The contact that is gone, or why not.")
class ContactDeletePayload(Payload):
    deleted_id: GlobalId | None = deleted("Contact")


@strawberry.type(description="The label that was made, or why not.")
class LabelCreatePayload(OfLabel): ...


@strawberry.type(description="The label as it was changed, or why not.")
class LabelUpdatePayload(OfLabel): ...


@strawberry.type(description="The label that is gone, or why not.")
class LabelDeletePayload(Payload):
    deleted_id: GlobalId | None = deleted("Label")


@strawberry.type(description="The project that was made, or why not.")
class ProjectCreatePayload(OfProject): ...


@strawberry.type(description="The project as it was changed, or why not.")
class ProjectUpdatePayload(OfProject): ...


@strawberry.type(description="The project, which is archived now, or why not.")
class ProjectArchivePayload(OfProject): ...


@strawberry.type(description="The project, which is active again, or why not.")
class ProjectUnarchivePayload(OfProject): ...


@strawberry.type(description="The project that is gone, or why not.")
class ProjectDeletePayload(Payload):
    deleted_id: GlobalId | None = deleted("Project")


@strawberry.type(description="The registration that was made, or why not.")
class RegistrationCreatePayload(OfRegistration): ...


@strawberry.type(description="The registration as it was changed, or why not.")
class RegistrationUpdatePayload(OfRegistration): ...


@strawberry.type(description="The registration as far as it is now, or why not.")
class RegistrationStatusUpdatePayload(OfRegistration): ...


@strawberry.type(description="The registration that is gone, or why not.")
class RegistrationDeletePayload(Payload):
    deleted_id: GlobalId | None = deleted("Registration")


@strawberry.type(description="The organization as it was changed, or why not.")
class OrganizationUpdatePayload(Payload):
    organization: Organization | None = by(organizations.by_id, key="value", description=NOW)


@strawberry.type(description="The rate of VAT that was made, or why not.")
class VatRateCreatePayload(OfVatRate): ...


@strawberry.type(description="The rate of VAT as it was changed, or why not.")
class VatRateUpdatePayload(OfVatRate): ...


@strawberry.type(description="The invoice layout that was made, or why not.")
class InvoiceLayoutCreatePayload(OfInvoiceLayout): ...


@strawberry.type(description="The invoice layout as it was changed, or why not.")
class InvoiceLayoutUpdatePayload(OfInvoiceLayout): ...


@strawberry.type(description="The invoice layout that is gone, or why not.")
class InvoiceLayoutDeletePayload(Payload):
    deleted_id: GlobalId | None = deleted("InvoiceLayout")


@strawberry.type(description="The member that was added or brought back, or why not.")
class MemberAddPayload(OfMember): ...


@strawberry.type(description="The member as it was changed, or why not.")
class MemberUpdatePayload(OfMember): ...


@strawberry.type(description="The member that cannot sign in any more, or why not.")
class MemberRemovePayload(OfMember): ...


@strawberry.type(description="The token that was made, with its secret, or why not.")
class TokenCreatePayload(Payload):
    token: ApiToken | None = answered(load_created, description=NOW)
    secret: str | None = read(
        _secret, description="To sign in with, as `Authorization: Bearer …`. Shown this once: null when the request is sent again."
    )


@strawberry.type(description="The token that signs nobody in any more, or why not.")
class TokenRevokePayload(Payload):
    token: ApiToken | None = by(tokens.by_id, key="value", description=NOW)
