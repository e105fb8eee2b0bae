"""Test deleting a client: the preview shows what will be deleted, exactly that is deleted, and nothing of the client remains."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from db.tables import Role, Table
from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant, insert_rows
from tests.support.deletions import DELETE, DELETION_PREVIEW, EXPECTED_PREVIEW, PREVIEW
from tests.support.full_client import ARCHIVED_AT, MARKER, FullClient, create_full_client
from tests.support.ids import global_id
from tests.support.mutations import fetch_error
from tests.support.owner import sign_preview_token
from tests.support.queries import data_statements
from tests.support.snapshots import assert_unchanged, compare_snapshots, read_snapshot

DELETED_COUNTS = {
    "projectCount": 2,
    "registrationCount": 4,
    "invoiceCount": 3,
    "paymentCount": 1,
    "quoteCount": 2,
    "portalCount": 2,
    "contactCount": 0,
}


async def fetch_deletion_preview(api: Api, client: FullClient) -> dict[str, Any]:
    preview: dict[str, Any] = (await api.data(DELETION_PREVIEW, id=global_id("Client", client.id)))["client"]["deletionPreview"]
    return preview


async def delete_client(api: Api, client: FullClient, **more: object) -> dict[str, Any]:
    """Delete the client with the token of a fresh preview, unless another token is given, and return the payload."""
    token = more.pop("previewToken", None) or (await fetch_deletion_preview(api, client))["token"]
    input_values = {"id": global_id("Client", client.id), "previewToken": token, "acknowledgeFiscalRetention": True, **more}
    payload: dict[str, Any] = (await api.data(DELETE, input=input_values))["clientDelete"]
    return payload


@pytest.fixture
async def client(org: Tenant) -> FullClient:
    return await create_full_client(org)


async def test_s48_preview_counts_everything_to_be_deleted(api_for: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """The counts are exact, amounts are listed per currency, and the token is valid for 15 minutes."""
    preview = await fetch_deletion_preview(api_for(org), client)
    assert len(preview.pop("token")) > 50
    validity = datetime.fromisoformat(preview.pop("expiresAt")) - datetime.now(UTC)
    assert timedelta(minutes=14) < validity <= timedelta(minutes=15)
    assert preview == EXPECTED_PREVIEW


async def test_s49_to_s52_deletes_all_of_the_client_and_nothing_else(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """A deletion record without content remains, and so do the shared contact and the other client's share of a shared payment."""
    before = await read_snapshot(owner, org.id)
    payload = await delete_client(api_for(org), client)
    assert (payload["userErrors"], payload["deletedId"], payload["deleted"]) == ([], global_id("Client", client.id), DELETED_COUNTS)
    steps = compare_snapshots(before, await read_snapshot(owner, org.id))
    changes_by_table = {key[0]: after for key, after in steps.items() if any(now is not None for _, now in after.values())}
    assert set(changes_by_table) == {"deletion_record", "outbox_event"}
    tombstone = {name: now for name, (_, now) in changes_by_table["deletion_record"].items()}
    assert tombstone.pop("at")
    assert tombstone.pop("member_id")
    assert tombstone.pop("token_id")
    counts = {"projects": 2, "registrations": 4, "invoices": 3, "payments": 1, "quotes": 2, "portals": 2, "contacts": 0}
    assert tombstone == {"tenant_id": str(org.id), "id": str(client.id), "channel": "API", "counts": counts}
    deleted_counts: dict[str, int] = {}
    for key in steps.keys() - {key for key, after in steps.items() if any(now is not None for _, now in after.values())}:
        deleted_counts[key[0]] = deleted_counts.get(key[0], 0) + 1
    assert deleted_counts == {
        "client": 1, "client_address": 1, "client_contact": 2, "client_label": 1, "project": 2, "registration": 4, "registration_label": 1,
        "invoice": 3, "invoice_line": 1, "payment": 1, "payment_allocation": 2, "quote": 2, "quote_line": 2, "client_portal": 2,
        "portal_project": 2, "portal_access": 2, "audit_event": 2, "outbox_event": 1, "client_month": 2,
    }  # fmt: skip


