"""Create a large organization by SQL on the server: one minute, where an import would take a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from db.queries import monthly_balances
from tests.support.builders import Tenant, create_tenant, insert_rows

CONTACTS_EACH, LABELS, INVOICES_EACH, EXTRA_CONTACTS, EVENTS_EACH = 2, 20, 5, 5_000, 4
REGISTRATIONS_EACH = 5
FIRST_DAY, DAYS = date(2022, 1, 1), 1_700
# Disable triggers and foreign keys: the rows are consistent by construction, and checks row by row would take most of the time.
# Only a superuser may set this.
WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"
# $1 is the tenant, $2 the number of clients. Ids are hashes of numbers, so that tables can refer to each other's rows.
# The order of the names differs from that of the numbers.
CLIENTS = """INSERT INTO relaties.client (tenant_id, id, name, name_key, number, number_key, kind, is_prospect, invoice_delivery,
  purchase_order_required, created_at, updated_at, version)
SELECT $1, {client}, format('Client %s', lpad((n * 7919 % $2)::text, 7, '0')), format('client %s', lpad((n * 7919 % $2)::text, 7, '0')),
  n::text, n::text, 'COMPANY', false, 'EMAIL', false, now(), now(), 1 FROM generate_series(1, $2) n"""
ADDRESSES = """INSERT INTO relaties.client_address (tenant_id, client_id, type, line1, city, country)
SELECT $1, {client}, 'PRIMARY', format('Street %s', n), 'Utrecht', 'NL' FROM generate_series(1, $2) n"""
CONTACTS = """INSERT INTO relaties.contact (tenant_id, id, first_name, last_name, name_key, email, job_title, phone, mobile, language,
  is_active, created_at, updated_at, version)
SELECT $1, {contact}, 'An', format('Person %s', m), format('person %s', m), format('an.%s@test.example', m),
  'Hoofd administratie', '+31 20 555 0123',
  '+31 6 5550 1234', 'nl', true, now(), now(), 1
FROM generate_series(1, $2 * {contacts_each} + {in_crowd}) m"""
LINKS = """INSERT INTO relaties.client_contact (tenant_id, client_id, contact_id, position, is_invoice_contact, is_primary, recipient,
  is_active, created_at)
SELECT $1, {client}, {contact}, (m - 1) % {contacts_each} + m / ($2 * {contacts_each} + 1) * m, m % 2 = 0, false, 'TO', true, now()
FROM (SELECT m, least((m - 1) / {contacts_each} + 1, $2) AS n FROM generate_series(1, $2 * {contacts_each} + {in_crowd}) m) made"""
ALL_LABELS = """INSERT INTO relaties.label (tenant_id, id, name, name_key, color, is_active, scope, created_at, updated_at, version)
SELECT $1, {label}, format('Label %s', l), format('label %s', l), '#102030', true, 'CLIENT', now(), now(), 1
FROM generate_series(0, {labels} - 1) l WHERE $2 > 0"""
CLIENT_LABELS = """INSERT INTO relaties.client_label (tenant_id, client_id, label_id)
SELECT $1, {client}, {label} FROM generate_series(1, $2) n, LATERAL (VALUES (n % {labels}), ((n + 7) % {labels})) has (l)"""
INVOICES = """INSERT INTO relaties.invoice (tenant_id, id, client_id, kind, number, status, invoice_date, client_name, currency,
  exchange_rate, net, vat, gross, net_base, vat_base, gross_base, created_at, updated_at, version)
SELECT $1, {invoice}, {client}, 'INVOICE', i::text, CASE WHEN i % 2 = 0 THEN 'PAID' ELSE 'OPEN' END, {day}, 'X', 'EUR', 1,
  100, 21, 121, 100, 21, 121, now(), now(), 1
FROM (SELECT i, (i - 1) / {invoices_each} + 1 AS n FROM generate_series(1, $2 * {invoices_each}) i) made"""
PAYMENTS = """INSERT INTO relaties.payment (tenant_id, id, paid_on, amount, currency, exchange_rate, method, created_at, updated_at,
  version)
SELECT $1, {payment}, {day}, 121, 'EUR', 1, 'BANK_TRANSFER', now(), now(), 1 FROM generate_series(2, $2 * {invoices_each}, 2) i"""
ALLOCATIONS = """INSERT INTO relaties.payment_allocation (tenant_id, payment_id, invoice_id, client_id, currency, paid_on, is_issued,
  amount, amount_base)
SELECT $1, {payment}, {invoice}, {client}, 'EUR', {day}, true, 121, 121
FROM (SELECT i, (i - 1) / {invoices_each} + 1 AS n FROM generate_series(2, $2 * {invoices_each}, 2) i) made"""
PROJECTS = """INSERT INTO relaties.project (tenant_id, id, client_id, name, invoice_method, created_at, updated_at, version)
SELECT $1, {project}, {client}, format('Project %s', n), 'CLIENT_HOURLY', now(), now(), 1 FROM generate_series(1, $2) n"""
QUOTES = """INSERT INTO relaties.quote (tenant_id, id, client_id, number, status, quote_date, currency, exchange_rate, net, vat, gross,
  created_at, updated_at, version)
