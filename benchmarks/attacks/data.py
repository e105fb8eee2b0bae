"""Create the attackers' organization, with data that makes attacks expensive, and unused tokens of the victim."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from db import demo
from domain.organization.tokens import new_secret
from tests.support.builders import Tenant, add_token, create_sample_org
from tests.support.ids import global_id

MOST_CENTS = 300_000  # limit of the invoice amount that the attackers try to find
CLIENTS, CONTACTS, SHARED_CONTACTS, REGISTRATIONS, NEW_TOKENS = 150, 10, 100, 50_000, 400
WORK = """INSERT INTO relaties.registration (tenant_id, id, client_id, member_id, kind, status, client_status, is_billable, registered_on,
  minutes, unit_rate, rate_source, currency, amount_net, created_at, updated_at, version)
SELECT $1, gen_random_uuid(), ($2::uuid[])[1 + n % cardinality($2::uuid[])],
  (SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'), 'TIME', 'OPEN', 'OPEN', true, date '2025-01-01' + n % 500,
  60, 100, 'CLIENT', 'EUR', 100, now(), now(), 1 FROM generate_series(1, $3) n"""


@dataclass(frozen=True)
class Attackers:
    """The attackers' organization, its tokens by role, and ids for its requests, including an archived client."""

    organization: UUID
    tokens: Mapping[str, str]
    ids: Mapping[str, str]


async def create_attackers(owner_url: str) -> tuple[Attackers, list[str]]:
    """Create the organization, and unused tokens of the demo organization."""
    owner = await asyncpg.connect(owner_url)
    try:
        org = await create_sample_org(owner, clients=CLIENTS, contacts=CONTACTS)
        for index in range(SHARED_CONTACTS):
            await org.add_contact(f"Shared {index:03}", *org.clients[:SHARED_CONTACTS], position=CONTACTS + index)
        await owner.execute(WORK, org.id, org.clients, REGISTRATIONS)
        await owner.execute("ANALYZE")
        ids = {"client": global_id("Client", org.clients[0]), "label": global_id("Label", org.labels[0])}
        ids["archived"] = global_id("Client", await _add_archived_client(org))
        return Attackers(org.id, {role.value: token for role, token in org.tokens.items()}, ids), await _add_victim_tokens(owner)
    finally:
        await owner.close()


async def _add_archived_client(org: Tenant) -> UUID:
    """Add an archived client with one invoice of a random amount."""
    client = await org.add_client("Archived", "9999")
    cents = secrets.randbelow(MOST_CENTS)
    await org.add_invoice(client, date(2026, 1, 10), f"{cents // 100}.{cents % 100:02}")
    await org.owner.execute("UPDATE relaties.client SET archived_at = created_at WHERE id = $1", client)
    return client


async def _add_victim_tokens(owner: asyncpg.Connection) -> list[str]:
    """Add tokens that were never used to sign in."""
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER' LIMIT 1", demo.TENANT)
    secrets = [new_secret() for _ in range(NEW_TOKENS)]
    for secret in secrets:
        await add_token(owner, demo.TENANT, secret, member_id=member)
    return secrets