async def test_s52_no_table_keeps_a_row_of_the_client(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """The tables are read from the metadata: every table with a column for a client or a project."""
    await delete_client(api_for(org), client)
    tables = [table for table in Table.metadata.sorted_tables if {"client_id", "project_id"} & set(table.columns.keys())]
    assert len(tables) > 15
    for table in tables:
        for column, keys in (("client_id", [client.id]), ("project_id", client.projects)):
            if column in table.columns:
                sql = f"SELECT count(*) FROM {table.fullname} WHERE {column} = ANY($1)"
                assert await owner.fetchval(sql, keys) == 0, table.name


async def test_s53_client_cannot_be_found_anywhere(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """The client is not found by search, id, activity or preview, and no stored text contains its name."""
    api, ids = (
        api_for(org),
        [
            global_id("Client", client.id),
            *(global_id("Project", key) for key in client.projects),
            global_id("Invoice", client.issued_invoice),
        ],
    )
    events = [row["id"] for row in await owner.fetch("SELECT id FROM relaties.audit_event WHERE client_id = $1", client.id)]
    await delete_client(api, client, deleteOrphanContacts=True)
    data = await api.data(
        'query ($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id } client(by: {id: $id}) { id } clients(search: "verdwijn") { totalCount }'
        " contacts { totalCount nodes { activity { nodes { id } } } } }",
        ids=[*ids, *(global_id("ActivityEvent", key) for key in events)],
        id=ids[0],
    )
    assert data["nodes"] == [None] * (len(ids) + len(events))
    assert (data["client"], data["clients"]["totalCount"]) == (None, 0)
    assert data["contacts"] == {"totalCount": 1, "nodes": [{"activity": {"nodes": []}}]}
    assert not [row for row in (await read_snapshot(owner, org.id)).items() if MARKER.lower() in str(row).lower()]


async def test_s53_numbers_of_a_deleted_client_can_be_reused_at_once(api_for: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """This includes the KvK number and the VAT number."""
    api = api_for(org)
    await delete_client(api, client)
    again = {"name": "Nieuw", "number": MARKER, "kvkNumber": "68750110", "vatNumber": "NL123456782B01"}
    data = await api.data(
        "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { number } userErrors { code } } }", input=again
    )
    assert data["clientCreate"] == {"client": {"number": MARKER}, "userErrors": []}


async def test_s47_an_active_client_has_no_preview_and_is_not_deleted(
    api_for: Callable[..., Api], org: Tenant, owner: asyncpg.Connection
) -> None:
    active = await create_full_client(org, is_archived=False)
    assert await fetch_deletion_preview(api_for(org), active) is None
    async with assert_unchanged(owner, org.id):
        payload = await delete_client(api_for(org), active, previewToken="x")
    (error,) = payload["userErrors"]
    assert (error["code"], error["path"], payload["deletedId"]) == ("NOT_ARCHIVED", ["id"], None)
    assert "clientArchive" in error["message"]


async def test_orphaned_contacts_are_deleted_on_request(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """Only a contact without another client is deleted. A shared contact keeps its other link."""
    payload = await delete_client(api_for(org), client, deleteOrphanContacts=True)
    assert payload["deleted"] == {**DELETED_COUNTS, "contactCount": 1}
    links = await owner.fetch("SELECT contact_id, client_id FROM relaties.client_contact WHERE tenant_id = $1", org.id)
    assert [tuple(row) for row in links] == [(client.shared_contact, client.other)]
    assert [row["id"] for row in await owner.fetch("SELECT id FROM relaties.contact WHERE tenant_id = $1", org.id)] == [
        client.shared_contact
    ]
    events = await owner.fetch("SELECT object_type, object_id, action FROM relaties.outbox_event WHERE tenant_id = $1 ORDER BY id", org.id)
    assert [tuple(row) for row in events] == [("Client", client.id, "REMOVED"), ("Contact", client.only_contact, "REMOVED")]


async def test_issued_invoices_require_acknowledgement(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """The error counts the invoices, and its message names the argument that acknowledges them."""
    async with assert_unchanged(owner, org.id):
        payload = await delete_client(api_for(org), client, acknowledgeFiscalRetention=False)
    (error,) = payload["userErrors"]
    assert (error["__typename"], error["code"], error["path"]) == (
        "FiscalRetentionError",
        "FISCAL_RETENTION",
        ["acknowledgeFiscalRetention"],
    )
    assert (error["issuedInvoiceCount"], payload["deleted"]) == (2, None)
    assert "acknowledgeFiscalRetention: true" in error["message"]


async def test_client_without_issued_invoices_requires_no_acknowledgement(api_for: Callable[..., Api], org: Tenant) -> None:
    key = await org.add_client("Leeg", archived_at=None)
    await org.owner.execute("UPDATE relaties.client SET archived_at = now() WHERE id = $1", key)
    preview = (await api_for(org).data(DELETION_PREVIEW, id=global_id("Client", key)))["client"]["deletionPreview"]
    assert (preview["amounts"], preview["issuedInvoiceCount"]) == ([], 0)
    data = await api_for(org).data(DELETE, input={"id": global_id("Client", key), "previewToken": preview["token"]})
    assert data["clientDelete"]["userErrors"] == []


async def _add_shared_links(client: FullClient) -> None:
    link = {
        "tenant_id": client.org.id,
        "client_id": client.other,
        "contact_id": client.only_contact,
        "position": 9,
        "created_at": ARCHIVED_AT,
    }
    more = {"is_invoice_contact": False, "is_primary": False, "recipient": "TO", "is_active": True}
    await insert_rows(client.org.owner, "client_contact", [{**link, **more}])


CHANGES: dict[str, Callable[[FullClient], Awaitable[object]]] = {
    "an invoice": lambda client: client.org.add_invoice(client.id, date(2026, 2, 9), "1.00"),
    "a payment": lambda client: client.org.add_payment(client.id, client.issued_invoice, date(2026, 2, 9), "1.00"),
    "a quote": lambda client: client.org.add_quote(client.id),
    "a portal": lambda client: client.org.add_portal(client.id),
    "a contact of its own": lambda client: client.org.add_contact("Nieuw", client.id),
    "a contact that is another's now": _add_shared_links,
}


@pytest.mark.parametrize("what", CHANGES)
async def test_change_since_the_preview_is_rejected_with_a_fresh_preview(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection, what: str
) -> None:
    """The user deletes only what a preview showed. The token of the fresh preview is valid."""
    token = (await fetch_deletion_preview(api_for(org), client))["token"]
    await CHANGES[what](client)
    async with assert_unchanged(owner, org.id):
        payload = await delete_client(api_for(org), client, previewToken=token, acknowledgeFiscalRetention=False)
    (error,) = payload["userErrors"]
    assert (error["__typename"], error["code"], error["path"]) == ("PreviewOutdatedError", "PREVIEW_OUTDATED", ["previewToken"])
    fresh = error["preview"]
    assert {name: fresh[name] for name in EXPECTED_PREVIEW} != EXPECTED_PREVIEW
    payload = await delete_client(api_for(org), client, previewToken=fresh["token"])
    assert (payload["userErrors"], payload["deletedId"]) == ([], global_id("Client", client.id))


async def test_invalid_preview_token_is_rejected(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """Tokens of another client or organization, expired and altered ones, cursors and arbitrary texts get `PREVIEW_OUTDATED`."""
    api, twin, theirs = api_for(org), await create_full_client(org, "Tweeling"), await create_tenant(owner)
    abroad = await create_full_client(theirs)
    own = (await fetch_deletion_preview(api, client))["token"]
    cursor = (await api.data("{ clients { pageInfo { endCursor } } }"))["clients"]["pageInfo"]["endCursor"]
    late = await sign_preview_token(org, client.id, timedelta(seconds=-1))
    wrong = [
        (await fetch_deletion_preview(api, twin))["token"], (await fetch_deletion_preview(api_for(theirs), abroad))["token"], late, cursor,
        own[:-1] + ("A" if own[-1] != "A" else "B"), own[1:], own + "=", "", "x", "é", "0" * 5000,
    ]  # fmt: skip
    async with assert_unchanged(owner, org.id, theirs.id):
        for token in wrong:
            body = await api.execute(
                DELETE, input={"id": global_id("Client", client.id), "previewToken": token, "acknowledgeFiscalRetention": True}
            )
            (error,) = body["data"]["clientDelete"]["userErrors"]
            assert (error["code"], error["path"]) == ("PREVIEW_OUTDATED", ["previewToken"]), token
    on_time = await sign_preview_token(org, client.id, timedelta(seconds=30))
    assert (await delete_client(api, client, previewToken=on_time))["userErrors"] == []


@pytest.mark.parametrize("role", [Role.FINANCE, Role.MEMBER, Role.VIEWER])
async def test_preview_without_permission_to_delete_has_no_token(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection, role: Role
) -> None:
    """Amounts require permission to read figures. The deletion stays forbidden even with another member's token."""
    token = (await fetch_deletion_preview(api_for(org), client))["token"]
    preview = await fetch_deletion_preview(api_for(org, role), client)
    assert preview.pop("token") is None
    assert preview.pop("expiresAt")
    assert preview == {**EXPECTED_PREVIEW, "amounts": EXPECTED_PREVIEW["amounts"] if role is Role.FINANCE else None}
    async with assert_unchanged(owner, org.id):
        body = await api_for(org, role).execute(DELETE, input={"id": global_id("Client", client.id), "previewToken": token})
    assert (body["data"], body["errors"][0]["extensions"]["code"]) == ({"clientDelete": None}, "FORBIDDEN")


async def test_admin_can_delete(api_for: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    assert (await delete_client(api_for(org, Role.ADMIN), client))["deleted"] == DELETED_COUNTS


async def test_another_organization_can_neither_preview_nor_delete(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """The token is valid, but the client is not found."""
    token, theirs = (await fetch_deletion_preview(api_for(org), client))["token"], await create_tenant(owner)
    async with assert_unchanged(owner, org.id, theirs.id):
        assert (await api_for(theirs).data(DELETION_PREVIEW, id=global_id("Client", client.id)))["client"] is None
        error = await fetch_error(api_for(theirs), "clientDelete", id=global_id("Client", client.id), previewToken=token)
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])


async def test_second_deletion_is_not_found(api_for: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """A repetition of the first request with its key gets the first answer."""
    api, input_values = api_for(org), {"id": global_id("Client", client.id), "acknowledgeFiscalRetention": True}
    input_values["previewToken"] = (await fetch_deletion_preview(api, client))["token"]
    idempotent_delete = DELETE.replace("(input: $input)", '(input: $input) @idempotent(key: "once")')
    first, again = [(await api.data(idempotent_delete, input=input_values))["clientDelete"] for _ in range(2)]
    assert first == again == {"deletedId": input_values["id"], "deleted": DELETED_COUNTS, "userErrors": []}
    (error,) = (await api.data(DELETE, input=input_values))["clientDelete"]["userErrors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])


async def test_s53_stored_answers_no_longer_name_the_client(
    api_for: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """A rejected request that is repeated with its key is evaluated again. Of a partly executed request only the messages are removed."""
    api, input_values = api_for(org), {"name": "Ander", "number": MARKER}
    create = """mutation ($input: ClientCreateInput!) { clientCreate(input: $input) @idempotent(key: "k") { client { number }
      userErrors { code message ... on NumberTakenError { existingClient { name } } } } }"""
    upsert = """mutation ($input: ClientBulkUpsertInput!) { clientBulkUpsert(input: $input) @idempotent(key: "b") {
      results { action client { name } userErrors { code message } } } }"""
    some = {"clients": [{"number": "7", "name": "Zeven"}, {"number": MARKER, "name": "Weg"}], "onError": "SKIP_FAILED"}
    (error,) = (await api.data(create, input=input_values))["clientCreate"]["userErrors"]
    assert (error["code"], error["existingClient"], MARKER in error["message"]) == ("NUMBER_TAKEN", {"name": f"{MARKER} BV"}, True)
    first, second = (await api.data(upsert, input=some))["clientBulkUpsert"]["results"]
    assert (first["action"], second["userErrors"][0]["code"], MARKER in second["userErrors"][0]["message"]) == (
        "CREATED",
        "ALREADY_ARCHIVED",
        True,
    )
    await delete_client(api, client, deleteOrphanContacts=True)
    assert not [row for row in (await read_snapshot(owner, org.id)).items() if MARKER in str(row)]
    again, rejected = (await api.data(upsert, input=some))["clientBulkUpsert"]["results"]
    assert (again, rejected["client"], rejected["userErrors"][0]["code"]) == (first, None, "ALREADY_ARCHIVED")
    assert rejected["userErrors"][0]["message"].startswith("The message was removed")
    assert (await api.data(create, input=input_values))["clientCreate"] == {"client": {"number": MARKER}, "userErrors": []}


async def test_previews_of_a_page_take_as_many_statements_as_one(api_for: Callable[..., Api], org: Tenant, statements: list[str]) -> None:
    """The five statements read the page, the counts, the amounts, the orphaned contacts and the rows of those contacts."""
    for index in range(3):
        await create_full_client(org, f"{MARKER}{index}")
    query = "query ($first: Int!) {{ clients(first: $first, filter: {{status: ARCHIVED}}) {{ nodes {{ deletionPreview {{ {} }} }} }} }}"
    for first in (1, 3):
        for _ in range(3):
            statements.clear()
            data = await api_for(org).data(query.format(PREVIEW), first=first)
            assert [each["deletionPreview"]["registrationCount"] for each in data["clients"]["nodes"]] == [4] * first
        assert len(data_statements(statements)) == 5
