"""Test that the preview of archiving shows what archiving would do."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from db.tables import Role
from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant
from tests.support.deletions import AMOUNTS, EXPECTED_PREVIEW
from tests.support.full_client import FullClient, create_full_client
from tests.support.ids import global_id
from tests.support.queries import data_statements
from tests.support.snapshots import assert_unchanged

PREVIEW = f"""archivePreview {{ projectCount registrationCount unbilledRegistrationCount draftInvoiceCount draftQuoteCount portalCount
  {AMOUNTS} }}"""
ARCHIVE_PREVIEW = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ {PREVIEW} }} }}"
COUNTS = {
    "projectCount": 1, "registrationCount": 4, "unbilledRegistrationCount": 3, "draftInvoiceCount": 1, "draftQuoteCount": 1,
    "portalCount": 1,
}  # fmt: skip
ARCHIVE = "mutation ($input: ClientArchiveInput!) { clientArchive(input: $input) { client { id } userErrors { code } } }"


@pytest.fixture
async def client(org: Tenant) -> FullClient:
    """Create an active client with an archived and an active project, and with an open and a closed portal."""
    client = await create_full_client(org, is_archived=False)
    await org.owner.execute("UPDATE relaties.project SET archived_at = now() WHERE id = $1", client.projects[1])
    return client


async def fetch_archive_preview(api: Api, client: FullClient) -> dict[str, Any] | None:
    preview: dict[str, Any] | None = (await api.data(ARCHIVE_PREVIEW, id=global_id("Client", client.id)))["client"]["archivePreview"]
    return preview


async def test_preview_shows_the_effects_of_archiving(api_for: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """The preview counts what would be archived, locked or no longer invoiced, and shows the outstanding amounts per currency."""
    async with assert_unchanged(org.owner, org.id):
        assert await fetch_archive_preview(api_for(org), client) == {**COUNTS, "amounts": EXPECTED_PREVIEW["amounts"]}


async def test_archived_client_has_no_archive_preview(api_for: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """Archiving also archives the active project and closes the open portal."""
    api = api_for(org)
    payload = (await api.data(ARCHIVE, input={"id": global_id("Client", client.id), "expectedVersion": 1}))["clientArchive"]
    assert payload["userErrors"] == []
    assert await fetch_archive_preview(api, client) is None
    count = "SELECT count(*) FROM relaties.{} WHERE client_id = $1 AND archive_operation_id IS NOT NULL"
    assert [await org.owner.fetchval(count.format(name), client.id) for name in ("project", "client_portal")] == [1, 1]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_preview_hides_amounts_without_permission(api_for: Callable[..., Api], org: Tenant, client: FullClient, role: Role) -> None:
    assert await fetch_archive_preview(api_for(org, role), client) == {**COUNTS, "amounts": None}


async def test_preview_of_an_empty_client_has_zero_counts_and_no_amounts(api_for: Callable[..., Api], org: Tenant) -> None:
    key = await org.add_client("Leeg")
    preview = (await api_for(org).data(ARCHIVE_PREVIEW, id=global_id("Client", key)))["client"]["archivePreview"]
    assert preview == {**dict.fromkeys(COUNTS, 0), "amounts": []}


async def test_another_organization_gets_no_preview(api_for: Callable[..., Api], client: FullClient) -> None:
    theirs = await create_tenant(client.org.owner)
    assert (await api_for(theirs).data(ARCHIVE_PREVIEW, id=global_id("Client", client.id)))["client"] is None


async def test_page_of_previews_takes_two_more_statements(api_for: Callable[..., Api], org: Tenant, statements: list[str]) -> None:
    """The number of statements does not depend on the number of clients."""
    for index in range(3):
        await create_full_client(org, f"Klant {index}", is_archived=False)
    for first in (1, 6):
        statements.clear()
        data = await api_for(org).data(f"query ($first: Int!) {{ clients(first: $first) {{ nodes {{ {PREVIEW} }} }} }}", first=first)
        assert len(data["clients"]["nodes"]) == first
        assert len(data_statements(statements)) == 3


async def test_hours_without_a_price_count_as_zero(api_for: Callable[..., Api], org: Tenant) -> None:
    """Hours of a project with a fixed price or without invoicing add no amount; an expense does.

    Rejected and non-billable hours are not counted as unbilled.
    """
    key = await org.add_client("Vast")
    fixed_price, free = await org.add_project(key, invoice_method="PROJECT_FIXED"), await org.add_project(key, invoice_method="NONE")
    for project in (fixed_price, free):
        await org.add_registration(key, project)
    await org.add_registration(
        key, fixed_price, kind="EXPENSE", minutes=None, quantity=1, unit_price=Decimal("7.50"), amount_net=Decimal("7.50")
    )
    await org.add_registration(key, None, status="REJECTED")
    await org.add_registration(key, None, is_billable=False)
    preview = (await api_for(org).data(ARCHIVE_PREVIEW, id=global_id("Client", key)))["client"]["archivePreview"]
    assert (preview["registrationCount"], preview["unbilledRegistrationCount"]) == (5, 3)
    assert [each["unbilled"] for each in preview["amounts"]] == [{"amount": "7.50"}]
