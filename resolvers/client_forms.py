"""Inputs of the form of a client, and how it is saved."""

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
from domain import client_contacts, client_forms, client_labels
from domain.client_contacts import ContactChoice
from domain.client_forms import ClientForm
from domain.client_labels import LabelChoice
from domain.scope import WriteScope
from resolvers.contacts import ContactCreateInput
from resolvers.ids import GlobalId
from resolvers.inputs import SEEN, changed, given, id_of, ids_of, input_of, linked, lists, patch_of, somes
from resolvers.labels import LabelCreateInput

LINKS = {"vat_rate_id": "VatRate", "invoice_layout_id": "InvoiceLayout"}
VAT_RATE = "Its rate of VAT; without one the organization's."
LAYOUT = "Its own layout of invoices; without one the organization's."


@input_of(AddressFields, description="An address of a client.")
class ClientAddressInput:
    type: AddressType = strawberry.field(description="What it is for. A client has one of a type at most.")


@input_of(ClientFinancialFields, description="Financial settings. Needs FINANCE_WRITE.")
class ClientFinancialInput:
    vat_rate_id: GlobalId | None = strawberry.field(default=None, description=VAT_RATE)
    invoice_layout_id: GlobalId | None = strawberry.field(default=None, description=LAYOUT)


@patch_of(ClientFinancialFields, description="Financial settings to change; what is left out stays, null clears. Needs FINANCE_WRITE.")
class ClientFinancialPatchInput:
    vat_rate_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=VAT_RATE)
    invoice_layout_id: strawberry.Maybe[GlobalId | None] = strawberry.field(description=LAYOUT)


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
    expected_version: int = strawberry.field(description=SEEN)
    takes_next_number: bool = strawberry.field(default=False, description="Give it the organization's next number, instead of `number`.")
    addresses: strawberry.Maybe[list[ClientAddressInput] | None] = strawberry.field(description="All its addresses from now on.")
    labels: strawberry.Maybe[list[ClientLabelInput] | None] = strawberry.field(description="All its labels from now on.")
    contacts: strawberry.Maybe[list[ClientContactInput] | None] = strawberry.field(description="All its contacts from now on.")
    financial: strawberry.Maybe[ClientFinancialPatchInput] = strawberry.field(description="Financial settings. Needs FINANCE_WRITE.")


async def create(scope: WriteScope, input: ClientCreateInput) -> UUID:
    settings = input.financial
    financial = None if settings is None else given(ClientFinancialFields, settings) | linked(LINKS, settings)
    parts = {"addresses": input.addresses, "labels": input.labels, "contacts": input.contacts}
    return await client_forms.create(
        scope, form_of(given(ClientFields, input), financial, parts, takes_next_number=input.takes_next_number)
    )


async def update(scope: WriteScope, input: ClientUpdateInput) -> UUID:
    client_id = id_of(input.id, "Client")
    parts = lists(addresses=input.addresses, labels=input.labels, contacts=input.contacts)
    form = form_of(changed(ClientFields, input), patched(input.financial), parts, takes_next_number=input.takes_next_number)
    return await client_forms.update(scope, client_id, form, expected_version=input.expected_version)


def patched(settings: strawberry.Some[ClientFinancialPatchInput] | None) -> dict[str, object] | None:
    """The financial settings to change; None where there are none."""
    return changed(ClientFinancialFields, settings.value) | linked(LINKS, settings.value) if settings else None


def form_of(
    general: dict[str, object], financial: dict[str, object] | None, parts: dict[str, Any], *, takes_next_number: bool = False
) -> ClientForm:
    """A part that is not among them is left alone."""
    addresses = parts.get("addresses")
    return ClientForm(
        general,
        financial,
        None if addresses is None else [{**given(AddressFields, each), "type": each.type} for each in addresses],
        _labels(parts.get("labels")),
        _contacts(parts.get("contacts")),
        takes_next_number,
    )


def _labels(chosen: Sequence[ClientLabelInput] | None) -> list[LabelChoice] | None:
    if chosen is None:
        return None
    return [
        LabelChoice(id_of(each.id.value, "Label")) if each.id else LabelChoice(new=given(LabelFields, each.new.value if each.new else None))
        for each in chosen
    ]


def _contacts(chosen: Sequence[ClientContactInput] | None) -> list[ContactChoice] | None:
    if chosen is None:
        return None
    found = []
    for each in chosen:
        link = _link(each.link) if each.link else {}
        if each.contact.id:
            found.append(ContactChoice(id_of(each.contact.id.value, "Contact"), link=link))
        elif each.contact.new:
            found.append(ContactChoice(new=given(ContactFields, each.contact.new.value), link=link))
    return found


def _link(input: ClientContactFieldsInput) -> dict[str, object]:
    return changed(ClientContactFields, input) | somes({"roles": input.roles})


OF_CLIENT = "The `version` of the client that you saw; any, unless given."


@strawberry.input(description="A contact that becomes one of a client's.")
class ClientContactLinkInput:
    client_id: GlobalId = strawberry.field(description="The client.")
    contact_id: GlobalId = strawberry.field(description="The contact.")
    expected_version: int | None = strawberry.field(default=None, description=OF_CLIENT)
    link: ClientContactFieldsInput | None = strawberry.field(default=None, description="What the contact is to this client.")


@strawberry.input(description="What a contact is to a client from now on; what is left out stays.")
class ClientContactUpdateInput:
    client_id: GlobalId = strawberry.field(description="The client.")
    contact_id: GlobalId = strawberry.field(description="The contact.")
    expected_version: int | None = strawberry.field(default=None, description=OF_CLIENT)
    link: ClientContactFieldsInput = strawberry.field(description="What to change.")


@strawberry.input(description="A contact to take off a client.")
class ClientContactUnlinkInput:
    client_id: GlobalId = strawberry.field(description="The client.")
    contact_id: GlobalId = strawberry.field(description="The contact, which stays.")
    expected_version: int | None = strawberry.field(default=None, description=OF_CLIENT)


def _pair(input: ClientContactLinkInput | ClientContactUpdateInput | ClientContactUnlinkInput) -> tuple[UUID, UUID]:
    return id_of(input.client_id, "Client"), id_of(input.contact_id, "Contact")


async def link(scope: WriteScope, input: ClientContactLinkInput) -> UUID:
    values = _link(input.link) if input.link else {}
    return await client_contacts.link(scope, *_pair(input), values, expected_version=input.expected_version)


async def update_link(scope: WriteScope, input: ClientContactUpdateInput) -> UUID:
    return await client_contacts.update(scope, *_pair(input), _link(input.link), expected_version=input.expected_version)


async def unlink(scope: WriteScope, input: ClientContactUnlinkInput) -> UUID:
    return await client_contacts.unlink(scope, *_pair(input), expected_version=input.expected_version)


@strawberry.input(description="Labels, and the clients that they are for.")
class ClientLabelsInput:
    client_ids: list[GlobalId] = strawberry.field(description="The clients, 100 at most.")
    label_ids: list[GlobalId] = strawberry.field(description="The labels, 50 at most.")


async def add_labels(scope: WriteScope, input: ClientLabelsInput) -> list[UUID]:
    return await client_labels.add(scope, ids_of(input.client_ids, "Client"), ids_of(input.label_ids, "Label"))


async def remove_labels(scope: WriteScope, input: ClientLabelsInput) -> list[UUID]:
    return await client_labels.remove(scope, ids_of(input.client_ids, "Client"), ids_of(input.label_ids, "Label"))
