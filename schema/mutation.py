"""The root of all mutations."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import strawberry

from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import Permission, WriteScope
from resolvers import (
    client_archiving,
    client_deletion,
    client_editing,
    contacts,
    labels,
    layouts,
    members,
    organizations,
    projects,
    registrations,
    tokens,
    vat_rates,
)
from resolvers import client_bulk_upsert as client_upserts
from resolvers.mutations import mutation
from schema import payloads
from schema.core.directives import Cost, ListSize, OneAtATime, RequiresPermission, SemanticNonNull

CLIENTS_ARCHIVE, FINANCE_WRITE, ORGANIZATION_WRITE = Permission.CLIENTS_ARCHIVE, Permission.FINANCE_WRITE, Permission.ORGANIZATION_WRITE
REGISTRATIONS_WRITE = Permission.REGISTRATIONS_WRITE
ACTIVE_HINT = "Refused where its client or its project is archived (ALREADY_ARCHIVED), whatever its day."
CHANGEABLE_HINT = f"{ACTIVE_HINT} So is one that is neither open, pending nor rejected (REGISTRATION_LOCKED)."
OWNERS_HINT = "What is of an owner takes OWNERS_WRITE as well."
WRITE_COST = Cost(weight="500")
BULK_LIST_SIZE = ListSize(
    assumed_size=MAX_PAGE_SIZE, slicing_arguments=["input.clients"], sized_fields=["results"], require_one_slicing_argument=False
)
BULK_COST = (Cost(weight="100"), BULK_LIST_SIZE)
BULK_UPSERT_DESCRIPTION = """\
Makes clients, or brings them up to date. One with a number is the client of that number, whatever its name, or else a new one.
One without is the client without a number that has the name, or else a new one; where several have it, it is refused (AMBIGUOUS). So is
one that is archived (ALREADY_ARCHIVED), and the second of two that are the same (DUPLICATE). Capitals make no difference.
Only what differs is written."""
ARCHIVE_DESCRIPTION = """\
Archives a client, its active projects too, and closes its portals. What was registered stays as it is, and nothing more
can be registered on it or its projects. It takes no other changes, but payments and credit notes are still entered; its figures stay."""
UNARCHIVE_DESCRIPTION = """\
Takes an archived client back, with the projects and portals that its archiving took along; a project that was archived
before, and a portal that was closed before, stay so."""

DELETE_DESCRIPTION = """\
Deletes one client for good, once it is archived and its `deletionPreview` was read: its projects, registrations, invoices,
payments, quotes, portals, addresses, labels and links to contacts, and all that was told of them. Contacts of other clients stay.
There is no way back."""


def declare_mutation(
    change: Callable[[WriteScope, Any], Awaitable[object]],
    *,
    description: str,
    permission: Permission = Permission.CLIENTS_WRITE,
    costs: Sequence[object] = (WRITE_COST,),
    is_exclusive: bool = False,
) -> Any:  # noqa: ANN401 the annotation stands
    """Declare a mutation. One with `is_exclusive` may take long and occurs once in a document, aliases and fragments included."""
    directives: list[object] = [
        *costs,
        RequiresPermission(any_of=[permission]),
        SemanticNonNull(),
        *([OneAtATime()] if is_exclusive else []),
    ]
    exclusive_hint = " One at a time: a document has one such field at most." if is_exclusive else ""
    return mutation(
        change,
        permission=permission,
        description=f"{description}{exclusive_hint} Needs {permission}.",
        directives=directives,
        is_long=is_exclusive,
    )


@strawberry.type(
    description="What can be changed. Each is done whole or not at all, unless asked otherwise; several are done one after the other."
)
class Mutation:
    client_create: payloads.ClientCreatePayload | None = declare_mutation(
        client_editing.create, description="Adds a client with its addresses, labels, contacts and financial settings."
    )
    client_update: payloads.ClientUpdatePayload | None = declare_mutation(client_editing.update, description="Changes a client.")
    client_delete: payloads.ClientDeletePayload | None = declare_mutation(
        client_deletion.delete,
        description=DELETE_DESCRIPTION,
        permission=Permission.CLIENTS_ARCHIVE,
        costs=(Cost(weight="2000"),),
        is_exclusive=True,
    )
    client_bulk_upsert: payloads.ClientBulkUpsertPayload | None = declare_mutation(
        client_upserts.upsert,
        description=f"{BULK_UPSERT_DESCRIPTION} Takes {Permission.CLIENTS_WRITE} as well.",
        permission=Permission.CLIENTS_IMPORT,
        costs=BULK_COST,
    )
    client_archive: payloads.ClientArchivePayload | None = declare_mutation(
        client_archiving.archive, description=ARCHIVE_DESCRIPTION, permission=CLIENTS_ARCHIVE, is_exclusive=True
    )
    client_unarchive: payloads.ClientUnarchivePayload | None = declare_mutation(
        client_archiving.unarchive, description=UNARCHIVE_DESCRIPTION, permission=CLIENTS_ARCHIVE
    )
    client_contact_link: payloads.ClientContactLinkPayload | None = declare_mutation(
        client_editing.link, description="Makes a contact one of a client's."
    )
    client_contact_update: payloads.ClientContactUpdatePayload | None = declare_mutation(
        client_editing.update_link, description="Changes what a contact is to one client."
    )
    client_contact_unlink: payloads.ClientContactUnlinkPayload | None = declare_mutation(
        client_editing.unlink, description="Takes a contact off a client; the contact stays."
    )
    client_labels_add: payloads.ClientLabelsAddPayload | None = declare_mutation(
        client_editing.add_labels, description="Puts labels on up to 100 clients."
    )
    client_labels_remove: payloads.ClientLabelsRemovePayload | None = declare_mutation(
        client_editing.remove_labels, description="Takes labels off up to 100 clients."
    )
    contact_create: payloads.ContactCreatePayload | None = declare_mutation(contacts.create, description="Adds a contact.")
    contact_update: payloads.ContactUpdatePayload | None = declare_mutation(
        contacts.update, description="Changes a contact, which shows at each of its clients."
    )
    contact_delete: payloads.ContactDeletePayload | None = declare_mutation(
        contacts.delete, description="Deletes a contact that no client has any more."
    )
    label_create: payloads.LabelCreatePayload | None = declare_mutation(labels.create, description="Adds a label.")
    label_update: payloads.LabelUpdatePayload | None = declare_mutation(labels.update, description="Changes a label.")
    label_delete: payloads.LabelDeletePayload | None = declare_mutation(
        labels.delete,
        description="""Deletes a label and takes it off every client and registration, which stay. While one wears it that is archived or
