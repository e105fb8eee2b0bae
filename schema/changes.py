"""What can be changed: every mutation there is."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import strawberry

from domain.pages import MAX_PAGE_SIZE
from domain.scope import Permission, WriteScope
from resolvers import (
    client_forms,
    client_upserts,
    contacts,
    deletions,
    labels,
    layouts,
    lifecycle,
    members,
    organizations,
    projects,
    registrations,
    tokens,
    vat_rates,
)
from resolvers.mutations import mutation
from schema import payloads
from schema.directives import Cost, ListSize, OneAtATime, RequiresPermission, SemanticNonNull

ARCHIVE, FINANCE, SETTINGS = Permission.CLIENTS_ARCHIVE, Permission.FINANCE_WRITE, Permission.ORGANIZATION_WRITE
REGISTERING = Permission.REGISTRATIONS_WRITE
IS_ACTIVE = "Refused where its client or its project is archived (ALREADY_ARCHIVED), whatever its day."
IS_OPEN = f"{IS_ACTIVE} So is one that is neither open, pending nor rejected (REGISTRATION_LOCKED)."
OWNERS = "What is of an owner takes OWNERS_WRITE as well."
WRITTEN = Cost(weight="500")
ENTRIES = ListSize(
    assumed_size=MAX_PAGE_SIZE, slicing_arguments=["input.clients"], sized_fields=["results"], require_one_slicing_argument=False
)
UPSERTED = (Cost(weight="100"), ENTRIES)
BULK = """Makes clients, or brings them up to date. One with a number is the client of that number, whatever its name, or else a new one.
One without is the client without a number that has the name, or else a new one; where several have it, it is refused (AMBIGUOUS). So is
one that is archived (ALREADY_ARCHIVED), and the second of two that are the same (DUPLICATE). Capitals make no difference.
Only what differs is written."""
ARCHIVED = """Archives a client, its active projects too, and closes its portals. What was registered stays as it is, and nothing more
can be registered on it or its projects. It takes no other changes, but payments and credit notes are still entered; its figures stay."""
TAKEN_BACK = """Takes an archived client back, with the projects and portals that its archiving took along; a project that was archived
before, and a portal that was closed before, stay so."""

DELETE = """Deletes one client for good, once it is archived and its `deletionPreview` was read: its projects, registrations, invoices,
payments, quotes, portals, addresses, labels and links to contacts, and all that was told of them. Contacts of other clients stay.
There is no way back."""


def changes(
    change: Callable[[WriteScope, Any], Awaitable[object]],
    *,
    description: str,
    needs: Permission = Permission.CLIENTS_WRITE,
    costs: Sequence[object] = (WRITTEN,),
    is_alone: bool = False,
) -> Any:  # noqa: ANN401 the annotation stands
    """A mutation. What `is_alone` is done once in a request, and may take long: not to several, whichever way they are asked for."""
    directives: list[object] = [*costs, RequiresPermission(any_of=[needs]), SemanticNonNull(), *([OneAtATime()] if is_alone else [])]
    alone = " One at a time: a document has one such field at most." if is_alone else ""
    return mutation(change, needs=needs, description=f"{description}{alone} Needs {needs}.", directives=directives, is_long=is_alone)


@strawberry.type(
    description="What can be changed. Each is done whole or not at all, unless asked otherwise; several are done one after the other."
)
class Mutation:
    client_create: payloads.ClientCreatePayload | None = changes(
        client_forms.create, description="Adds a client with its addresses, labels, contacts and financial settings."
    )
    client_update: payloads.ClientUpdatePayload | None = changes(client_forms.update, description="Changes a client.")
    client_delete: payloads.ClientDeletePayload | None = changes(
        deletions.delete,
        description=DELETE,
        needs=Permission.CLIENTS_ARCHIVE,
        costs=(Cost(weight="2000"),),
        is_alone=True,
    )
    client_bulk_upsert: payloads.ClientBulkUpsertPayload | None = changes(
        client_upserts.upsert,
        description=f"{BULK} Takes {Permission.CLIENTS_WRITE} as well.",
        needs=Permission.CLIENTS_IMPORT,
        costs=UPSERTED,
    )
    client_archive: payloads.ClientArchivePayload | None = changes(lifecycle.archive, description=ARCHIVED, needs=ARCHIVE, is_alone=True)
    client_unarchive: payloads.ClientUnarchivePayload | None = changes(lifecycle.unarchive, description=TAKEN_BACK, needs=ARCHIVE)
    client_contact_link: payloads.ClientContactLinkPayload | None = changes(
        client_forms.link, description="Makes a contact one of a client's."
    )
    client_contact_update: payloads.ClientContactUpdatePayload | None = changes(
        client_forms.update_link, description="Changes what a contact is to one client."
    )
    client_contact_unlink: payloads.ClientContactUnlinkPayload | None = changes(
        client_forms.unlink, description="Takes a contact off a client; the contact stays."
    )
    client_labels_add: payloads.ClientLabelsAddPayload | None = changes(
        client_forms.add_labels, description="Puts labels on up to 100 clients."
    )
    client_labels_remove: payloads.ClientLabelsRemovePayload | None = changes(
        client_forms.remove_labels, description="Takes labels off up to 100 clients."
    )
    contact_create: payloads.ContactCreatePayload | None = changes(contacts.create, description="Adds a contact.")
    contact_update: payloads.ContactUpdatePayload | None = changes(
        contacts.update, description="Changes a contact, which shows at each of its clients."
    )
    contact_delete: payloads.ContactDeletePayload | None = changes(
        contacts.delete, description="Deletes a contact that no client has any more."
    )
    label_create: payloads.LabelCreatePayload | None = changes(labels.create, description="Adds a label.")
    label_update: payloads.LabelUpdatePayload | None = changes(labels.update, description="Changes a label.")
    label_delete: payloads.LabelDeletePayload | None = changes(
        labels.delete,
        description="""Deletes a label and takes it off every client and registration, which stay. While one wears it that is archived or
