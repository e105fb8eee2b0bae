"""Contacts, which can belong to several clients, and labels."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Column, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field as ColumnField

from db.tables.base import (
    BYTE_ORDER_TEXT,
    ENUM_TEXT,
    LANGUAGE,
    Entity,
    Fields,
    Table,
    Versioned,
    check,
    enum_check,
    foreign_key,
    organization_foreign_key,
)
from db.tables.timestamps import now


class ContactRole(StrEnum):
    """A kind of document that a contact receives for a client, or access to its portal."""

    INVOICE = "INVOICE"
    QUOTE = "QUOTE"
    REMINDER = "REMINDER"
    STATEMENT = "STATEMENT"
    PORTAL = "PORTAL"


class Recipient(StrEnum):
    TO = "TO"
    CC = "CC"
    BCC = "BCC"


class LabelScope(StrEnum):
    CLIENT = "CLIENT"


class ContactFields(Fields):
    """The fields of a contact."""

    first_name: str | None = Field(default=None, max_length=100)
    last_name: str | None = Field(default=None, max_length=100)
    job_title: str | None = Field(default=None, max_length=100)
    email: str | None = Field(default=None, max_length=254)
    phone: str | None = Field(default=None, max_length=50)
    mobile: str | None = Field(default=None, max_length=50)
    language: str | None = Field(default=None, pattern=LANGUAGE, max_length=2)
    notes: str | None = Field(default=None, max_length=10_000)
    is_active: bool = True


class Contact(ContactFields, Versioned, Entity, table=True):
    __tablename__ = "contact"
    __table_args__ = (
        organization_foreign_key(),
        check("named", "first_name IS NOT NULL OR last_name IS NOT NULL"),
        Index("contact_by_name", "tenant_id", "name_key", "id"),
    )
    name_key: str = ColumnField(sa_type=BYTE_ORDER_TEXT)


class ClientContactFields(Fields):
    """The fields of the link between a contact and a client; the fields of the person are in `ContactFields`."""

    position: int = Field(default=0, ge=0)
    department: str | None = Field(default=None, max_length=100)
    is_invoice_contact: bool = False
    is_primary: bool = False
    recipient: Annotated[Recipient, ENUM_TEXT] = Recipient.TO
    is_active: bool = True


class ClientContact(ClientContactFields, Table, table=True):
    __tablename__ = "client_contact"
    __table_args__ = (
        foreign_key("client", "client_id"),
        foreign_key("contact", "contact_id"),
        enum_check("recipient", Recipient),
        check("roles", "roles <@ ARRAY[" + ", ".join(f"'{role}'" for role in ContactRole) + "]::text[]"),
        Index("client_contact_primary_unique", "tenant_id", "client_id", unique=True, postgresql_where=text("is_primary")),
        Index("client_contact_for_invoices", "tenant_id", "client_id", postgresql_where=text("is_invoice_contact")),
        Index("client_contact_by_position", "tenant_id", "client_id", "position", "contact_id"),
        Index("client_contact_by_contact", "tenant_id", "contact_id", "client_id"),
    )
    client_id: UUID = ColumnField(primary_key=True)
    contact_id: UUID = ColumnField(primary_key=True)
    roles: list[str] = ColumnField(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    created_at: datetime = ColumnField(default_factory=now)
    version: int = ColumnField(default=1, sa_column_kwargs={"server_default": "1"})


class LabelFields(Fields):
    """The fields of a label."""

    name: str = Field(min_length=1, max_length=50)
    color: str = Field(default="#64748B", pattern=r"^#[0-9A-F]{6}$", max_length=7)
    is_active: bool = True


class Label(LabelFields, Versioned, Entity, table=True):
    __tablename__ = "label"
    __table_args__ = (organization_foreign_key(), enum_check("scope", LabelScope), UniqueConstraint("tenant_id", "scope", "name_key"))
    scope: Annotated[LabelScope, ENUM_TEXT] = LabelScope.CLIENT
    name_key: str = ColumnField(sa_type=BYTE_ORDER_TEXT)


class ClientLabel(Table, table=True):
    __tablename__ = "client_label"
    __table_args__ = (
        foreign_key("client", "client_id"),
        foreign_key("label", "label_id"),
        Index("client_label_by_label", "tenant_id", "label_id", "client_id"),
    )
    client_id: UUID = ColumnField(primary_key=True)
    label_id: UUID = ColumnField(primary_key=True)
