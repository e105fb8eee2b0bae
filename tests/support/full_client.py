"""Create a client with at least one of every object that can belong to a client, some of them shared with another client."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from db.tables.keys import new_id
from tests.support.builders import Tenant, insert_rows, version_columns

ARCHIVED_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
MARKER = "Verdwijnveld"
"""Part of every text of the client and of its own objects, to search for after a deletion."""


@dataclass(frozen=True)
class FullClient:
    """A full client, and another client that shares a contact, a label and a payment with it."""

    org: Tenant
    id: UUID
    other: UUID
    shared_contact: UUID
    only_contact: UUID
    issued_invoice: UUID
    portal: UUID
    projects: list[UUID]


async def create_full_client(org: Tenant, name: str = MARKER, *, is_archived: bool = True) -> FullClient:
    """Create a client with projects, registrations, invoices, payments, quotes, portals, an address and audit events.

    There are two projects, four registrations, an issued invoice with its credit note, a draft invoice, two payments, two quotes
    and two portals. The second payment, one contact and the label are shared with another client.
    """
    owner = org.owner
    client, other = (
        await org.add_client(f"{name} BV", name, kvk_number="68750110", vat_number="NL123456782B01"),
        await org.add_client("Blijft"),
    )
    shared = await org.add_contact("Gedeeld", client, other)
    alone = await org.add_contact(f"{name} persoon", client)
    label = await org.add_label(f"Label {new_id()}", client, other)
    await insert_rows(owner, "client_address", [{"tenant_id": org.id, "client_id": client, "type": "PRIMARY", "city": name}])
    projects = [await org.add_project(client, f"{name} {index}") for index in range(2)]
    time = await org.add_registration(client, projects[0], note=name)
    await insert_rows(owner, "registration_label", [{"tenant_id": org.id, "registration_id": time, "label_id": label, "client_id": client}])
    expense: dict[str, object] = {"kind": "EXPENSE", "minutes": None, "quantity": Decimal(2), "unit_price": Decimal("12.50")}
    await org.add_registration(client, projects[1], **expense, amount_net=Decimal("25.00"), status="APPROVED")
    trip: dict[str, object] = {"kind": "MILEAGE", "minutes": None, "distance_km": Decimal(10), "departure": name, "destination": name}
    await org.add_registration(client, None, **trip, amount_net=Decimal("2.30"), is_billable=False)
    await org.add_registration(client, projects[0], amount_net=Decimal("80.00"), currency="USD", status="PENDING")
    issued = await _add_invoices(org, client, projects[0], name)
    await org.add_payment(client, issued, date(2026, 2, 1), "20.00")
    await _add_shared_payment(org, (client, issued), (other, await org.add_invoice(other, date(2026, 1, 5), "10.00")))
    await org.add_quote(client, "500.00")
    await org.add_quote(client, "70.00", status="DRAFT", number=None, quote_date=None)
    portal = await org.add_portal(client, shared, alone, projects=projects, name=name)
    await org.add_portal(client, name=name, closed_at=ARCHIVED_AT)
    await org.add_event("Client", client, {"name": [None, name]}, client_id=client)
    await org.add_event("ClientContact", shared, {"department": [None, name]}, client_id=client, contact_id=shared)
    await org.add_event("Contact", alone, {"lastName": [None, name]}, contact_id=alone)
    event = {"tenant_id": org.id, "id": new_id(), "at": ARCHIVED_AT, "action": "CREATED", "object_type": "Client"}
    await insert_rows(owner, "outbox_event", [{**event, "object_id": client, "client_id": client}])
    if is_archived:
        await archive_directly(org, client)
    return FullClient(org, client, other, shared, alone, issued, portal, projects)


async def _add_invoices(org: Tenant, client: UUID, project: UUID, name: str) -> UUID:
    """Add an issued invoice with one line, its credit note and a draft invoice. Return the id of the issued one."""
    issued = await org.add_invoice(client, date(2026, 1, 10), "100.00")
    line = {"tenant_id": org.id, "id": new_id(), "invoice_id": issued, "position": 1, "description": name, "quantity": Decimal(1)}
    amounts = {"unit_price": Decimal(100), "discount_percentage": Decimal(0), "vat_percentage": Decimal(21), "vat_category": "S"}
    await insert_rows(org.owner, "invoice_line", [{**line, **amounts, "net": Decimal(100), "vat": Decimal(21), "project_id": project}])
    await org.add_invoice(client, date(2026, 1, 20), "40.00", kind="CREDIT_NOTE", credits_invoice_id=issued)
    await org.add_invoice(client, date(2026, 2, 1), "30.00", status="DRAFT", number=None, invoice_date=None)
    return issued


async def _add_shared_payment(org: Tenant, *parts: tuple[UUID, UUID]) -> None:
    """Add one payment that pays 12.10 of each of these clients' invoices."""
    key = new_id()
    payment_row = {"tenant_id": org.id, "id": key, "paid_on": date(2026, 2, 2), "amount": Decimal("24.20"), "currency": "EUR"}
    each = {"tenant_id": org.id, "payment_id": key, "currency": "EUR", "paid_on": date(2026, 2, 2), "is_issued": True}
    amounts = {"amount": Decimal("12.10"), "amount_base": Decimal("12.10")}
    async with org.owner.transaction():
        await insert_rows(
            org.owner, "payment", [{**payment_row, "exchange_rate": Decimal(1), "method": "BANK_TRANSFER", **version_columns()}]
        )
        await insert_rows(
            org.owner,
            "payment_allocation",
            [{**each, "client_id": client_key, "invoice_id": invoice_key, **amounts} for client_key, invoice_key in parts],
        )
        await org.rebuild_monthly_balances(date(2026, 2, 2), *(client_key for client_key, _ in parts))


async def archive_directly(org: Tenant, client: UUID) -> None:
    """Archive the client and its projects in the database, with the same columns as the server sets."""
    operation = new_id()
    await org.owner.execute(
        "UPDATE relaties.client SET archived_at = $3, archive_operation_id = $4, version = 2 WHERE tenant_id = $1 AND id = $2",
        *(org.id, client, ARCHIVED_AT, operation),
    )
    await org.owner.execute(
        """UPDATE relaties.project SET archived_at = $3, archive_operation_id = $4, version = 2
        WHERE tenant_id = $1 AND client_id = $2 AND archived_at IS NULL""",
        *(org.id, client, ARCHIVED_AT, operation),
    )
