"""Create test data directly in the database, as its owner."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg

from db.queries import monthly_balances
from db.tables import Role
from db.tables.keys import name_key, new_id, number_key
from domain.organization.tokens import hash_secret, new_secret

CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)


async def insert_rows(owner: asyncpg.Connection, table: str, rows: Sequence[dict[str, object]]) -> None:
    """Insert rows that all have the same columns."""
    if rows:
        names = list(rows[0])
        placeholders = ", ".join(f"${index}" for index in range(1, len(names) + 1))
        statement = f"INSERT INTO relaties.{table} ({', '.join(names)}) VALUES ({placeholders})"
        await owner.executemany(statement, [tuple(row.values()) for row in rows])


def version_columns() -> dict[str, object]:
    return {"created_at": CREATED_AT, "updated_at": CREATED_AT, "version": 1}


@dataclass
class Tenant:
    """A test organization, with the ids of what was added to it."""

    owner: asyncpg.Connection
    id: UUID
    tokens: dict[Role, str]
    clients: list[UUID] = field(default_factory=list)
    contacts: list[UUID] = field(default_factory=list)
    labels: list[UUID] = field(default_factory=list)

    async def add_client(self, name: str, number: str | None = None, **more: object) -> UUID:
        key = new_id()
        row = {
            "tenant_id": self.id,
            "id": key,
            "name": name,
            "name_key": name_key(name),
            "number": number,
            "number_key": number_key(number) if number else None,
            "kind": "COMPANY",
            "is_prospect": False,
            "invoice_delivery": "EMAIL",
            "purchase_order_required": False,
            **version_columns(),
            **more,
        }
        await insert_rows(self.owner, "client", [row])
        self.clients.append(key)
        return key

    async def add_contact(self, last_name: str, *clients: UUID, position: int = 0, is_invoice_contact: bool = False) -> UUID:
        key = new_id()
        person = {"tenant_id": self.id, "id": key, "first_name": "An", "last_name": last_name, "name_key": name_key(last_name)}
        await insert_rows(self.owner, "contact", [{**person, "is_active": True, **version_columns()}])
        link = {"tenant_id": self.id, "contact_id": key, "position": position, "is_invoice_contact": is_invoice_contact}
        rest = {"is_primary": False, "recipient": "TO", "is_active": True, "created_at": CREATED_AT}
        await insert_rows(self.owner, "client_contact", [{**link, "client_id": client, **rest} for client in clients])
        self.contacts.append(key)
        return key

    async def add_label(self, name: str, *clients: UUID, **more: object) -> UUID:
        key = new_id()
        label = {"tenant_id": self.id, "id": key, "name": name, "name_key": name_key(name), "color": "#102030"}
        await insert_rows(self.owner, "label", [{**label, "is_active": True, "scope": "CLIENT", **version_columns(), **more}])
        await insert_rows(self.owner, "client_label", [{"tenant_id": self.id, "client_id": client, "label_id": key} for client in clients])
        self.labels.append(key)
        return key

    async def add_event(self, kind: str, key: UUID, changes: dict[str, list[object]], **more: object) -> UUID:
        """Add an audit event of a change over the API and return its id. Without `member_id` in `more` no member is the author."""
        event = new_id()
        what = {"tenant_id": self.id, "id": event, "at": CREATED_AT, "channel": "API", "operation": "test", "action": "CHANGED"}
        about = {"object_type": kind, "object_id": key, "changes": json.dumps(changes), "member_id": None, "client_id": None}
        await insert_rows(self.owner, "audit_event", [{**what, **about, "contact_id": None, **more}])
        return event

    async def add_invoice(self, client: UUID, day: date, net: str, **more: object) -> UUID:
        """Add an issued invoice with 21 % VAT and return its id. `more` overrides columns."""
        key = new_id()
        rate = Decimal(str(more.get("exchange_rate", 1)))
        vat = (Decimal(net) * Decimal("0.21")).quantize(Decimal("0.01"))
        amounts = {"net": Decimal(net), "vat": vat, "gross": Decimal(net) + vat}
        base = {f"{name}_base": (amount * rate).quantize(Decimal("0.01")) for name, amount in amounts.items() if name != "gross"}
        row = {
            "tenant_id": self.id,
            "id": key,
            "client_id": client,
            "kind": "INVOICE",
            "status": "OPEN",
            "number": str(key),
            "invoice_date": day,
            "client_name": "X",
            "currency": "EUR",
            "exchange_rate": Decimal(1),
            **amounts,
            **base,
            "gross_base": sum(base.values()),
            **version_columns(),
            **more,
        }
        async with self.owner.transaction():
            await insert_rows(self.owner, "invoice", [row])
            await self.rebuild_monthly_balances(day, client)
        return key

    async def add_payment(
        self, client: UUID, invoice: UUID, day: date, amount: str, base: str | None = None, currency: str = "EUR"
    ) -> None:
        key = new_id()
        payment = {"tenant_id": self.id, "id": key, "paid_on": day, "amount": Decimal(amount), "currency": currency}
        part = {"tenant_id": self.id, "payment_id": key, "invoice_id": invoice, "client_id": client, "currency": currency}
        amounts = {"paid_on": day, "is_issued": True, "amount": Decimal(amount), "amount_base": Decimal(base or amount)}
        async with self.owner.transaction():
            await insert_rows(
                self.owner, "payment", [{**payment, "exchange_rate": Decimal(1), "method": "BANK_TRANSFER", **version_columns()}]
            )
            await insert_rows(self.owner, "payment_allocation", [{**part, **amounts}])
            await self.rebuild_monthly_balances(day, client)

    async def rebuild_monthly_balances(self, day: date, *clients: UUID) -> None:
        """Rebuild the clients' balances from the month of that day on. Call it in the transaction of the change."""
        await monthly_balances.rebuild(monthly_balances.OwnerTransaction(self.owner, self.id), clients, day)

    async def add_project(self, client: UUID, name: str = "Project", **more: object) -> UUID:
        """Add a project billed by the hour at the client's rate, and return its id. `more` overrides columns."""
        key = new_id()
        row = {"tenant_id": self.id, "id": key, "client_id": client, "name": name, "invoice_method": "CLIENT_HOURLY"}
        await insert_rows(self.owner, "project", [{**row, **version_columns(), **more}])
        return key

    async def add_registration(self, client: UUID, project: UUID | None = None, **more: object) -> UUID:
        """Add an open registration of one hour at 100.00 by the organization's owner, and return its id. `more` overrides columns."""
        key = new_id()
        member = await self.owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", self.id)
        row = {"tenant_id": self.id, "id": key, "client_id": client, "project_id": project, "member_id": member, "kind": "TIME"}
        state = {"status": "OPEN", "client_status": "OPEN", "is_billable": True, "registered_on": date(2026, 1, 15), "minutes": 60}
        rate = {"unit_rate": Decimal(100), "rate_source": "CLIENT", "currency": "EUR", "amount_net": Decimal(100)}
        await insert_rows(self.owner, "registration", [{**row, **state, **rate, **version_columns(), **more}])
        return key

    async def add_job(self, **more: object) -> UUID:
        """Add a queued job of nobody that no worker takes, because it has no message, and return its id. `more` overrides columns."""
        key = new_id()
        row = {"tenant_id": self.id, "id": key, "kind": "REVENUE_REBUILD", "status": "QUEUED", "input": "{}", "done_count": 0}
        await insert_rows(self.owner, "job", [{**row, "warnings": [], "attempts": 0, "created_at": CREATED_AT, **more}])
        return key

    async def add_file(self, content: bytes = b"a,b", *, job: UUID | None = None, key: UUID | None = None, **more: object) -> UUID:
        """Add a file of at most one part, which a finished job has made, and return its id. `more` overrides columns."""
        key = key or new_id()
        job = job or await self.add_job(status="SUCCEEDED", finished_at=CREATED_AT)
        row = {"tenant_id": self.id, "id": key, "job_id": job, "name": "clients.csv", "content_type": "text/csv", "size": len(content)}
        times = {"created_at": CREATED_AT, "expires_at": datetime.now(UTC) + timedelta(days=1)}
        await insert_rows(self.owner, "file", [{**row, **times, **more}])
        if content:
            await insert_rows(self.owner, "file_part", [{"tenant_id": self.id, "file_id": key, "number": 0, "content": content}])
        return key

    async def add_quote(self, client: UUID, net: str = "100.00", **more: object) -> UUID:
        """Add a sent quote with 21 % VAT and one line, and return its id."""
        key = new_id()
        vat = (Decimal(net) * Decimal("0.21")).quantize(Decimal("0.01"))
        row = {"tenant_id": self.id, "id": key, "client_id": client, "status": "SENT", "number": str(key), "quote_date": date(2026, 1, 5)}
        amounts = {"currency": "EUR", "exchange_rate": Decimal(1), "net": Decimal(net), "vat": vat, "gross": Decimal(net) + vat}
        await insert_rows(self.owner, "quote", [{**row, **amounts, **version_columns(), **more}])
        line = {"tenant_id": self.id, "id": new_id(), "quote_id": key, "position": 1, "description": "Work", "quantity": Decimal(1)}
        of_vat = {"vat_percentage": Decimal(21), "vat_category": "S", "net": Decimal(net), "vat": vat}
        await insert_rows(self.owner, "quote_line", [{**line, "unit_price": Decimal(net), **of_vat}])
        return key

    async def add_portal(self, client: UUID, *contacts: UUID, projects: Sequence[UUID] = (), **more: object) -> UUID:
        """Add an open portal that shows the projects to the client's contacts, and return its id."""
        key = new_id()
        row = {"tenant_id": self.id, "id": key, "client_id": client, "name": "Portal", "language": "nl", "takes_approval": False}
        shows = {"shows_descriptions": True, "shows_rates": False, "shows_budget": False, "shows_invoices": True, "shows_quotes": True}
        await insert_rows(self.owner, "client_portal", [{**row, **shows, **version_columns(), **more}])
        part = {"tenant_id": self.id, "portal_id": key, "client_id": client}
        await insert_rows(self.owner, "portal_project", [{**part, "project_id": project} for project in projects])
        await insert_rows(self.owner, "portal_access", [{**part, "contact_id": contact, "created_at": CREATED_AT} for contact in contacts])
        return key


