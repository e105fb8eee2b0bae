"""Delete a client and everything that depends on it in the database, statement by statement, whatever its size."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Select, Uuid, delete, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.engine.protocols import UnitOfWork
from db.engine.statement import Command, Query
from db.rows import PaymentRow
from db.sql.expressions import TENANT, col, columns, id_in, parameter
from db.tables import (
    Client,
    ClientAddress,
    ClientContact,
    ClientLabel,
    ClientPortal,
    Contact,
    Invoice,
    InvoiceLine,
    Organization,
    Payment,
    PaymentAllocation,
    PortalAccess,
    PortalProject,
    Project,
    Quote,
    QuoteLine,
    Registration,
    RegistrationLabel,
    Table,
)
from db.tables.base import table_of

CLIENT, CONTACTS = parameter("client", Uuid()), parameter("contacts", ARRAY(Uuid()))
DISABLE_GUARD: ColumnElement[str] = literal_column(
    "set_config('app.guard', 'off', true)"
)  # the guard of archived rows, until the unit of work ends


def _delete_of_client(table: type[Table]) -> Delete:
    return delete(table_of(table)).where(col(table.tenant_id) == TENANT, col(table.client_id) == CLIENT)  # type: ignore[attr-defined]


def _delete_children(table: type[InvoiceLine | QuoteLine], parent: type[Invoice | Quote], name: str) -> Delete:
    parent_ids = select(col(parent.id)).where(col(parent.tenant_id) == TENANT, col(parent.client_id) == CLIENT)
    return delete(table_of(table)).where(col(table.tenant_id) == TENANT, col(getattr(table, name)).in_(parent_ids))


def _select_once(expression: object) -> Select[tuple[object]]:
    """Select an expression from the organization's one row, so that it is evaluated once."""
    return select(expression).select_from(table_of(Organization)).where(col(Organization.tenant_id) == TENANT)  # type: ignore[call-overload,no-any-return]


LOCK_INVOICES = Command(
    select(col(Invoice.id)).where(col(Invoice.tenant_id) == TENANT, col(Invoice.client_id) == CLIENT).with_for_update(), "invoices to lock"
)
LOCK_CONTACTS = Command(
    select(col(Contact.id)).where(col(Contact.tenant_id) == TENANT, id_in(col(Contact.id))).order_by(col(Contact.id)).with_for_update(),
    "contacts to lock",
)
PAYMENTS = Query(
    select(*columns(PaymentRow, PaymentAllocation))
    .distinct()
    .where(col(PaymentAllocation.tenant_id) == TENANT, col(PaymentAllocation.client_id) == CLIENT),
    PaymentRow,
)
DELETE_UNUSED_PAYMENTS = Command(
    delete(table_of(Payment)).where(
        col(Payment.tenant_id) == TENANT,
        id_in(col(Payment.id)),
        ~exists().where(col(PaymentAllocation.tenant_id) == TENANT, col(PaymentAllocation.payment_id) == col(Payment.id)),
    ),
    "payments",
)
# Each table before the tables that it refers to.
DELETIONS = {
    "allocations": Command(_delete_of_client(PaymentAllocation), "allocations"),
    "registration labels": Command(_delete_of_client(RegistrationLabel), "registration labels"),
    "registrations": Command(_delete_of_client(Registration), "registrations"),
    "invoice lines": Command(_delete_children(InvoiceLine, Invoice, "invoice_id"), "invoice lines"),
    "invoices": Command(_delete_of_client(Invoice), "invoices"),
    "quote lines": Command(_delete_children(QuoteLine, Quote, "quote_id"), "quote lines"),
    "quotes": Command(_delete_of_client(Quote), "quotes"),
    "portal projects": Command(_delete_of_client(PortalProject), "portal projects"),
    "portal access": Command(_delete_of_client(PortalAccess), "portal access"),
    "portals": Command(_delete_of_client(ClientPortal), "portals"),
    "projects": Command(_delete_of_client(Project), "projects"),
    "labels": Command(_delete_of_client(ClientLabel), "labels"),
    "contacts": Command(_delete_of_client(ClientContact), "contacts"),
    "addresses": Command(_delete_of_client(ClientAddress), "addresses"),
    "client": Command(delete(table_of(Client)).where(col(Client.tenant_id) == TENANT, col(Client.id) == CLIENT), "client"),
}
DELETE_CONTACTS = Command(delete(table_of(Contact)).where(col(Contact.tenant_id) == TENANT, id_in(col(Contact.id))), "contacts")
ERASE_HISTORY = Command(_select_once(func.relaties.erase_traces(CLIENT, CONTACTS)), "traces")
LIFT_GUARD = Command(_select_once(DISABLE_GUARD), "guard")


async def lock(work: UnitOfWork, client_id: UUID, contacts: Sequence[UUID]) -> None:
    """Lock what others could change while the client is locked: its documents, on which payments come in, and these contacts."""
    await work.execute(LOCK_INVOICES, client=client_id)
    if contacts:
        await work.execute(LOCK_CONTACTS, ids=[*contacts])


async def delete_client(work: UnitOfWork, client_id: UUID, contacts: Sequence[UUID]) -> dict[str, int]:
    """Delete the locked client, its dependents and these contacts, with their audit history; return the number of rows of each kind."""
    await work.execute(LIFT_GUARD)
    payments = [row.payment_id for row in await work.fetch(PAYMENTS, client=client_id)]
    counts = {name: await work.execute(command, client=client_id) for name, command in DELETIONS.items()}
    counts["payments"] = await work.execute(DELETE_UNUSED_PAYMENTS, ids=payments)
    counts["contacts left alone"] = await work.execute(DELETE_CONTACTS, ids=[*contacts])
    await work.execute(ERASE_HISTORY, client=client_id, contacts=[*contacts])
    return counts
