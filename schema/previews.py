"""GraphQL types of previews: what archiving or deleting a client would do, and what a deletion did."""

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
from schema.core.row_type import attribute, computed_field, row_type
from schema.core.scalars import CurrencyCode

if TYPE_CHECKING:
    from schema.contacts import Contact

PREVIEW_OPTIONS = FieldOptions(cost=50)
FIGURES_HINT = f"Null without `{Permission.FINANCE_READ}`."


@row_type(ClientAmountsRow, description="Amounts of a client in one currency.")
class ClientAmounts:
    currency: CurrencyCode = attribute("Currency of the amounts.")
    invoiced: Money = computed_field(read_money("invoiced"), "Issued invoices minus credit notes, excluding VAT.")
    outstanding: Money = computed_field(read_money("outstanding"), "Unpaid part of issued invoices minus credit notes, including VAT.")
    unbilled: Money = computed_field(read_money("unbilled"), "Amount of billable registrations that are not invoiced yet, excluding VAT.")


@row_type(
    previews.ArchivePreview,
    description="Effects of archiving a client. Its projects are archived and its portals closed; its registrations cannot change, "
    "and new ones are rejected. `clientUnarchive` reverses all of this.",
)
class ArchivePreview:
    project_count: int = computed_field(attrgetter("counts.active_projects"), "Number of active projects, which would be archived too.")
    registration_count: int = computed_field(attrgetter("counts.registrations"), "Number of registrations, which could no longer change.")
    unbilled_registration_count: int = computed_field(
        attrgetter("counts.unbilled_registrations"), "Number of billable registrations not invoiced yet, which could not be invoiced then."
    )
    draft_invoice_count: int = computed_field(attrgetter("counts.draft_invoices"), "Number of invoices that are not issued yet.")
    draft_quote_count: int = computed_field(attrgetter("counts.draft_quotes"), "Number of quotes that are not sent yet.")
    portal_count: int = computed_field(attrgetter("counts.open_portals"), "Number of open portals, which would be closed.")
    amounts: list[ClientAmounts] | None = computed_field(
        attrgetter("amounts"), f"Amounts by currency. {FIGURES_HINT}", directives=[list_size(3)]
    )


@row_type(
    previews.DeletionPreview,
    description="What deleting a client would permanently remove with it. Contacts that other clients have are kept, and so are "
    "payments that also cover invoices of other clients.",
)
class DeletionPreview:
    project_count: int = computed_field(attrgetter("counts.projects"), "Number of projects.")
    registration_count: int = computed_field(attrgetter("counts.registrations"), "Number of registrations of all kinds.")
    time_registration_count: int = computed_field(attrgetter("counts.time_registrations"), "Number of registrations of time.")
    expense_registration_count: int = computed_field(attrgetter("counts.expense_registrations"), "Number of registrations of expenses.")
    mileage_registration_count: int = computed_field(attrgetter("counts.mileage_registrations"), "Number of registrations of trips.")
    unbilled_registration_count: int = computed_field(
        attrgetter("counts.unbilled_registrations"), "Number of billable registrations that are not invoiced yet."
    )
    invoice_count: int = computed_field(attrgetter("counts.invoices"), "Number of invoices and credit notes, including drafts.")
    issued_invoice_count: int = computed_field(
        attrgetter("counts.issued_invoices"),
        "Number of issued invoices and credit notes. If it is more than 0, `clientDelete` requires `acknowledgeFiscalRetention: true`.",
    )
    payment_count: int = computed_field(attrgetter("counts.payments"), "Number of payments that cover only invoices of this client.")
    quote_count: int = computed_field(attrgetter("counts.quotes"), "Number of quotes.")
    portal_count: int = computed_field(attrgetter("counts.portals"), "Number of portals.")
    contacts_left_alone_count: int = computed_field(
        attrgetter("orphaned_contact_count"),
        "Number of contacts that no other client has. `clientDelete` keeps them unless `deleteOrphanContacts` is true.",
    )
    contacts_left_alone: list[Annotated["Contact", strawberry.lazy("schema.contacts")]] | None = relation(
        previews.orphaned_contacts,
        f"Contacts that no other client has; at most {MAX_LISTED_CONTACTS}.",
        key="client_id",
        options=FieldOptions(size=MAX_LISTED_CONTACTS),
    )
    amounts: list[ClientAmounts] | None = computed_field(
        attrgetter("amounts"), f"Amounts by currency. {FIGURES_HINT}", directives=[list_size(3)]
    )
    token: str | None = attribute(
        f"Token for `clientDelete`, valid until `expiresAt` and while nothing changes. Null without `{Permission.CLIENTS_ARCHIVE}`."
    )
    expires_at: datetime = attribute("Expiry time of the token, 15 minutes after the preview.")


@row_type(DeletionResult, description="Numbers of objects that were deleted with a client.")
class DeletedCounts:
    project_count: int = computed_field(attrgetter("projects"), "Number of projects.")
    registration_count: int = computed_field(attrgetter("registrations"), "Number of registrations.")
    invoice_count: int = computed_field(attrgetter("invoices"), "Number of invoices and credit notes.")
    payment_count: int = computed_field(attrgetter("payments"), "Number of payments that cover only invoices of this client.")
    quote_count: int = computed_field(attrgetter("quotes"), "Number of quotes.")
    portal_count: int = computed_field(attrgetter("portals"), "Number of portals.")
    contact_count: int = computed_field(attrgetter("contacts"), "Number of contacts; 0 unless `deleteOrphanContacts` was true.")