async def create_tenant(owner: asyncpg.Connection, name: str = "Test") -> Tenant:
    """Create an organization with one member and one token for each role."""
    key = new_id()
    organization = {
        "tenant_id": key,
        "name": name,
        "base_currency": "EUR",
        "country": "NL",
        "locale": "nl-NL",
        "timezone": "Europe/Amsterdam",
    }
    defaults = {"default_payment_term_days": 30, "fiscal_year_start_month": 1, "client_required": False, "project_required": False}
    await insert_rows(owner, "organization", [{**organization, **defaults, **version_columns()}])
    tokens = {role: new_secret() for role in Role}
    for role, secret in tokens.items():
        member = new_id()
        member_row = {"tenant_id": key, "id": member, "name": role.title(), "email": f"{role.lower()}@test.example", "role": role.value}
        await insert_rows(owner, "member", [{**member_row, "is_active": True, **version_columns()}])
        await add_token(owner, key, secret, member_id=member)
    return Tenant(owner, key, tokens)


async def add_token(owner: asyncpg.Connection, tenant_id: UUID, secret: str, **more: object) -> UUID:
    key = new_id()
    token = {"tenant_id": tenant_id, "id": key, "name": "Test", "token_hash": hash_secret(secret), "created_at": CREATED_AT, **more}
    await insert_rows(owner, "api_token", [token])
    return key


