"""Rows of what depends on a client."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


class DependentCountsRow(Row):
    """The numbers of rows of each kind that depend on a client."""

    id: UUID
    archived_at: datetime | None
    projects: int
    active_projects: int
    registrations: int
    time_registrations: int
    expense_registrations: int
    mileage_registrations: int
    unbilled_registrations: int
    invoices: int
    draft_invoices: int
    payments: int
    quotes: int
    draft_quotes: int
    portals: int
    open_portals: int

    @property
    def issued_invoices(self) -> int:
        """The number of invoices that were issued, including those that became void."""
        return self.invoices - self.draft_invoices


class ClientAmountsRow(Row):
    """The amounts of a client in one currency. `invoiced` and `unbilled` are net amounts, `outstanding` is gross."""

    client_id: UUID
    currency: str
    invoiced: str
    outstanding: str
    unbilled: str


class OrphanRow(Row):
    """A contact that belongs to this client only."""

    client_id: UUID
    contact_id: UUID


class PaymentRow(Row):
    payment_id: UUID