SELECT $1, {quote}, {client}, n::text, 'SENT', date '{quoted}', 'EUR', 1, 100, 21, 121, now(), now(), 1 FROM generate_series(1, $2) n"""
QUOTE_LINES = """INSERT INTO relaties.quote_line (tenant_id, id, quote_id, position, description, quantity, unit_price, vat_percentage,
  vat_category, net, vat, project_id)
SELECT $1, {quote_line}, {quote}, l, 'Work', 1, 50, 21, 'S', 50, 10.5, {project}
FROM generate_series(1, $2) n, generate_series(1, 2) l"""
PORTALS = """INSERT INTO relaties.client_portal (tenant_id, id, client_id, name, language, shows_descriptions, shows_rates, shows_budget,
  shows_invoices, shows_quotes, takes_approval, created_at, updated_at, version)
SELECT $1, {portal}, {client}, 'Portal', 'nl', true, false, false, true, true, false, now(), now(), 1 FROM generate_series(1, $2) n"""
PORTAL_PROJECTS = """INSERT INTO relaties.portal_project (tenant_id, portal_id, project_id, client_id)
SELECT $1, {portal}, {project}, {client} FROM generate_series(1, $2) n"""
PORTAL_ACCESS = """INSERT INTO relaties.portal_access (tenant_id, portal_id, contact_id, client_id, created_at)
SELECT $1, {portal}, {contact}, {client}, now()
FROM (SELECT m, (m - 1) / {contacts_each} + 1 AS n FROM generate_series(1, $2 * {contacts_each}) m) made"""
EVENTS = """INSERT INTO relaties.audit_event (tenant_id, id, at, channel, operation, action, object_type, object_id, client_id, contact_id,
  changes)
SELECT $1, {event}, now(), 'API', 'clientUpdate', 'CHANGED', 'ClientContact', {contact}, {client}, {contact}, '{{"position": [0, 1]}}'
FROM (SELECT e, (e - 1) / {events_each} + 1 AS n, (e - 1) / {events_each} + 1 AS m FROM generate_series(1, $2 * {events_each}) e) made"""
REGISTRATIONS = """INSERT INTO relaties.registration (tenant_id, id, client_id, project_id, member_id, kind, status, client_status,
  is_billable, registered_on, minutes, unit_rate, rate_source, currency, amount_net, created_at, updated_at, version)
SELECT $1, {registration}, {client}, CASE WHEN i % 2 = 0 THEN {project} END, {member}, 'TIME', 'OPEN', 'OPEN', true, {day}, 60, 100,
  'CLIENT', 'EUR', 100, now(), now(), 1
FROM (SELECT i, (i - 1) / {registrations_each} + 1 AS n FROM generate_series(1, $2 * {registrations_each}) i) made"""
REGISTRATION_LABELS = """INSERT INTO relaties.registration_label (tenant_id, registration_id, label_id, client_id)
SELECT $1, {registration}, {label}, {client}
FROM (SELECT i, (i - 1) / {registrations_each} + 1 AS n, i % {labels} AS l FROM generate_series(1, $2 * {registrations_each}) i) made"""
JOBS = """INSERT INTO relaties.job (tenant_id, id, kind, status, member_id, token_id, input, done_count, total, warnings, attempts,
  created_at, started_at, finished_at)
SELECT $1, {job}, 'REVENUE_REBUILD', CASE WHEN n = 1 THEN 'QUEUED' ELSE 'SUCCEEDED' END, {member},
  (SELECT id FROM relaties.api_token WHERE tenant_id = $1 AND member_id = {member}), '{{}}', 0, 1, '{{}}', 0, now(), now(),
  CASE WHEN n > 1 THEN now() END
FROM generate_series(1, $2) n"""
# Nearly all files have expired: those that have not are of one day.
FILES = """INSERT INTO relaties.file (tenant_id, id, job_id, name, content_type, size, created_at, expires_at)
SELECT $1, {file}, {job}, 'clients.csv', 'text/csv', 1, now() - interval '2 days',
  CASE WHEN n <= 20 THEN now() + interval '1 day' ELSE now() - interval '1 day' END
