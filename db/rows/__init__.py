"""What the queries return: a class per shape of row, declared once, a file a subject; what is shown and what is ruled read these."""

from db.rows.activity import EventRow
from db.rows.clients import AddressRow, ClientRow, ContactClientRow, DuplicateRow, FinancialRow, LabelClientRow
from db.rows.consequences import ClientAmountsRow, ConsequencesRow, OrphanRow, PaymentRow
from db.rows.contacts import ClientContactRow, ClientLabelRow, ContactRow, FixedRow, LabelRow
from db.rows.invoices import ClientRevenueRow, InvoiceLayoutRow, InvoiceRow, RevenueRow, VatRateRow
from db.rows.organizations import ActorRow, CountOfRow, CountRow, KeyRow, MemberRow, NumberedRow, NumberRow, OrganizationRow, TokenRow
from db.rows.portals import PortalContactRow, PortalProjectRow, PortalRow
from db.rows.projects import ProjectFinancialRow, ProjectRow
from db.rows.quotes import QuoteLineRow, QuoteRow
from db.rows.registrations import RegistrationFinancialRow, RegistrationLabelRow, RegistrationRow

__all__ = [
    "ActorRow",
    "AddressRow",
    "ClientAmountsRow",
    "ClientContactRow",
    "ClientLabelRow",
    "ClientRevenueRow",
    "ClientRow",
    "ConsequencesRow",
    "ContactClientRow",
    "ContactRow",
    "CountOfRow",
    "CountRow",
    "DuplicateRow",
    "EventRow",
    "FinancialRow",
    "FixedRow",
    "InvoiceLayoutRow",
    "InvoiceRow",
    "KeyRow",
    "LabelClientRow",
    "LabelRow",
    "MemberRow",
    "NumberRow",
    "NumberedRow",
    "OrganizationRow",
    "OrphanRow",
    "PaymentRow",
    "PortalContactRow",
    "PortalProjectRow",
    "PortalRow",
    "ProjectFinancialRow",
    "ProjectRow",
    "QuoteLineRow",
    "QuoteRow",
    "RegistrationFinancialRow",
    "RegistrationLabelRow",
    "RegistrationRow",
    "RevenueRow",
    "TokenRow",
    "VatRateRow",
]
