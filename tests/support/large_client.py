"""Fill a client with many registrations by SQL, and compute digests of all tables to check that other clients do not change."""

from uuid import UUID

import asyncpg

from db.queries import monthly_balances
from tests.support.builders import Tenant

# $1 is the tenant, $2 the client, $3 the number of registrations. Every twenty make one invoice of two lines; half of those are paid.
WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"  # see large_organization.py
PROJECTS = """INSERT INTO relaties.project (tenant_id, id, client_id, name, invoice_method, created_at, updated_at, version)
SELECT $1, {project}, $2, format('Project %s', p), 'CLIENT_HOURLY', now(), now(), 1 FROM generate_series(0, 49) p"""
REGISTRATIONS = """INSERT INTO relaties.registration (tenant_id, id, client_id, project_id, member_id, kind, status, client_status,
  is_billable, registered_on, minutes, unit_rate, rate_source, currency, amount_net, note, created_at, updated_at, version)
SELECT $1, {registration}, $2, {project}, m.id, 'TIME', CASE WHEN n % 2 = 0 THEN 'OPEN' ELSE 'APPROVED' END, 'OPEN', true,
  date '2022-01-01' + (n % 1500), 60, 100, 'CLIENT', 'EUR', 100, format('Note %s', n), now(), now(), 1
FROM (SELECT n, n % 50 AS p FROM generate_series(1, $3) n) n, relaties.member m WHERE m.tenant_id = $1 AND m.role = 'OWNER'"""
INVOICES = """INSERT INTO relaties.invoice (tenant_id, id, client_id, kind, number, status, invoice_date, client_name, currency,
  exchange_rate, net, vat, gross, net_base, vat_base, gross_base, created_at, updated_at, version)
SELECT $1, {invoice}, $2, 'INVOICE', format('%s-%s', $2::text, i), 'OPEN', date '2022-01-01' + (i % 1500), 'X', 'EUR', 1,
  100, 21, 121, 100, 21, 121, now(), now(), 1 FROM generate_series(1, $3 / 20) i"""
LINES = """INSERT INTO relaties.invoice_line (tenant_id, id, invoice_id, position, description, quantity, unit_price, discount_percentage,
  vat_percentage, vat_category, net, vat, project_id)
SELECT $1, md5($2::text || 'line' || i || 'at' || l)::uuid, {invoice}, l, 'Work', 1, 50, 0, 21, 'S', 50, 10.50, {project}
FROM (SELECT i, l, i % 50 AS p FROM generate_series(1, $3 / 20) i, generate_series(1, 2) l) i"""
PAYMENTS = """INSERT INTO relaties.payment (tenant_id, id, paid_on, amount, currency, exchange_rate, method, created_at, updated_at,
  version)
SELECT $1, {payment}, date '2023-01-01', 121, 'EUR', 1, 'BANK_TRANSFER', now(), now(), 1 FROM generate_series(2, $3 / 20, 2) i"""
ALLOCATIONS = """INSERT INTO relaties.payment_allocation (tenant_id, payment_id, invoice_id, client_id, currency, paid_on, is_issued,
  amount, amount_base)
SELECT $1, {payment}, {invoice}, $2, 'EUR', date '2023-01-01', true, 121, 121 FROM generate_series(2, $3 / 20, 2) i"""
EVENTS = """INSERT INTO relaties.audit_event (tenant_id, id, at, channel, operation, action, object_type, object_id, client_id, changes)
SELECT $1, md5($2::text || 'event' || n)::uuid, now(), 'API', 'registrationCreate', 'CREATED', 'Registration', {registration}, $2,
  '{{"minutes": [null, 60]}}' FROM generate_series(1, $3) n"""
OUTBOX_EVENTS = """INSERT INTO relaties.outbox_event (tenant_id, id, at, action, object_type, object_id, client_id)
SELECT $1, md5($2::text || 'outbox' || n)::uuid, now(), 'CREATED', 'Registration', {registration}, $2 FROM generate_series(1, $3) n"""
EXPRESSIONS = {
    "project": "md5($2::text || 'project' || p)::uuid",
    "registration": "md5($2::text || 'registration' || n)::uuid",
    "invoice": "md5($2::text || 'invoice' || i)::uuid",
    "payment": "md5($2::text || 'payment' || i)::uuid",
}
SUM = "SELECT count(*)::text || md5(coalesce(string_agg(md5(t::text), '' ORDER BY t::text), '')) FROM relaties.{} t WHERE {}"


async def fill_client(owner: asyncpg.Connection, org: Tenant, client: UUID, registrations: int) -> None:
    """Add projects, registrations, invoices, payments and events to the client. The connection must be a superuser's."""
    async with owner.transaction():
        await owner.execute(WITHOUT_TRIGGERS)
        for statement in (PROJECTS, REGISTRATIONS, INVOICES, LINES, PAYMENTS, ALLOCATIONS, EVENTS, OUTBOX_EVENTS):
            sql = statement.format(**EXPRESSIONS).replace("$1", f"'{org.id}'::uuid").replace("$2", f"'{client}'::uuid")
            await owner.execute(sql.replace("$3", f"{registrations}::int"), timeout=600)
        await monthly_balances.rebuild(monthly_balances.OwnerTransaction(owner, org.id), [client])


async def table_sums(owner: asyncpg.Connection, org: Tenant, excluded: UUID | None = None) -> dict[str, str]:
    """Return a row count and digest of each table, of all clients or without one. Rows that have no client are always included."""
    columns = await owner.fetch(
        """SELECT table_name::text AS name, bool_or(column_name = 'client_id') AS has_client FROM information_schema.columns
        WHERE table_schema = 'relaties' AND table_name <> 'alembic_version' GROUP BY 1 ORDER BY 1"""
    )
    sums_by_table = {}
    for name, has_client in columns:
        own = "client_id" if has_client else "id" if name == "client" else None
        less = f" AND {own} IS DISTINCT FROM '{excluded}'" if own and excluded else ""
        sums_by_table[name] = await owner.fetchval(SUM.format(name, f"tenant_id = '{org.id}'{less}"), timeout=600)
    return sums_by_table