FROM generate_series(1, $2) n"""
FILE_PARTS = """INSERT INTO relaties.file_part (tenant_id, file_id, number, content)
SELECT $1, {file}, 0, 'x' FROM generate_series(1, $2) n"""
EXPRESSIONS = {
    "file": "md5($1::text || 'file' || n)::uuid",
    "job": "md5($1::text || 'job' || n)::uuid",
    "client": "md5($1::text || 'client' || n)::uuid",
    "contact": "md5($1::text || 'contact' || m)::uuid",
    "label": "md5($1::text || 'label' || l)::uuid",
    "invoice": "md5($1::text || 'invoice' || i)::uuid",
    "payment": "md5($1::text || 'payment' || i)::uuid",
    "project": "md5($1::text || 'project' || n)::uuid",
    "registration": "md5($1::text || 'registration' || i)::uuid",
    "registrations_each": REGISTRATIONS_EACH,
    "member": "(SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER')",
    "event": "md5($1::text || 'event' || e)::uuid",
    "quote": "md5($1::text || 'quote' || n)::uuid",
    "quote_line": "md5($1::text || 'quote line' || n || l)::uuid",
    "portal": "md5($1::text || 'portal' || n)::uuid",
    "quoted": FIRST_DAY,
    "events_each": EVENTS_EACH,
    "day": f"date '{FIRST_DAY}' + (i % {DAYS})::int",
    "contacts_each": CONTACTS_EACH,
    "labels": LABELS,
    "invoices_each": INVOICES_EACH,
    "in_crowd": EXTRA_CONTACTS,
}

OVERVIEW_STATEMENTS = (CLIENTS, ADDRESSES, CONTACTS, LINKS, ALL_LABELS, CLIENT_LABELS, INVOICES, PAYMENTS, ALLOCATIONS)
STATEMENTS = (
    *OVERVIEW_STATEMENTS,
    *(
        EVENTS,
        PROJECTS,
        REGISTRATIONS,
        REGISTRATION_LABELS,
        QUOTES,
        QUOTE_LINES,
        PORTALS,
        PORTAL_PROJECTS,
        PORTAL_ACCESS,
        JOBS,
        FILES,
        FILE_PARTS,
    ),
)


@dataclass(frozen=True)
class LargeOrganization:
    """A large organization. The first client by name has 5,000 more contacts than the others.

    Each label is on a tenth of all rows, except for the rare one.
    """

    tenant: Tenant
    clients: list[UUID]
    contacts: list[UUID]
    labels: list[UUID]
    rare_label: UUID
    projects: list[UUID]
    registrations: list[UUID]
    quotes: list[UUID]
    portals: list[UUID]
    jobs: list[UUID]
    files: list[UUID]
    member: UUID
    token: UUID
    middle: tuple[str, UUID]

    @property
    def largest_client(self) -> UUID:
        return self.clients[0]


async def create_large_organization(owner: asyncpg.Connection, *, clients: int = 100_000) -> LargeOrganization:
    """Create an organization in which each client has two contacts, two labels, five invoices, five registrations and more.

    A second, small organization is created as well. The connection must be a superuser's.
    """
    org = await create_tenant(owner, "Large")
    await fill_organization(owner, await create_tenant(owner, "Beside it"), clients // 50)
    await fill_organization(owner, org, clients)
    rare = await _add_rare_label(owner, org)
    await owner.execute("VACUUM ANALYZE")
    by_name = "SELECT id, name_key FROM relaties.client WHERE tenant_id = $1 ORDER BY name_key, id LIMIT 50 OFFSET $2"
    first, middle = [await owner.fetch(by_name, org.id, offset) for offset in (0, clients // 2)]
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", org.id)
    token = await owner.fetchval("SELECT id FROM relaties.api_token WHERE tenant_id = $1 AND member_id = $2", org.id, member)
    some = "SELECT array_agg(id) FROM (SELECT id FROM relaties.{} WHERE tenant_id = $1 LIMIT 50) AS found"
    tables = {"contacts": "contact", "labels": "label", "projects": "project", "registrations": "registration"}
    tables |= {"quotes": "quote", "portals": "client_portal", "jobs": "job", "files": "file"}
    ids = {name: await owner.fetchval(some.format(table), org.id) for name, table in tables.items()}
    return LargeOrganization(
        org,
        [row["id"] for row in first],
        **ids,
        rare_label=rare,
        member=member,
        token=token,
        middle=(middle[0]["name_key"], middle[0]["id"]),
    )


async def fill_organization(
    owner: asyncpg.Connection, org: Tenant, clients: int, statements: Sequence[str] = STATEMENTS, **otherwise: object
) -> None:
    """Fill an organization with this number of clients, by all statements or some. `otherwise` overrides the expressions."""
    async with owner.transaction():
        await owner.execute(WITHOUT_TRIGGERS)
        for statement in statements:
            # As real parameters, $1 and $2 would need one type each.
            sql = statement.format(**EXPRESSIONS | otherwise).replace("$1", f"'{org.id}'::uuid").replace("$2", f"{clients}::bigint")
            await owner.execute(sql, timeout=3600)
        ids = await owner.fetchval("SELECT array_agg(id) FROM relaties.client WHERE tenant_id = $1", org.id)
        await monthly_balances.rebuild(monthly_balances.OwnerTransaction(owner, org.id), ids)


async def _add_rare_label(owner: asyncpg.Connection, org: Tenant) -> UUID:
    """Add a label to fifty registrations and their clients, and return its id."""
    rows = await owner.fetch("SELECT id, client_id FROM relaties.registration WHERE tenant_id = $1 LIMIT 50", org.id)
    rare = await org.add_label("Rare", *{row["client_id"] for row in rows})
    label_key = {"tenant_id": org.id, "label_id": rare}
    await insert_rows(
        owner, "registration_label", [{**label_key, "registration_id": row["id"], "client_id": row["client_id"]} for row in rows]
    )
    return rare
