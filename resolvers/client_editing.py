"""Inputs and resolvers of the mutations that create and change clients, their labels and their links to contacts."""

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
from domain.clients.editing import MAX_ENTRIES, ClientForm
from domain.clients.label_links import LabelChoice
from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import WriteScope
from resolvers.contacts import ContactCreateInput
from resolvers.ids import GlobalId
from resolvers.inputs import (
    OPTIONAL_CLIENT_VERSION_DESCRIPTION,
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

# The GraphQL type that each id must be of.
LINK_TYPES = {"vat_rate_id": "VatRate", "invoice_layout_id": "InvoiceLayout"}
VAT_RATE_DESCRIPTION = "Id of the VAT rate. If null, the organization's `defaultVatRate` applies."
LAYOUT_DESCRIPTION = "Id of the invoice layout. If null, the organization's `defaultLayout` applies."
ADDRESSES_DESCRIPTION = f"New list of addresses, at most {MAX_ENTRIES['addresses']}: one of each type."
LABELS_DESCRIPTION = f"New list of labels, at most {MAX_ENTRIES['labels']}."
LINK_DESCRIPTION = "Link between the contact and this client. If omitted, all of its fields get their defaults."


@input_of(AddressFields, description="An address of a client.")
class ClientAddressInput:
    type: AddressType = strawberry.field(description="Purpose of the address. A client has at most one address of each type.")


@input_of(ClientFinancialFields, description="Financial settings of a client.")
class ClientFinancialInput:
    vat_rate_id: GlobalId | None = strawberry.field(default=None, description=VAT_RATE_DESCRIPTION)
    invoice_layout_id: GlobalId | None = strawberry.field(default=None, description=LAYOUT_DESCRIPTION)


@patch_of(ClientFinancialFields, description="Changes to financial settings. Omitted fields stay unchanged; null clears a field.")
class ClientFinancialPatchInput:
    vat_rate_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=VAT_RATE_DESCRIPTION)
    invoice_layout_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=LAYOUT_DESCRIPTION)


@strawberry.input(one_of=True, description="An existing label or a new one.")
class ClientLabelInput:
    id: strawberry.Maybe[GlobalId] = strawberry.field(description="Id of an existing label.")
    new: strawberry.Maybe[LabelCreateInput] = strawberry.field(description="Label to create.")


@strawberry.input(one_of=True, description="An existing contact or a new one.")
class ContactChoiceInput:
    id: strawberry.Maybe[GlobalId] = strawberry.field(description="Id of an existing contact, which other clients may have too.")
    new: strawberry.Maybe[ContactCreateInput] = strawberry.field(description="Contact to create.")


@strawberry.input(description="A contact of a client, with the link between them.")
class ClientContactInput:
    contact: ContactChoiceInput = strawberry.field(description="The contact.")
    link: "ClientContactFieldsInput | None" = strawberry.field(default=None, description=LINK_DESCRIPTION)


@patch_of(
    ClientContactFields,
    description="Link between a contact and a client. `clientContactUpdate` leaves omitted fields unchanged. Elsewhere they get their "
    "defaults: the last position, `TO` as `recipient`, true for `isActive`, and false or nothing for the others.",
)
class ClientContactFieldsInput:
    roles: strawberry.Maybe[list[ContactRole] | None] = strawberry.field(
        description=f"What the contact receives for this client, at most {MAX_PAGE_SIZE} entries. A repeated entry counts once."
    )


@input_of(ClientFields, description="A new client with its addresses, labels, contacts and financial settings.")
class ClientCreateInput:
    takes_next_number: bool = strawberry.field(default=False, description="Whether to assign the next number. Not allowed with `number`.")
    addresses: list[ClientAddressInput] = strawberry.field(
        default_factory=list, description=f"Addresses, at most {MAX_ENTRIES['addresses']}: one of each type."
    )
    labels: list[ClientLabelInput] = strawberry.field(default_factory=list, description=f"Labels, at most {MAX_ENTRIES['labels']}.")
    contacts: list[ClientContactInput] = strawberry.field(
        default_factory=list, description=f"Contacts in their order, at most {MAX_ENTRIES['contacts']}."
    )
    financial: ClientFinancialInput | None = strawberry.field(default=None, description="Financial settings. Requires `FINANCE_WRITE`.")


