"""Tables, and the field sets that tables, inputs and validation share: a file a subject."""

from db.tables.base import SCHEMA, Row, Table
from db.tables.clients import AddressFields, AddressType, Client, ClientAddress, ClientFields, ClientFinancialFields, ClientKind
from db.tables.contacts import ClientContact, ClientLabel, Contact, ContactFields, Label, LabelFields
from db.tables.invoices import Invoice, InvoiceKind, InvoiceLayout, InvoiceLine, InvoiceStatus, Payment, PaymentAllocation, VatRate
from db.tables.organizations import ApiToken, Member, MemberFields, Organization, OrganizationFields, Role
from db.tables.projects import Project, Registration

__all__ = [
    "SCHEMA",
    "AddressFields",
    "AddressType",
    "ApiToken",
    "Client",
    "ClientAddress",
    "ClientContact",
    "ClientFields",
    "ClientFinancialFields",
    "ClientKind",
    "ClientLabel",
    "Contact",
    "ContactFields",
    "Invoice",
    "InvoiceKind",
    "InvoiceLayout",
    "InvoiceLine",
    "InvoiceStatus",
    "Label",
    "LabelFields",
    "Member",
    "MemberFields",
    "Organization",
    "OrganizationFields",
    "Payment",
    "PaymentAllocation",
    "Project",
    "Registration",
    "Role",
    "Row",
    "Table",
    "VatRate",
]