async def create_sample_org(owner: asyncpg.Connection, *, clients: int = 60, contacts: int = 3) -> Tenant:
    """Return an organization of clients that each have contacts, labels, two invoices (one of them paid) and audit events.

    Each client has two of the five labels, a project with a registration, a quote, and a portal that shows the project to its last contact.
    """
    org = await create_tenant(owner)
    for index in range(clients):
        client = await org.add_client(f"Client {index:05}", f"{index:04}")
        for position in range(contacts):
            person = await org.add_contact(f"Person {index:05}-{position}", client, position=position, is_invoice_contact=position == 0)
            await org.add_event("ClientContact", person, {"department": [None, "Label 0"]}, client_id=client, contact_id=person)
        project = await org.add_project(client, f"Project of Client {index:05}")
        await org.add_registration(client, project, note=f"For Client {index:05}")
        await org.add_quote(client, reference=f"Client {index:05}")
        await org.add_portal(client, person, projects=[project])
        invoice = await org.add_invoice(client, date(2026, 1, 10), "100.00")
        await org.add_invoice(client, date(2026, 2, 10), "50.00")
        await org.add_payment(client, invoice, date(2026, 3, 1), "121.00")
    job = await org.add_job(status="SUCCEEDED", finished_at=CREATED_AT, warnings=["Client 00000 was checked."])
    await org.add_file(job=job)
    for index in range(5):
        await org.add_label(f"Label {index}", *[client for step, client in enumerate(org.clients) if (step - index) % 5 in {0, 1}])
    return org
