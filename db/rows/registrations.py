"""Rows of registrations, their amounts and their labels."""

from datetime import date, datetime
from uuid import UUID

from db.engine.statement import Row
from db.rows.contacts import LabelRow


class RegistrationRow(Row):
    """A registration without its amounts. `is_archived` says whether its client or its project is archived."""

    id: UUID
    client_id: UUID
    project_id: UUID | None
    member_id: UUID
    kind: str
    registered_on: date
    is_billable: bool
    status: str
    client_status: str
    note: str | None
    minutes: int | None
    started_at: datetime | None
    ended_at: datetime | None
    quantity: str | None
    distance_km: str | None
    departure: str | None
    destination: str | None
    trip_type: str | None
    is_archived: bool
    created_at: datetime
    updated_at: datetime
    version: int


class RegistrationFinancialRow(Row):
    """The amounts of a registration, and the fields that show whether its rate is missing."""

    registration_id: UUID
    kind: str
    is_billable: bool
    invoice_method: str | None
    currency: str
    unit_rate: str
    rate_source: str
    unit_price: str | None
    amount_net: str
    vat_rate_id: UUID | None


class RegistrationLabelRow(LabelRow):
    registration_id: UUID
