"""Inputs of the client form, and the mutations that save it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import strawberry

from db.tables import (
    AddressFields,
    AddressType,
    ClientContactFields,
    ClientFields,
    ClientFinancialFields,
    ContactFields,
    ContactRole,
    LabelFields,
)
from domain.clients import contact_links, editing, label_links
from domain.clients.contact_links import ContactChoice
from domain.clients.editing import ClientForm
from domain.clients.label_links import LabelChoice
from domain.core.scope import WriteScope
from resolvers.contacts import ContactCreateInput
from resolvers.ids import GlobalId
from resolvers.inputs import (
    VERSION_DESCRIPTION,
    input_of,
    input_values,
    linked_ids,
    patch_of,
    patch_values,
    present_lists,
    present_values,
    to_uuid,
    to_uuids,
)
from resolvers.labels import LabelCreateInput

LINK_TYPES = {"vat_rate_id": "VatRate", "invoice_layout_id": "InvoiceLayout"}
VAT_RATE_DESCRIPTION = "Its rate of VAT; without one the organization's."
LAYOUT_DESCRIPTION = "Its own layout of invoices; without one the organization's."


@input_of(AddressFields, description="An address of a client.")
class ClientAddressInput:
    type: AddressType = strawberry.field(description="What it is for. A client has one of a type at most.")


@input_of(ClientFinancialFields, description="Financial settings. Needs FINANCE_WRITE.")
class ClientFinancialInput:
    vat_rate_id: GlobalId | None = strawberry.field(default=None, description=VAT_RATE_DESCRIPTION)
    invoice_layout_id: GlobalId | None = strawberry.field(default=None, description=LAYOUT_DESCRIPTION)


@patch_of(ClientFinancialFields, description="Financial settings to change; what is left out stays, null clears. Needs FINANCE_WRITE.")
class ClientFinancialPatchInput:
    vat_rate_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=VAT_RATE_DESCRIPTION)
    invoice_layout_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=LAYOUT_DESCRIPTION)


@strawberry.input(one_of=True, description="A label there is, or a new one.")
class ClientLabelInput:
    id: strawberry.Maybe[GlobalId] = strawberry.field(description="The id of a label.")
    new: strawberry.Maybe[LabelCreateInput] = strawberry.field(description="A label to make.")


@strawberry.input(one_of=True, description="A contact there is, or a new one.")
class ContactChoiceInput:
    id: strawberry.Maybe[GlobalId] = strawberry.field(description="The id of a contact, which may be another client's too.")
    new: strawberry.Maybe[ContactCreateInput] = strawberry.field(description="A contact to make.")


@strawberry.input(description="A contact of a client, and what it is to this one.")
class ClientContactInput:
    contact: ContactChoiceInput = strawberry.field(description="Who.")
    link: "ClientContactFieldsInput | None" = strawberry.field(default=None, description="What the contact is to this client.")


@patch_of(ClientContactFields, description="What a contact is to one client.")
class ClientContactFieldsInput:
    roles: strawberry.Maybe[list[ContactRole] | None] = strawberry.field(description="Documents of this client that go to the person.")


@input_of(ClientFields, description="A new client, with all that belongs to it.")
class ClientCreateInput:
    takes_next_number: bool = strawberry.field(default=False, description="Give it the organization's next number, instead of `number`.")
    addresses: list[ClientAddressInput] = strawberry.field(default_factory=list, description="Addresses, one of a type at most.")
    labels: list[ClientLabelInput] = strawberry.field(default_factory=list, description="Labels, 50 at most.")
    contacts: list[ClientContactInput] = strawberry.field(default_factory=list, description="Contacts in their order, 100 at most.")
    financial: ClientFinancialInput | None = strawberry.field(default=None, description="Financial settings. Needs FINANCE_WRITE.")


@patch_of(ClientFields, description="What to change of a client: what is left out stays, null clears.")
class ClientUpdateInput:
    id: GlobalId = strawberry.field(description="The client.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    takes_next_number: bool = strawberry.field(default=False, description="Give it the organization's next number, instead of `number`.")
    addresses: strawberry.Maybe[list[ClientAddressInput] | None] = strawberry.field(description="All its addresses from now on.")
    labels: strawberry.Maybe[list[ClientLabelInput] | None] = strawberry.field(description="All its labels from now on.")
    contacts: strawberry.Maybe[list[ClientContactInput] | None] = strawberry.field(description="All its contacts from now on.")
    financial: strawberry.Maybe[ClientFinancialPatchInput] = strawberry.field(description="Financial settings. Needs FINANCE_WRITE.")


async def create(scope: WriteScope, input: ClientCreateInput) -> UUID:
    settings = input.financial
    financial = None if settings is None else input_values(ClientFinancialFields, settings) | linked_ids(LINK_TYPES, settings)
    parts = {"addresses": input.addresses, "labels": input.labels, "contacts": input.contacts}
    return await editing.create(
        scope, build_form(input_values(ClientFields, input), financial, parts, takes_next_number=input.takes_next_number)
    )


async def update(scope: WriteScope, input: ClientUpdateInput) -> UUID:
    client_id = to_uuid(input.id, "Client")
    parts = present_lists(addresses=input.addresses, labels=input.labels, contacts=input.contacts)
    form = build_form(patch_values(ClientFields, input), financial_patch(input.financial), parts, takes_next_number=input.takes_next_number)
    return await editing.update(scope, client_id, form, expected_version=input.expected_version)


def financial_patch(settings: strawberry.Some[ClientFinancialPatchInput] | None) -> dict[str, object] | None:
    """Return the financial settings to change; None if there are none."""
    return patch_values(ClientFinancialFields, settings.value) | linked_ids(LINK_TYPES, settings.value) if settings else None


def build_form(
    general: dict[str, object], financial: dict[str, object] | None, parts: dict[str, Any], *, takes_next_number: bool = False
) -> ClientForm:
    """Build the form. A part that is missing in `parts` stays unchanged."""
    addresses = parts.get("addresses")
    return ClientForm(
        general,
        financial,
        None if addresses is None else [{**input_values(AddressFields, each), "type": each.type} for each in addresses],
        _label_choices(parts.get("labels")),
        _contact_choices(parts.get("contacts")),
        takes_next_number,
    )


def _label_choices(inputs: Sequence[ClientLabelInput] | None) -> list[LabelChoice] | None:
    if inputs is None:
        return None
    return [
        LabelChoice(to_uuid(label_input.id.value, "Label"))
        if label_input.id
        else LabelChoice(new=input_values(LabelFields, label_input.new.value if label_input.new else None))
        for label_input in inputs
    ]


def _contact_choices(inputs: Sequence[ClientContactInput] | None) -> list[ContactChoice] | None:
    if inputs is None:
        return None
    choices = []
    for contact_input in inputs:
        link = _link_values(contact_input.link) if contact_input.link else {}
        if contact_input.contact.id:
            choices.append(ContactChoice(to_uuid(contact_input.contact.id.value, "Contact"), link=link))
        elif contact_input.contact.new:
            choices.append(ContactChoice(new=input_values(ContactFields, contact_input.contact.new.value), link=link))
    return choices


def _link_values(input: ClientContactFieldsInput) -> dict[str, object]:
    return patch_values(ClientContactFields, input) | present_values({"roles": input.roles})


CLIENT_VERSION_DESCRIPTION = "The `version` of the client that you saw; any, unless given."


@strawberry.input(description="A contact that becomes one of a client's.")
class ClientContactLinkInput:
    client_id: GlobalId = strawberry.field(description="The client.")
    contact_id: GlobalId = strawberry.field(description="The contact.")
    expected_version: int | None = strawberry.field(default=None, description=CLIENT_VERSION_DESCRIPTION)
    link: ClientContactFieldsInput | None = strawberry.field(default=None, description="What the contact is to this client.")


@strawberry.input(description="What a contact is to a client from now on; what is left out stays.")
class ClientContactUpdateInput:
    client_id: GlobalId = strawberry.field(description="The client.")
    contact_id: GlobalId = strawberry.field(description="The contact.")
    expected_version: int | None = strawberry.field(default=None, description=CLIENT_VERSION_DESCRIPTION)
    link: ClientContactFieldsInput = strawberry.field(description="What to change.")


@strawberry.input(description="A contact to take off a client.")
class ClientContactUnlinkInput:
    client_id: GlobalId = strawberry.field(description="The client.")
    contact_id: GlobalId = strawberry.field(description="The contact, which stays.")
    expected_version: int | None = strawberry.field(default=None, description=CLIENT_VERSION_DESCRIPTION)


def _client_and_contact_ids(input: ClientContactLinkInput | ClientContactUpdateInput | ClientContactUnlinkInput) -> tuple[UUID, UUID]:
    return to_uuid(input.client_id, "Client"), to_uuid(input.contact_id, "Contact")


async def link(scope: WriteScope, input: ClientContactLinkInput) -> UUID:
    values = _link_values(input.link) if input.link else {}
    return await contact_links.link(scope, *_client_and_contact_ids(input), values, expected_version=input.expected_version)


async def update_link(scope: WriteScope, input: ClientContactUpdateInput) -> UUID:
    return await contact_links.update(
        scope, *_client_and_contact_ids(input), _link_values(input.link), expected_version=input.expected_version
    )


async def unlink(scope: WriteScope, input: ClientContactUnlinkInput) -> UUID:
    return await contact_links.unlink(scope, *_client_and_contact_ids(input), expected_version=input.expected_version)


@strawberry.input(description="Labels, and the clients that they are for.")
class ClientLabelsInput:
    client_ids: list[GlobalId] = strawberry.field(description="The clients, 100 at most.")
    label_ids: list[GlobalId] = strawberry.field(description="The labels, 50 at most.")


async def add_labels(scope: WriteScope, input: ClientLabelsInput) -> list[UUID]:
    return await label_links.add(scope, to_uuids(input.client_ids, "Client"), to_uuids(input.label_ids, "Label"))


async def remove_labels(scope: WriteScope, input: ClientLabelsInput) -> list[UUID]:
    return await label_links.remove(scope, to_uuids(input.client_ids, "Client"), to_uuids(input.label_ids, "Label"))
