"""Inputs and resolvers of the mutations that create and change clients, their labels and their links to contacts."""

from collections.abc import Sequence
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
from domain.clients.editing import MAX_ADDRESSES, ClientForm
from domain.clients.label_links import LabelChoice
from domain.clients.list_changes import ListChanges
from domain.core.pagination import MAX_PAGE_SIZE
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

# The GraphQL type that each id must be of.
LINK_TYPES = {"vat_rate_id": "VatRate", "invoice_layout_id": "InvoiceLayout"}
VAT_RATE_DESCRIPTION = "Id of the VAT rate. If null, the organization's `defaultVatRate` applies."
LAYOUT_DESCRIPTION = "Id of the invoice layout. If null, the organization's `defaultLayout` applies."
LINK_VERSION_HINT = "`expectedVersion` is the version of the link, `ClientContactEdge.version`."
LINK_DESCRIPTION = "Link between the contact and this client. If omitted, all of its fields get their defaults."
LABELS_ADD_DESCRIPTION = (
    f"Labels to add, at most {label_links.MAX_LABELS}; those that the client has already are ignored. A client can have as many at most."
)
LABELS_REMOVE_DESCRIPTION = f"Ids of labels to remove, at most {label_links.MAX_LABELS}; those that the client does not have are ignored."


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
        default_factory=list, description=f"Addresses, at most {MAX_ADDRESSES}: one of each type."
    )
    labels: list[ClientLabelInput] = strawberry.field(default_factory=list, description=f"Labels, at most {label_links.MAX_LABELS}.")
    contacts: list[ClientContactInput] = strawberry.field(
        default_factory=list, description=f"Contacts in their order, at most {contact_links.MAX_CONTACTS}."
    )
    financial: ClientFinancialInput | None = strawberry.field(default=None, description="Financial settings. Requires `FINANCE_WRITE`.")


@patch_of(ClientFields, description="Changes to a client. Omitted fields stay unchanged; null clears a field.")
class ClientUpdateInput:
    id: GlobalId = strawberry.field(description="Id of the client.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    takes_next_number: bool = strawberry.field(default=False, description="Whether to assign the next number. Not allowed with `number`.")
    addresses: strawberry.Maybe[list[ClientAddressInput] | None] = strawberry.field(
        description=f"New list of addresses, at most {MAX_ADDRESSES}: one of each type."
    )
    labels_add: list[ClientLabelInput] = strawberry.field(default_factory=list, description=LABELS_ADD_DESCRIPTION)
    labels_remove: list[GlobalId] = strawberry.field(default_factory=list, description=LABELS_REMOVE_DESCRIPTION)
    contacts_add: list[ClientContactInput] = strawberry.field(
        default_factory=list,
        description=f"Contacts to link, at most {contact_links.MAX_CONTACTS}, in this order after the others. A client can have as many at "
        "most.",
    )
    contacts_remove: list[GlobalId] = strawberry.field(
        default_factory=list,
        description=f"Ids of contacts to unlink, at most {contact_links.MAX_CONTACTS}; those that are not linked are ignored. No contact "
        "is deleted.",
    )
    financial: strawberry.Maybe[ClientFinancialPatchInput] = strawberry.field(description="Financial settings. Requires `FINANCE_WRITE`.")


async def create(scope: WriteScope, input: ClientCreateInput) -> UUID:
    settings = input.financial
    form = ClientForm(
        input_values(ClientFields, input),
        None if settings is None else input_values(ClientFinancialFields, settings) | linked_ids(LINK_TYPES, settings),
        address_values(input.addresses),
        labels=ListChanges("labels", _label_choices(input.labels)),
        contacts=ListChanges("contacts", _contact_choices(input.contacts)),
        takes_next_number=input.takes_next_number,
    )
    return await editing.create(scope, form)


async def update(scope: WriteScope, input: ClientUpdateInput) -> UUID:
    addresses = present_lists(addresses=input.addresses).get("addresses")
    contact_ids = to_uuids(input.contacts_remove, "Contact")
    form = ClientForm(
        patch_values(ClientFields, input),
        financial_patch(input.financial),
        None if addresses is None else address_values(addresses),
        labels=label_changes(input.labels_add, input.labels_remove),
        contacts=ListChanges("contactsAdd", _contact_choices(input.contacts_add), "contactsRemove", contact_ids),
        takes_next_number=input.takes_next_number,
    )
    return await editing.update(scope, to_uuid(input.id, "Client"), form, expected_version=input.expected_version)


def financial_patch(settings: strawberry.Some[ClientFinancialPatchInput] | None) -> dict[str, object] | None:
    """Return the financial settings to change, or None if the input has none."""
    return patch_values(ClientFinancialFields, settings.value) | linked_ids(LINK_TYPES, settings.value) if settings else None


def address_values(addresses: Sequence[ClientAddressInput]) -> list[dict[str, object]]:
    return [{**input_values(AddressFields, each), "type": each.type} for each in addresses]


def label_changes(add: Sequence[ClientLabelInput], remove: Sequence[GlobalId]) -> ListChanges[LabelChoice]:
    return ListChanges("labelsAdd", _label_choices(add), "labelsRemove", to_uuids(remove, "Label"))


def _label_choices(inputs: Sequence[ClientLabelInput]) -> list[LabelChoice]:
    return [
        LabelChoice(to_uuid(label_input.id.value, "Label"))
        if label_input.id
        else LabelChoice(new=input_values(LabelFields, label_input.new.value if label_input.new else None))
        for label_input in inputs
    ]


def _contact_choices(inputs: Sequence[ClientContactInput]) -> list[ContactChoice]:
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
    link: ClientContactFieldsInput | None = strawberry.field(default=None, description=LINK_DESCRIPTION)


@strawberry.input(description=f"Changes to the link between a contact and a client. {LINK_VERSION_HINT}")
class ClientContactUpdateInput:
    client_id: GlobalId = strawberry.field(description="Id of the client.")
    contact_id: GlobalId = strawberry.field(description="Id of the contact.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)
    link: ClientContactFieldsInput = strawberry.field(description="Changes to the link. Omitted fields stay unchanged.")


@strawberry.input(description=f"A contact to remove from a client. {LINK_VERSION_HINT}")
class ClientContactUnlinkInput:
    client_id: GlobalId = strawberry.field(description="Id of the client.")
    contact_id: GlobalId = strawberry.field(description="Id of the contact, which is not deleted.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


def _client_and_contact_ids(input: ClientContactLinkInput | ClientContactUpdateInput | ClientContactUnlinkInput) -> tuple[UUID, UUID]:
    return to_uuid(input.client_id, "Client"), to_uuid(input.contact_id, "Contact")


async def link(scope: WriteScope, input: ClientContactLinkInput) -> UUID:
    values = _link_values(input.link) if input.link else {}
    return await contact_links.link(scope, *_client_and_contact_ids(input), values)


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