locked, it is refused (IN_USE); `isActive` of `labelUpdate` keeps it from being chosen.""",
    )
    project_create: payloads.ProjectCreatePayload | None = declare_mutation(
        projects.create, description="Adds a project of an active client; its hours have the client's price unless told otherwise."
    )
    project_update: payloads.ProjectUpdatePayload | None = declare_mutation(
        projects.update, description="Changes an active project of an active client. It stays the client's."
    )
    project_archive: payloads.ProjectArchivePayload | None = declare_mutation(
        projects.archive, description="Archives a project: nothing more is registered on it, and its registrations stay as they are."
    )
    project_unarchive: payloads.ProjectUnarchivePayload | None = declare_mutation(
        projects.unarchive,
        description="Takes an archived project of an active client back. What was archived along with its client comes back with it.",
    )
    project_delete: payloads.ProjectDeletePayload | None = declare_mutation(
        projects.delete,
        description="Deletes a project of an active client that has neither registrations nor lines of invoices or quotes."
        " Portals show it no more.",
    )
    registration_create: payloads.RegistrationCreatePayload | None = declare_mutation(
        registrations.create,
        description=f"""Registers time, an expense or a trip. An hour costs what the project's method says, or else the client's default;
a kilometre the client's default; without either nothing. {ACTIVE_HINT}""",
        permission=REGISTRATIONS_WRITE,
    )
    registration_update: payloads.RegistrationUpdatePayload | None = declare_mutation(
        registrations.update,
        description=f"""Changes a registration, or moves it to another client or project, whose rate counts then unless one was given.
{CHANGEABLE_HINT}""",
        permission=REGISTRATIONS_WRITE,
    )
    registration_status_update: payloads.RegistrationStatusUpdatePayload | None = declare_mutation(
        registrations.set_status,
        description=f"Hands a registration in, approves it, rejects it, writes it off, or takes it back. {ACTIVE_HINT}",
        permission=REGISTRATIONS_WRITE,
    )
    registration_delete: payloads.RegistrationDeletePayload | None = declare_mutation(
        registrations.delete, description=f"Deletes a registration for good. {CHANGEABLE_HINT}", permission=REGISTRATIONS_WRITE
    )
    vat_rate_create: payloads.VatRateCreatePayload | None = declare_mutation(
        vat_rates.create, description="Adds a rate of VAT.", permission=FINANCE_WRITE
    )
    vat_rate_update: payloads.VatRateUpdatePayload | None = declare_mutation(
        vat_rates.update,
        description="Changes a rate of VAT; invoices that were made keep the percentage of their day.",
        permission=FINANCE_WRITE,
    )
    invoice_layout_create: payloads.InvoiceLayoutCreatePayload | None = declare_mutation(
        layouts.create, description="Adds an invoice layout.", permission=FINANCE_WRITE
    )
    invoice_layout_update: payloads.InvoiceLayoutUpdatePayload | None = declare_mutation(
        layouts.update,
        description="Changes an invoice layout. As the default it takes the place of the one that was.",
        permission=FINANCE_WRITE,
    )
    invoice_layout_delete: payloads.InvoiceLayoutDeletePayload | None = declare_mutation(
        layouts.delete,
        description="Deletes an invoice layout that neither clients nor invoices use and that is not the default.",
        permission=FINANCE_WRITE,
    )
    organization_update: payloads.OrganizationUpdatePayload | None = declare_mutation(
        organizations.update, description="Changes the organization that the token belongs to.", permission=ORGANIZATION_WRITE
    )
    member_add: payloads.MemberAddPayload | None = declare_mutation(
        members.add, description=f"Adds a member, with no more rights than one has oneself. {OWNERS_HINT}", permission=ORGANIZATION_WRITE
    )
    member_update: payloads.MemberUpdatePayload | None = declare_mutation(
        members.update,
        description=f"Changes a member, who has no more rights then than one has oneself. {OWNERS_HINT}",
        permission=ORGANIZATION_WRITE,
    )
    member_remove: payloads.MemberRemovePayload | None = declare_mutation(
        members.remove,
        description=f"Takes a member's way in away and revokes their tokens; what they did stays theirs. {OWNERS_HINT}",
        permission=ORGANIZATION_WRITE,
    )
    token_create: payloads.TokenCreatePayload | None = declare_mutation(
        tokens.create, description=f"Makes a token, with no more rights than one has oneself. {OWNERS_HINT}", permission=ORGANIZATION_WRITE
    )
    token_revoke: payloads.TokenRevokePayload | None = declare_mutation(
        tokens.revoke,
        description=f"Revokes a token for good: within seconds it signs nobody in any more. {OWNERS_HINT}",
        permission=ORGANIZATION_WRITE,
    )
