"""A client and all that hangs on it, deleted where it lies: statement by statement, whatever its size."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Select, Uuid, delete, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.engine import Work
from db.query import TENANT, Command, Query, among, col, columns, parameter, table_of
from db.rows import PaymentRow
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

CLIENT, CONTACTS = parameter("client", Uuid()), parameter("contacts", ARRAY(Uuid()))
PUT_ASIDE: ColumnElement[str] = literal_column(
    "set_config('app.guard', 'off', true)"
)  # the guard of what is archived, until the unit of work ends


def _of_client(table: type[Table]) -> Delete:
    return delete(table_of(table)).where(col(table.tenant_id) == TENANT, col(table.client_id) == CLIENT)  # type: ignore[attr-defined]


def _of_its(table: type[InvoiceLine | QuoteLine], parent: type[Invoice | Quote], name: str) -> Delete:
    mine = select(col(parent.id)).where(col(parent.tenant_id) == TENANT, col(parent.client_id) == CLIENT)
    return delete(table_of(table)).where(col(table.tenant_id) == TENANT, col(getattr(table, name)).in_(mine))


def _once(what: object) -> Select[tuple[object]]:
    """Of the organization's one row, so that it happens once."""
    return select(what).select_from(table_of(Organization)).where(col(Organization.tenant_id) == TENANT)  # type: ignore[call-overload,no-any-return]


HOLD_INVOICES = Command(
    select(col(Invoice.id)).where(col(Invoice.tenant_id) == TENANT, col(Invoice.client_id) == CLIENT).with_for_update(), "invoices to hold"
)
HOLD_CONTACTS = Command(
    select(col(Contact.id)).where(col(Contact.tenant_id) == TENANT, among(col(Contact.id))).order_by(col(Contact.id)).with_for_update(),
    "contacts to hold",
)
PAYMENTS = Query(
    select(*columns(PaymentRow, PaymentAllocation))
    .distinct()
    .where(col(PaymentAllocation.tenant_id) == TENANT, col(PaymentAllocation.client_id) == CLIENT),
    PaymentRow,
)
UNUSED_PAYMENTS = Command(
    delete(table_of(Payment)).where(
        col(Payment.tenant_id) == TENANT,
        among(col(Payment.id)),
        ~exists().where(col(PaymentAllocation.tenant_id) == TENANT, col(PaymentAllocation.payment_id) == col(Payment.id)),
    ),
    "payments",
)
# Each before what it points at.
STEPS = {
    "allocations": Command(_of_client(PaymentAllocation), "allocations"),
    "registration labels": Command(_of_client(RegistrationLabel), "registration labels"),
    "registrations": Command(_of_client(Registration), "registrations"),
    "invoice lines": Command(_of_its(InvoiceLine, Invoice, "invoice_id"), "invoice lines"),
    "invoices": Command(_of_client(Invoice), "invoices"),
    "quote lines": Command(_of_its(QuoteLine, Quote, "quote_id"), "quote lines"),
    "quotes": Command(_of_client(Quote), "quotes"),
    "portal projects": Command(_of_client(PortalProject), "portal projects"),
    "portal access": Command(_of_client(PortalAccess), "portal access"),
    "portals": Command(_of_client(ClientPortal), "portals"),
    "projects": Command(_of_client(Project), "projects"),
    "labels": Command(_of_client(ClientLabel), "labels"),
    "contacts": Command(_of_client(ClientContact), "contacts"),
    "addresses": Command(_of_client(ClientAddress), "addresses"),
    "client": Command(delete(table_of(Client)).where(col(Client.tenant_id) == TENANT, col(Client.id) == CLIENT), "client"),
}
LEFT_ALONE = Command(delete(table_of(Contact)).where(col(Contact.tenant_id) == TENANT, among(col(Contact.id))), "contacts")
ERASE = Command(_once(func.relaties.erase_traces(CLIENT, CONTACTS)), "traces")
UNGUARD = Command(_once(PUT_ASIDE), "guard")


async def hold(work: Work, client_id: UUID, contacts: Sequence[UUID]) -> None:
    """What others could change while the client itself is held: its documents, on which payments come in, and these contacts."""
    await work.run(HOLD_INVOICES, client=client_id)
    if contacts:
        await work.run(HOLD_CONTACTS, ids=[*contacts])


async def erase(work: Work, client_id: UUID, contacts: Sequence[UUID]) -> dict[str, int]:
    """Deletes the client, which is held, all that is of it, and these contacts, with every trace; how many rows of each there were."""
    await work.run(UNGUARD)
    payments = [row.payment_id for row in await work.fetch(PAYMENTS, client=client_id)]
    gone = {name: await work.run(command, client=client_id) for name, command in STEPS.items()}
    gone["payments"] = await work.run(UNUSED_PAYMENTS, ids=payments)
    gone["contacts left alone"] = await work.run(LEFT_ALONE, ids=[*contacts])
    await work.run(ERASE, client=client_id, contacts=[*contacts])
    return gone