locked, it is refused (IN_USE); `isActive` of `labelUpdate` keeps it from being chosen.""",
    )
    project_create: payloads.ProjectCreatePayload | None = changes(
        projects.create, description="Adds a project of an active client; its hours have the client's price unless told otherwise."
    )
    project_update: payloads.ProjectUpdatePayload | None = changes(
        projects.update, description="Changes an active project of an active client. It stays the client's."
    )
    project_archive: payloads.ProjectArchivePayload | None = changes(
        projects.archive, description="Archives a project: nothing more is registered on it, and its registrations stay as they are."
    )
    project_unarchive: payloads.ProjectUnarchivePayload | None = changes(
        projects.unarchive,
        description="Takes an archived project of an active client back. What was archived along with its client comes back with it.",
    )
    project_delete: payloads.ProjectDeletePayload | None = changes(
        projects.delete,
        description="Deletes a project of an active client that has neither registrations nor lines of invoices or quotes."
        " Portals show it no more.",
    )
    registration_create: payloads.RegistrationCreatePayload | None = changes(
        registrations.create,
        description=f"""Registers time, an expense or a trip. An hour costs what the project's method says, or else the client's default;
a kilometre the client's default; without either nothing. {IS_ACTIVE}""",
        needs=REGISTERING,
    )
    registration_update: payloads.RegistrationUpdatePayload | None = changes(
        registrations.update,
        description=f"""Changes a registration, or moves it to another client or project, whose rate counts then unless one was given.
{IS_OPEN}""",
        needs=REGISTERING,
    )
    registration_status_update: payloads.RegistrationStatusUpdatePayload | None = changes(
        registrations.set_status,
        description=f"Hands a registration in, approves it, rejects it, writes it off, or takes it back. {IS_ACTIVE}",
        needs=REGISTERING,
    )
    registration_delete: payloads.RegistrationDeletePayload | None = changes(
        registrations.delete, description=f"Deletes a registration for good. {IS_OPEN}", needs=REGISTERING
    )
    vat_rate_create: payloads.VatRateCreatePayload | None = changes(vat_rates.create, description="Adds a rate of VAT.", needs=FINANCE)
    vat_rate_update: payloads.VatRateUpdatePayload | None = changes(
        vat_rates.update, description="Changes a rate of VAT; invoices that were made keep the percentage of their day.", needs=FINANCE
    )
    invoice_layout_create: payloads.InvoiceLayoutCreatePayload | None = changes(
        layouts.create, description="Adds an invoice layout.", needs=FINANCE
    )
    invoice_layout_update: payloads.InvoiceLayoutUpdatePayload | None = changes(
        layouts.update, description="Changes an invoice layout. As the default it takes the place of the one that was.", needs=FINANCE
    )
    invoice_layout_delete: payloads.InvoiceLayoutDeletePayload | None = changes(
        layouts.delete,
        description="Deletes an invoice layout that neither clients nor invoices use and that is not the default.",
        needs=FINANCE,
    )
    organization_update: payloads.OrganizationUpdatePayload | None = changes(
        organizations.update, description="Changes the organization that the token belongs to.", needs=SETTINGS
    )
    member_add: payloads.MemberAddPayload | None = changes(
        members.add, description=f"Adds a member, with no more rights than one has oneself. {OWNERS}", needs=SETTINGS
    )
    member_update: payloads.MemberUpdatePayload | None = changes(
        members.update, description=f"Changes a member, who has no more rights then than one has oneself. {OWNERS}", needs=SETTINGS
    )
    member_remove: payloads.MemberRemovePayload | None = changes(
        members.remove,
        description=f"Takes a member's way in away and revokes their tokens; what they did stays theirs. {OWNERS}",
        needs=SETTINGS,
    )
    token_create: payloads.TokenCreatePayload | None = changes(
        tokens.create, description=f"Makes a token, with no more rights than one has oneself. {OWNERS}", needs=SETTINGS
    )
    token_revoke: payloads.TokenRevokePayload | None = changes(
        tokens.revoke, description=f"Revokes a token for good: within seconds it signs nobody in any more. {OWNERS}", needs=SETTINGS
    )
