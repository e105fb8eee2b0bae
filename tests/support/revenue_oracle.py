"""Compute revenue from the invoices and payments themselves, to compare with the balances that the product stores for speed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

Figures = tuple[object, ...]  # whether it is the total in base currency, then currency, invoiced, paid, outstanding
# $1 is the tenant, $2 the clients, $3 and $4 the period.
MOVEMENTS = """SELECT client_id, currency, day >= $3 AS is_in, net, net_base, paid, paid_base, owed, owed_base FROM (
  SELECT client_id, currency, invoice_date, sign * net, sign * net_base, 0.00, 0.00, sign * gross, sign * gross_base
  FROM relaties.invoice, LATERAL (VALUES (CASE kind WHEN 'CREDIT_NOTE' THEN -1 ELSE 1 END)) s (sign)
  WHERE tenant_id = $1 AND status IN ('OPEN', 'PAID')
  UNION ALL SELECT client_id, currency, paid_on, 0.00, 0.00, amount, amount_base, -amount, -amount_base
  FROM relaties.payment_allocation WHERE tenant_id = $1
) m (client_id, currency, day, net, net_base, paid, paid_base, owed, owed_base) WHERE client_id = ANY ($2::uuid[]) AND day <= $4"""
BY_CURRENCY = f"""SELECT {{of}}, false AS is_total, currency, sum(CASE WHEN is_in THEN net ELSE 0.00 END)::text,
  sum(CASE WHEN is_in THEN paid ELSE 0.00 END)::text, sum(owed)::text FROM ({MOVEMENTS}) moved GROUP BY 1, 3 ORDER BY 1, 3"""
TOTAL = f"""SELECT {{of}}, true AS is_total, o.base_currency, coalesce(sum(CASE WHEN is_in THEN net_base ELSE 0.00 END), 0.00)::text,
  coalesce(sum(CASE WHEN is_in THEN paid_base ELSE 0.00 END), 0.00)::text, coalesce(sum(owed_base), 0.00)::text
FROM relaties.organization o CROSS JOIN {{keys}} LEFT JOIN ({MOVEMENTS}) moved ON {{joined}}
WHERE o.tenant_id = $1 GROUP BY 1, 3 ORDER BY 1"""
PER_CLIENT = {"of": "client_id"}
PER_CLIENT_TOTAL = {"of": "k.id", "keys": "unnest($2::uuid[]) k (id)", "joined": "moved.client_id = k.id"}
COMBINED = {"of": "1"}
COMBINED_TOTAL = {"of": "1", "keys": "(VALUES (1)) k (id)", "joined": "true"}


async def revenue_by_client(
    owner: asyncpg.Connection, tenant: UUID, clients: Sequence[UUID], start: date, end: date
) -> list[list[Figures]]:
    """Return for each client its total in base currency, followed by a row for each currency."""
    rows_by_client: dict[object, list[Figures]] = defaultdict(list)
    for sql in (TOTAL.format(**PER_CLIENT_TOTAL), BY_CURRENCY.format(**PER_CLIENT)):
        for key, *figures in await owner.fetch(sql, tenant, [*clients], start, end):
            rows_by_client[key].append(tuple(figures))
    return [rows_by_client[client] for client in clients]


async def revenue_of_all(owner: asyncpg.Connection, tenant: UUID, clients: Sequence[UUID], start: date, end: date) -> list[Figures]:
    """Return the total and the rows for all these clients together."""
    texts = TOTAL.format(**COMBINED_TOTAL), BY_CURRENCY.format(**COMBINED)
    return [tuple(row)[1:] for sql in texts for row in await owner.fetch(sql, tenant, [*clients], start, end)]
