"""What archiving would do, told before."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from db.tables import Role
from tests.api.test_client_delete import AMOUNTS, SHOWN
from tests.api.test_nested_query import answering
from tests.ask import Api
from tests.builders import Tenant, tenant
from tests.full_clients import FullClient, full_client
from tests.ids import global_id
from tests.snapshots import unchanged

PREVIEW = f"""archivePreview {{ projectCount registrationCount unbilledRegistrationCount draftInvoiceCount draftQuoteCount portalCount
  {AMOUNTS} }}"""
ASK = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ {PREVIEW} }} }}"
COUNTS = {
    "projectCount": 1, "registrationCount": 4, "unbilledRegistrationCount": 3, "draftInvoiceCount": 1, "draftQuoteCount": 1,
    "portalCount": 1,
}  # fmt: skip
ARCHIVE = "mutation ($input: ClientArchiveInput!) { clientArchive(input: $input) { client { id } userErrors { code } } }"


@pytest.fixture
async def client(org: Tenant) -> FullClient:
    """One of its two projects is archived by itself, one of its two portals closed."""
    made = await full_client(org, is_archived=False)
    await org.owner.execute("UPDATE relaties.project SET archived_at = now() WHERE id = $1", made.projects[1])
    return made


async def previewed(api: Api, client: FullClient) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await api.data(ASK, id=global_id("Client", client.id)))["client"]["archivePreview"]
    return found


async def test_archiving_is_told_before(as_: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """What would go along, what would be locked, what would no longer be invoiced, what is outstanding: exactly, by currency."""
    async with unchanged(org.owner, org.id):
        assert await previewed(as_(org), client) == {**COUNTS, "amounts": SHOWN["amounts"]}


async def test_what_is_archived_has_no_preview_of_it(as_: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """What was told has happened: the project and the portal went along, and the registrations are there."""
    api = as_(org)
    assert (await api.data(ARCHIVE, input={"id": global_id("Client", client.id)}))["clientArchive"]["userErrors"] == []
    assert await previewed(api, client) is None
    count = "SELECT count(*) FROM relaties.{} WHERE client_id = $1 AND archive_operation_id IS NOT NULL"
    assert [await org.owner.fetchval(count.format(name), client.id) for name in ("project", "client_portal")] == [1, 1]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_who_may_not_see_figures_sees_the_numbers(as_: Callable[..., Api], org: Tenant, client: FullClient, role: Role) -> None:
    """Without the amounts."""
    assert await previewed(as_(org, role), client) == {**COUNTS, "amounts": None}


async def test_a_client_without_anything_loses_nothing(as_: Callable[..., Api], org: Tenant) -> None:
    """Zeroes, and no amounts."""
    key = await org.add_client("Leeg")
    found = (await as_(org).data(ASK, id=global_id("Client", key)))["client"]["archivePreview"]
    assert found == {**dict.fromkeys(COUNTS, 0), "amounts": []}


async def test_another_organization_is_told_nothing(as_: Callable[..., Api], client: FullClient) -> None:
    """The client is none of theirs."""
    theirs = await tenant(client.org.owner)
    assert (await as_(theirs).data(ASK, id=global_id("Client", client.id)))["client"] is None


async def test_a_page_of_previews_takes_two_statements_more(as_: Callable[..., Api], org: Tenant, statements: list[str]) -> None:
    """However many clients there are."""
    for place in range(3):
        await full_client(org, f"Klant {place}", is_archived=False)
    for first in (1, 6):
        statements.clear()
        found = await as_(org).data(f"query ($first: Int!) {{ clients(first: $first) {{ nodes {{ {PREVIEW} }} }} }}", first=first)
        assert len(found["clients"]["nodes"]) == first
        assert len(answering(statements)) == 3


async def test_hours_without_a_price_of_their_own_count_nothing(as_: Callable[..., Api], org: Tenant) -> None:
    """Those of a project for a fixed price, or for none; an expense on it counts. So does no hour that is rejected, or not to be paid."""
    key = await org.add_client("Vast")
    fixed, free = await org.add_project(key, invoice_method="PROJECT_FIXED"), await org.add_project(key, invoice_method="NONE")
    for project in (fixed, free):
        await org.add_registration(key, project)
    await org.add_registration(key, fixed, kind="EXPENSE", minutes=None, quantity=1, unit_price=Decimal("7.50"), amount_net=Decimal("7.50"))
    await org.add_registration(key, None, status="REJECTED")
    await org.add_registration(key, None, is_billable=False)
    found = (await as_(org).data(ASK, id=global_id("Client", key)))["client"]["archivePreview"]
    assert (found["registrationCount"], found["unbilledRegistrationCount"]) == (5, 3)
    assert [each["unbilled"] for each in found["amounts"]] == [{"amount": "7.50"}]
