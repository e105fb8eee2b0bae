"""Delete a client and everything that depends on it: a fixed number of statements, whatever the number of rows."""

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
# The triggers that protect archived clients skip their check while `app.guard` is off; it stays off until the unit of work ends.
DISABLE_GUARD: ColumnElement[str] = literal_column("set_config('app.guard', 'off', true)")


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
# In the order of the foreign keys: each table comes before the tables that it refers to.
DELETIONS = {
    name: Command(statement, name)
    for name, statement in {
        "allocations": _delete_of_client(PaymentAllocation),
        "registration labels": _delete_of_client(RegistrationLabel),
        "registrations": _delete_of_client(Registration),
        "invoice lines": _delete_children(InvoiceLine, Invoice, "invoice_id"),
        "invoices": _delete_of_client(Invoice),
        "quote lines": _delete_children(QuoteLine, Quote, "quote_id"),
        "quotes": _delete_of_client(Quote),
        "portal projects": _delete_of_client(PortalProject),
        "portal access": _delete_of_client(PortalAccess),
        "portals": _delete_of_client(ClientPortal),
        "projects": _delete_of_client(Project),
        "labels": _delete_of_client(ClientLabel),
        "contacts": _delete_of_client(ClientContact),
        "addresses": _delete_of_client(ClientAddress),
        "client": delete(table_of(Client)).where(col(Client.tenant_id) == TENANT, col(Client.id) == CLIENT),
    }.items()
}
DELETE_CONTACTS = Command(delete(table_of(Contact)).where(col(Contact.tenant_id) == TENANT, id_in(col(Contact.id))), "contacts")
ERASE_HISTORY = Command(_select_once(func.relaties.erase_traces(CLIENT, CONTACTS)), "traces")
LIFT_GUARD = Command(_select_once(DISABLE_GUARD), "guard")


async def lock(work: UnitOfWork, client_id: UUID, contacts: Sequence[UUID]) -> None:
    """Lock the client's invoices and these contacts. The lock on the client does not cover them: payments change invoices."""
    await work.execute(LOCK_INVOICES, client=client_id)
    if contacts:
        await work.execute(LOCK_CONTACTS, ids=[*contacts])


async def delete_client(work: UnitOfWork, client_id: UUID, contacts: Sequence[UUID]) -> dict[str, int]:
    """Delete the locked client, its dependents, these contacts and the audit events of all. Return the number of rows by kind."""
    await work.execute(LIFT_GUARD)
    payments = [row.payment_id for row in await work.fetch(PAYMENTS, client=client_id)]
    counts = {name: await work.execute(command, client=client_id) for name, command in DELETIONS.items()}
    counts["payments"] = await work.execute(DELETE_UNUSED_PAYMENTS, ids=payments)
    counts["contacts left alone"] = await work.execute(DELETE_CONTACTS, ids=[*contacts])
    await work.execute(ERASE_HISTORY, client=client_id, contacts=[*contacts])
    return counts
