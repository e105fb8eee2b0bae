"""Tables, and the field sets that tables, inputs and validation share: a file a subject."""

from db.tables.base import SCHEMA, Row, Table
from db.tables.clients import AddressFields, AddressType, Client, ClientAddress, ClientFields, ClientFinancialFields, ClientKind
from db.tables.contacts import ClientContact, ClientContactFields, ClientLabel, Contact, ContactFields, ContactRole, Label, LabelFields
from db.tables.invoices import (
    Invoice,
    InvoiceKind,
    InvoiceLayout,
    InvoiceLayoutFields,
    InvoiceLine,
    InvoiceStatus,
    Payment,
    PaymentAllocation,
    VatCategory,
    VatRate,
    VatRateFields,
)
from db.tables.organizations import ApiToken, Member, MemberFields, NumberSequence, Organization, OrganizationFields, Role, TokenFields
from db.tables.projects import Project, Registration
from db.tables.traces import Action, AuditEvent, Channel, IdempotencyKey, OutboxEvent

__all__ = [
    "SCHEMA",
    "Action",
    "AddressFields",
    "AddressType",
    "ApiToken",
    "AuditEvent",
    "Channel",
    "Client",
    "ClientAddress",
    "ClientContact",
    "ClientContactFields",
    "ClientFields",
    "ClientFinancialFields",
    "ClientKind",
    "ClientLabel",
    "Contact",
    "ContactFields",
    "ContactRole",
    "IdempotencyKey",
    "Invoice",
    "InvoiceKind",
    "InvoiceLayout",
    "InvoiceLayoutFields",
    "InvoiceLine",
    "InvoiceStatus",
    "Label",
    "LabelFields",
    "Member",
    "MemberFields",
    "NumberSequence",
    "Organization",
    "OrganizationFields",
    "OutboxEvent",
    "Payment",
    "PaymentAllocation",
    "Project",
    "Registration",
    "Role",
    "Row",
    "Table",
    "TokenFields",
    "VatCategory",
    "VatRate",
    "VatRateFields",
]
