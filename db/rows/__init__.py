"""The classes of the rows that queries return. The schema and the domain read them. Each subject has a file."""

from db.rows.activity import EventRow
from db.rows.clients import AddressRow, ClientRow, ContactClientRow, DuplicateRow, FinancialRow, LabelClientRow
from db.rows.contacts import ClientContactRow, ClientLabelRow, ContactRow, LabelRow, LockedUsesRow
from db.rows.files import FileBytesRow, FilePartRow, FileRow
from db.rows.invoices import ClientRevenueRow, InvoiceLayoutRow, InvoiceRow, RevenueRow, VatRateRow
from db.rows.jobs import DueJobRow, JobRow, JobStatisticsRow, RequesterRow
from db.rows.organizations import (
    ActorRow,
    CountByIdRow,
    CountRow,
    IdRow,
    InvoiceNumberRow,
    MemberRow,
    NumberKeyRow,
    OrganizationRow,
    TokenRow,
)
from db.rows.portals import PortalContactRow, PortalProjectRow, PortalRow
from db.rows.previews import ClientAmountsRow, DependentCountsRow, OrphanRow, PaymentRow
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
    "ContactClientRow",
    "ContactRow",
    "CountByIdRow",
    "CountRow",
    "DependentCountsRow",
    "DueJobRow",
    "DuplicateRow",
    "EventRow",
    "FileBytesRow",
    "FilePartRow",
    "FileRow",
    "FinancialRow",
    "IdRow",
    "InvoiceLayoutRow",
    "InvoiceNumberRow",
    "InvoiceRow",
    "JobRow",
    "JobStatisticsRow",
    "LabelClientRow",
    "LabelRow",
    "LockedUsesRow",
    "MemberRow",
    "NumberKeyRow",
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
    "RequesterRow",
    "RevenueRow",
    "TokenRow",
    "VatRateRow",
]
