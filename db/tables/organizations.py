"""Organizations, their members, and the API tokens of members and machines."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field as ColumnField

from db.tables.base import (
    COUNTRY,
    CURRENCY,
    ENUM_TEXT,
    Entity,
    Fields,
    Table,
    Versioned,
    check,
    enum_check,
    foreign_key,
    organization_foreign_key,
)


class Role(StrEnum):
    """The role of a member, from most to least rights."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    FINANCE = "FINANCE"
    MEMBER = "MEMBER"
    VIEWER = "VIEWER"


class OrganizationFields(Fields):
    """The fields of an organization."""

    name: str = Field(min_length=1, max_length=200)
    base_currency: str = Field(default="EUR", pattern=CURRENCY, max_length=3)
    country: str = Field(default="NL", pattern=COUNTRY, max_length=2)
    locale: str = Field(default="nl-NL", max_length=35)
    timezone: str = Field(default="Europe/Amsterdam", max_length=64)
    default_payment_term_days: int = Field(default=30, ge=0, le=365)
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    client_number_format: str | None = Field(default=None, max_length=50)
    invoice_number_format: str | None = Field(default=None, max_length=50)
    client_required: bool = False
    project_required: bool = False


class Organization(OrganizationFields, Versioned, Table, table=True):
    """An organization, which is a tenant. Its id is `tenant_id`."""

    __tablename__ = "organization"
    __table_args__ = (
        foreign_key("vat_rate", "default_vat_rate_id", use_alter=True),
        foreign_key("invoice_layout", "default_layout_id", use_alter=True),
        check("payment_term", "default_payment_term_days BETWEEN 0 AND 365"),
        check("fiscal_year", "fiscal_year_start_month BETWEEN 1 AND 12"),
    )
    default_vat_rate_id: UUID | None = None
    default_layout_id: UUID | None = None


class NumberSequence(Table, table=True):
    """The last assigned number of a kind. Taking the next one locks the row."""

    __tablename__ = "number_sequence"
    __table_args__ = (organization_foreign_key(), check("last", "last >= 0"))
    kind: str = ColumnField(primary_key=True, max_length=20)
    last: int = ColumnField(default=0, sa_type=BigInteger)


class MemberFields(Fields):
    """The fields of a new member."""

    name: str = Field(min_length=1, max_length=200)
    email: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
    role: Annotated[Role, ENUM_TEXT] = Role.MEMBER


class ExistingMemberFields(MemberFields):
    """The fields of an existing member."""

    is_active: bool = True


class Member(ExistingMemberFields, Versioned, Entity, table=True):
    __tablename__ = "member"
    __table_args__ = (
        organization_foreign_key(),
        enum_check("role", Role),
        Index("member_email_unique", "tenant_id", text("lower(email)"), unique=True),
    )


class TokenFields(Fields):
    """The fields of an API token."""

    name: str = Field(min_length=1, max_length=100)
    role: Annotated[Role | None, ENUM_TEXT] = None
    expires_at: datetime | None = None


class ApiToken(TokenFields, Entity, table=True):
    """An API token, of which only the SHA-256 is stored. A token without a member belongs to a machine."""

    __tablename__ = "api_token"
    __table_args__ = (
        organization_foreign_key(),
        foreign_key("member", "member_id"),
        foreign_key("member", "created_by"),
        enum_check("role", Role),
        check("whose", "member_id IS NOT NULL OR role IS NOT NULL"),
        check("hash", "octet_length(token_hash) = 32"),
        UniqueConstraint("tenant_id", "token_hash"),
        Index("api_token_by_hash", "token_hash"),
    )
    member_id: UUID | None = None
    scope: list[str] | None = ColumnField(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    token_hash: bytes = ColumnField(sa_type=LargeBinary)
    created_at: datetime
    created_by: UUID | None = None  # the member; None if a machine or the command line created the token
    revoked_at: datetime | None = None
