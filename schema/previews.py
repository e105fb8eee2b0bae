"""Previews of archiving and deleting a client, and the counts of a deletion."""

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import ClientAmountsRow
from domain.clients import previews
from domain.clients.deletion import DeletionResult
from domain.clients.previews import MAX_LISTED_CONTACTS
from domain.core.scope import Permission
from schema.core.fields import FieldOptions, list_size, relation
from schema.core.money import Money, read_money
from schema.core.row_type import computed_field, row_type
from schema.core.scalars import CurrencyCode

if TYPE_CHECKING:
    from schema.contacts import Contact

PREVIEW_OPTIONS = FieldOptions(cost=50)
FIGURES_HINT = f"Null without {Permission.FINANCE_READ}."


@row_type(ClientAmountsRow, description="What a client amounts to, in one currency.")
class ClientAmounts:
    currency: CurrencyCode = strawberry.field(description="The currency.")
    invoiced: Money = computed_field(read_money("invoiced"), description="Invoices less credit notes that were issued, excluding VAT.")
    outstanding: Money = computed_field(read_money("outstanding"), description="What of them is still to be paid, including VAT.")
    unbilled: Money = computed_field(read_money("unbilled"), description="Registrations that are still to be invoiced, excluding VAT.")


@row_type(
    previews.ArchivePreview,
    description="What archiving a client does: its registrations stay as they are and can no longer be changed, nothing more is "
    "registered on it, its projects are archived and its portals closed. `clientUnarchive` takes all of that back.",
)
class ArchivePreview:
    project_count: int = computed_field(attrgetter("counts.active_projects"), description="Projects that are archived along.")
    registration_count: int = computed_field(attrgetter("counts.registrations"), description="Registrations that can no longer be changed.")
    unbilled_registration_count: int = computed_field(
        attrgetter("counts.unbilled_registrations"), description="Those of them that are still to be invoiced, and then cannot be."
    )
    draft_invoice_count: int = computed_field(attrgetter("counts.draft_invoices"), description="Invoices that were not issued yet.")
    draft_quote_count: int = computed_field(attrgetter("counts.draft_quotes"), description="Quotes that were not sent yet.")
    portal_count: int = computed_field(attrgetter("counts.open_portals"), description="Portals that are closed.")
    amounts: list[ClientAmounts] | None = computed_field(
        attrgetter("amounts"), description=f"What it amounts to, by currency. {FIGURES_HINT}", directives=[list_size(3)]
    )


@row_type(
    previews.DeletionPreview,
    description="What deleting a client takes along, for good. Contacts that other clients have stay, and so does what payments on "
    "several clients' invoices were for others.",
)
class DeletionPreview:
    project_count: int = computed_field(attrgetter("counts.projects"), description="Projects.")
    registration_count: int = computed_field(attrgetter("counts.registrations"), description="Registrations of all kinds.")
    time_registration_count: int = computed_field(attrgetter("counts.time_registrations"), description="Registrations of hours.")
    expense_registration_count: int = computed_field(attrgetter("counts.expense_registrations"), description="Registrations of expenses.")
    mileage_registration_count: int = computed_field(attrgetter("counts.mileage_registrations"), description="Registrations of trips.")
    unbilled_registration_count: int = computed_field(
        attrgetter("counts.unbilled_registrations"), description="Registrations that are still to be invoiced."
    )
    invoice_count: int = computed_field(attrgetter("counts.invoices"), description="Invoices and credit notes, drafts as well.")
    issued_invoice_count: int = computed_field(
        attrgetter("counts.issued_invoices"),
        description="Those of them that were issued. Where there are any, `clientDelete` takes `acknowledgeFiscalRetention`.",
    )
    payment_count: int = computed_field(attrgetter("counts.payments"), description="Payments that were for this client's invoices alone.")
    quote_count: int = computed_field(attrgetter("counts.quotes"), description="Quotes.")
    portal_count: int = computed_field(attrgetter("counts.portals"), description="Portals.")
    contacts_left_alone_count: int = computed_field(
        attrgetter("orphaned_contact_count"),
        description="Contacts that no other client has. They are kept, unless `clientDelete` is asked otherwise.",
    )
    contacts_left_alone: list[Annotated["Contact", strawberry.lazy("schema.contacts")]] | None = relation(
        previews.orphaned_contacts,
        key="client_id",
        description=f"The first {MAX_LISTED_CONTACTS} of them.",
        options=FieldOptions(size=MAX_LISTED_CONTACTS),
    )
    amounts: list[ClientAmounts] | None = computed_field(
        attrgetter("amounts"), description=f"What it amounts to, by currency. {FIGURES_HINT}", directives=[list_size(3)]
    )
    token: str | None = strawberry.field(
        description=f"For `clientDelete`: good until `expiresAt`, and while nothing changes. Null without {Permission.CLIENTS_ARCHIVE}."
    )
    expires_at: datetime = strawberry.field(description="Until when the token is good.")


@row_type(DeletionResult, description="How much was deleted along with a client.")
class DeletedCounts:
    project_count: int = computed_field(attrgetter("projects"), description="Projects.")
    registration_count: int = computed_field(attrgetter("registrations"), description="Registrations.")
    invoice_count: int = computed_field(attrgetter("invoices"), description="Invoices and credit notes.")
    payment_count: int = computed_field(attrgetter("payments"), description="Payments that were for this client's invoices alone.")
    quote_count: int = computed_field(attrgetter("quotes"), description="Quotes.")
    portal_count: int = computed_field(attrgetter("portals"), description="Portals.")
    contact_count: int = computed_field(attrgetter("contacts"), description="Contacts that no other client had.")
