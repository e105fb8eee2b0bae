"""Rows of projects and their prices."""

from datetime import date, datetime
from uuid import UUID

from db.engine.statement import Row


class ProjectRow(Row):
    id: UUID
    client_id: UUID
    name: str
    code: str | None
    starts_on: date | None
    ends_on: date | None
    invoice_method: str
    invoice_reference: str | None
    archived_at: datetime | None
    archive_operation_id: UUID | None
    created_at: datetime
    updated_at: datetime
    version: int


class ProjectFinancialRow(Row):
    """The prices of a project and the hourly rate of its client, in the currency of that client."""

    project_id: UUID
    currency: str
    invoice_method: str
    hourly_rate: str | None
    fixed_price: str | None
    client_hourly_rate: str | None
