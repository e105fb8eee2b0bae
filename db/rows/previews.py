"""What depends on a client."""

from datetime import datetime
from uuid import UUID

from db.engine.statement import Row


class DependentCountsRow(Row):
    """How many rows of each kind depend on a client."""

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
        """Issued invoices, including those that are void by now."""
        return self.invoices - self.draft_invoices


class ClientAmountsRow(Row):
    """Of one client in one currency: invoiced is net, outstanding gross, unbilled net."""

    client_id: UUID
    currency: str
    invoiced: str
    outstanding: str
    unbilled: str


class OrphanRow(Row):
    """A contact that belongs to this client alone."""

    client_id: UUID
    contact_id: UUID


class PaymentRow(Row):
    payment_id: UUID
