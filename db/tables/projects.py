"""Projects, and the registrations of time, expenses and mileage."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field as ColumnField

from db.tables.base import ENUM_TEXT, Entity, Fields, Table, Versioned, check, enum_check, foreign_key


class InvoiceMethod(StrEnum):
    """The source of a project's prices."""

    NONE = "NONE"
    CLIENT_HOURLY = "CLIENT_HOURLY"
    PROJECT_HOURLY = "PROJECT_HOURLY"
    PROJECT_FIXED = "PROJECT_FIXED"


class RegistrationKind(StrEnum):
    TIME = "TIME"
    EXPENSE = "EXPENSE"
    MILEAGE = "MILEAGE"


class RegistrationStatus(StrEnum):
    OPEN = "OPEN"
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    INVOICED = "INVOICED"
    WRITTEN_OFF = "WRITTEN_OFF"
    REJECTED = "REJECTED"


class RateSource(StrEnum):
    CLIENT = "CLIENT"
    PROJECT = "PROJECT"
    EXPLICIT = "EXPLICIT"
    NONE = "NONE"


class TripType(StrEnum):
    PRIVATE = "PRIVATE"
    BUSINESS = "BUSINESS"
    COMMUTE = "COMMUTE"


class ProjectFields(Fields):
    """The fields of a project."""

    name: str = Field(min_length=1, max_length=200)
    code: str | None = Field(default=None, max_length=50)
    starts_on: date | None = None
    ends_on: date | None = None
    invoice_method: Annotated[InvoiceMethod, ENUM_TEXT] = InvoiceMethod.CLIENT_HOURLY
    invoice_reference: str | None = Field(default=None, max_length=100)


class ProjectFinancialFields(Fields):
    """The prices of a project, in the currency of its client."""

    hourly_rate: Decimal | None = Field(default=None, max_digits=19, decimal_places=4, ge=0)
    fixed_price: Decimal | None = Field(default=None, max_digits=19, decimal_places=2, ge=0)


class Project(ProjectFields, ProjectFinancialFields, Versioned, Entity, table=True):
    __tablename__ = "project"
    __table_args__ = (
        foreign_key("client", "client_id"),
        enum_check("invoice_method", InvoiceMethod),
        check("days", "ends_on >= starts_on"),
        check("prices", "hourly_rate >= 0 AND fixed_price >= 0"),
        UniqueConstraint("tenant_id", "id", "client_id"),
        Index("project_by_client", "tenant_id", "client_id", "id"),
    )
    client_id: UUID
    archived_at: datetime | None = None
    archive_operation_id: UUID | None = None  # if the project was archived together with its client: that archive operation


class RegistrationFields(Fields):
    """The fields that registrations of all kinds have."""

    registered_on: date
    is_billable: bool = True
    note: str | None = Field(default=None, max_length=2000)


class TimeFields(Fields):
    """The further fields of a time registration: its duration, or its start and end."""

    minutes: int | None = Field(default=None, gt=0, le=1440)
    started_at: datetime | None = None
    ended_at: datetime | None = None


class ExpenseFields(Fields):
    """The further fields of an expense registration."""

    quantity: Decimal = Field(max_digits=19, decimal_places=4, gt=0)
    unit_price: Decimal = Field(max_digits=19, decimal_places=4, ge=0)


class MileageFields(Fields):
    """The further fields of a mileage registration."""

    distance_km: Decimal = Field(max_digits=9, decimal_places=1, gt=0)
    departure: str | None = Field(default=None, max_length=200)
    destination: str | None = Field(default=None, max_length=200)
    trip_type: Annotated[TripType | None, ENUM_TEXT] = None


class RateFields(Fields):
    """The explicit rate of a time or mileage registration, per hour or per kilometre."""

    rate: Decimal | None = Field(default=None, max_digits=19, decimal_places=4, ge=0)


class StatusFields(Fields):
    """The status of a registration for the organization, and for the client."""

    status: Annotated[RegistrationStatus, ENUM_TEXT] = RegistrationStatus.OPEN
    client_status: Annotated[RegistrationStatus, ENUM_TEXT] = RegistrationStatus.OPEN


class Registration(RegistrationFields, TimeFields, StatusFields, Versioned, Entity, table=True):
    """Work, an expense or a trip. Its rate and amount are stored, so that a new rate of the client does not change earlier work."""

    __tablename__ = "registration"
    __table_args__ = (
        foreign_key("client", "client_id"),
        foreign_key("project", "project_id", "client_id", referenced_columns=("id", "client_id")),
        foreign_key("member", "member_id"),
        foreign_key("vat_rate", "vat_rate_id"),
        foreign_key("invoice_line", "invoice_line_id"),
        enum_check("kind", RegistrationKind),
        enum_check("status", RegistrationStatus),
        enum_check("client_status", RegistrationStatus),
        enum_check("rate_source", RateSource),
        enum_check("trip_type", TripType),
        check("time", "(kind = 'TIME') = (minutes IS NOT NULL) AND minutes BETWEEN 1 AND 1440"),
        check("expense", "(kind = 'EXPENSE') = (quantity IS NOT NULL AND unit_price IS NOT NULL)"),
        check("mileage", "(kind = 'MILEAGE') = (distance_km IS NOT NULL) AND distance_km > 0"),
        check("invoiced", "(status = 'INVOICED') = (invoice_line_id IS NOT NULL)"),
        Index("registration_by_client", "tenant_id", "client_id", "registered_on"),
        Index("registration_by_project", "tenant_id", "project_id", "registered_on"),
        Index("registration_by_day", "tenant_id", "registered_on", "id"),
        Index("registration_by_invoice_line", "tenant_id", "invoice_line_id"),
    )
    kind: Annotated[RegistrationKind, ENUM_TEXT]
    client_id: UUID
    project_id: UUID | None = None
    member_id: UUID
    quantity: Decimal | None = ColumnField(default=None, max_digits=19, decimal_places=4)
    unit_price: Decimal | None = ColumnField(default=None, max_digits=19, decimal_places=4)
    distance_km: Decimal | None = ColumnField(default=None, max_digits=9, decimal_places=1)
    departure: str | None = ColumnField(default=None, max_length=200)
    destination: str | None = ColumnField(default=None, max_length=200)
    trip_type: Annotated[TripType | None, ENUM_TEXT] = None
    vat_rate_id: UUID | None = None
    unit_rate: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=4)
    rate_source: Annotated[RateSource, ENUM_TEXT] = RateSource.NONE
    currency: str = ColumnField(max_length=3)
    amount_net: Decimal = ColumnField(default=Decimal(0), max_digits=19, decimal_places=2)
    invoice_line_id: UUID | None = None


class RegistrationLabel(Table, table=True):
    """A label of a registration. It has the client of the registration, so that its audit events belong to that client."""

    __tablename__ = "registration_label"
    __table_args__ = (
        foreign_key("registration", "registration_id"),
        foreign_key("label", "label_id"),
        foreign_key("client", "client_id"),
        Index("registration_label_by_client", "tenant_id", "client_id"),
        Index("registration_label_by_label", "tenant_id", "label_id", "registration_id"),
    )
    registration_id: UUID = ColumnField(primary_key=True)
    label_id: UUID = ColumnField(primary_key=True)
    client_id: UUID
