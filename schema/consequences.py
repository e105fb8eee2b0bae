"""What archiving or deleting a client would do."""

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import ClientAmountsRow
from domain import consequences
from domain.consequences import MAX_LISTED_CONTACTS
from domain.deletions import DeletionResult
from domain.scope import Permission
from schema.fields import Terms, by, listed
from schema.lens import lens, read
from schema.money import Money, money
from schema.scalars import CurrencyCode

if TYPE_CHECKING:
    from schema.contacts import Contact

PREVIEWED = Terms(cost=50)
FIGURES = f"Null without {Permission.FINANCE_READ}."


@lens(ClientAmountsRow, description="What a client amounts to, in one currency.")
class ClientAmounts:
    currency: CurrencyCode = strawberry.field(description="The currency.")
    invoiced: Money = read(money("invoiced"), description="Invoices less credit notes that were issued, excluding VAT.")
    outstanding: Money = read(money("outstanding"), description="What of them is still to be paid, including VAT.")
    unbilled: Money = read(money("unbilled"), description="Registrations that are still to be invoiced, excluding VAT.")


@lens(
    consequences.ArchivePreview,
    description="What archiving a client does: its registrations stay as they are and can no longer be changed, nothing more is "
    "registered on it, its projects are archived and its portals closed. `clientUnarchive` takes all of that back.",
)
class ArchivePreview:
    project_count: int = read(attrgetter("counts.active_projects"), description="Projects that are archived along.")
    registration_count: int = read(attrgetter("counts.registrations"), description="Registrations that can no longer be changed.")
    unbilled_registration_count: int = read(
        attrgetter("counts.unbilled_registrations"), description="Those of them that are still to be invoiced, and then cannot be."
    )
    draft_invoice_count: int = read(attrgetter("counts.draft_invoices"), description="Invoices that were not issued yet.")
    draft_quote_count: int = read(attrgetter("counts.draft_quotes"), description="Quotes that were not sent yet.")
    portal_count: int = read(attrgetter("counts.open_portals"), description="Portals that are closed.")
    amounts: list[ClientAmounts] | None = read(
        attrgetter("amounts"), description=f"What it amounts to, by currency. {FIGURES}", directives=[listed(3)]
    )


@lens(
    consequences.DeletionPreview,
    description="What deleting a client takes along, for good. Contacts that other clients have stay, and so does what payments on "
    "several clients' invoices were for others.",
)
class DeletionPreview:
    project_count: int = read(attrgetter("counts.projects"), description="Projects.")
    registration_count: int = read(attrgetter("counts.registrations"), description="Registrations of all kinds.")
    time_registration_count: int = read(attrgetter("counts.time_registrations"), description="Registrations of hours.")
    expense_registration_count: int = read(attrgetter("counts.expense_registrations"), description="Registrations of expenses.")
    mileage_registration_count: int = read(attrgetter("counts.mileage_registrations"), description="Registrations of trips.")
    unbilled_registration_count: int = read(
        attrgetter("counts.unbilled_registrations"), description="Registrations that are still to be invoiced."
    )
    invoice_count: int = read(attrgetter("counts.invoices"), description="Invoices and credit notes, drafts as well.")
    issued_invoice_count: int = read(
        attrgetter("counts.issued_invoices"),
        description="Those of them that were issued. Where there are any, `clientDelete` takes `acknowledgeFiscalRetention`.",
    )
    payment_count: int = read(attrgetter("counts.payments"), description="Payments that were for this client's invoices alone.")
    quote_count: int = read(attrgetter("counts.quotes"), description="Quotes.")
    portal_count: int = read(attrgetter("counts.portals"), description="Portals.")
    contacts_left_alone_count: int = read(
        attrgetter("orphaned_contact_count"),
        description="Contacts that no other client has. They are kept, unless `clientDelete` is asked otherwise.",
    )
    contacts_left_alone: list[Annotated["Contact", strawberry.lazy("schema.contacts")]] | None = by(
        consequences.orphaned_contacts,
        key="client_id",
        description=f"The first {MAX_LISTED_CONTACTS} of them.",
        terms=Terms(size=MAX_LISTED_CONTACTS),
    )
    amounts: list[ClientAmounts] | None = read(
        attrgetter("amounts"), description=f"What it amounts to, by currency. {FIGURES}", directives=[listed(3)]
    )
    token: str | None = strawberry.field(
        description=f"For `clientDelete`: good until `expiresAt`, and while nothing changes. Null without {Permission.CLIENTS_ARCHIVE}."
    )
    expires_at: datetime = strawberry.field(description="Until when the token is good.")


@lens(DeletionResult, description="How much was deleted along with a client.")
class DeletedCounts:
    project_count: int = read(attrgetter("projects"), description="Projects.")
    registration_count: int = read(attrgetter("registrations"), description="Registrations.")
    invoice_count: int = read(attrgetter("invoices"), description="Invoices and credit notes.")
    payment_count: int = read(attrgetter("payments"), description="Payments that were for this client's invoices alone.")
    quote_count: int = read(attrgetter("quotes"), description="Quotes.")
    portal_count: int = read(attrgetter("portals"), description="Portals.")
    contact_count: int = read(attrgetter("contacts"), description="Contacts that no other client had.")