@patch_of(ClientFields, description="Changes to a client. Omitted fields stay unchanged; null clears a field.")
class ClientUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the client.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    takes_next_number: bool = strawberry.field(default=False, description="Whether to assign the next number. Not allowed with `number`.")
    addresses: strawberry.Maybe[list[ClientAddressInput] | None] = strawberry.field(description=ADDRESSES_DESCRIPTION)
    labels: strawberry.Maybe[list[ClientLabelInput] | None] = strawberry.field(description=LABELS_DESCRIPTION)
    contacts: strawberry.Maybe[list[ClientContactInput] | None] = strawberry.field(
        description=f"New list of contacts, at most {MAX_ENTRIES['contacts']}. Contacts that are not in it are unlinked."
    )
    financial: strawberry.Maybe[ClientFinancialPatchInput] = strawberry.field(description="Financial settings. Requires `FINANCE_WRITE`.")


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
    """Return the financial settings to change, or None if the input has none."""
    return patch_values(ClientFinancialFields, settings.value) | linked_ids(LINK_TYPES, settings.value) if settings else None


def build_form(
    general: dict[str, object], financial: dict[str, object] | None, parts: dict[str, Any], *, takes_next_number: bool = False
) -> ClientForm:
    """Build the form from converted fields and from the lists in `parts`. A list that is missing there stays unchanged."""
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


@strawberry.input(description="A contact to link to a client.")
class ClientContactLinkInput:
    client_id: GlobalId = strawberry.field(description="Id of the client.")
    contact_id: GlobalId = strawberry.field(description="Id of the contact.")
    expected_version: int | None = strawberry.field(default=None, description=OPTIONAL_CLIENT_VERSION_DESCRIPTION)
    link: ClientContactFieldsInput | None = strawberry.field(default=None, description=LINK_DESCRIPTION)


@strawberry.input(description="Changes to the link between a contact and a client.")
class ClientContactUpdateInput:
    client_id: GlobalId = strawberry.field(description="Id of the client.")
    contact_id: GlobalId = strawberry.field(description="Id of the contact.")
    expected_version: int | None = strawberry.field(default=None, description=OPTIONAL_CLIENT_VERSION_DESCRIPTION)
    link: ClientContactFieldsInput = strawberry.field(description="Changes to the link. Omitted fields stay unchanged.")


@strawberry.input(description="A contact to remove from a client.")
class ClientContactUnlinkInput:
    client_id: GlobalId = strawberry.field(description="Id of the client.")
    contact_id: GlobalId = strawberry.field(description="Id of the contact, which is not deleted.")
    expected_version: int | None = strawberry.field(default=None, description=OPTIONAL_CLIENT_VERSION_DESCRIPTION)


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


@strawberry.input(description="Labels to add to clients, or to remove from them.")
class ClientLabelsInput:
    client_ids: list[GlobalId] = strawberry.field(description=f"Ids of the clients, at most {label_links.MAX_CLIENTS}.")
    label_ids: list[GlobalId] = strawberry.field(description=f"Ids of the labels, at most {label_links.MAX_LABELS}.")


async def add_labels(scope: WriteScope, input: ClientLabelsInput) -> list[UUID]:
    return await label_links.add(scope, to_uuids(input.client_ids, "Client"), to_uuids(input.label_ids, "Label"))


async def remove_labels(scope: WriteScope, input: ClientLabelsInput) -> list[UUID]:
    return await label_links.remove(scope, to_uuids(input.client_ids, "Client"), to_uuids(input.label_ids, "Label"))
