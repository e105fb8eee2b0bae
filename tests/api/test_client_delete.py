"""Deleting a client: told before, done as it was told, and nothing left of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from db.tables import Role, Table
from tests.api.test_nested_query import answering
from tests.ask import Api
from tests.builders import Tenant, insert, tenant
from tests.changing import refusal
from tests.directly import token_of
from tests.full_clients import ARCHIVED_AT, GONE, FullClient, full_client
from tests.ids import global_id
from tests.snapshots import differences, snapshot, unchanged

AMOUNTS = "amounts { currency invoiced { amount } outstanding { amount } unbilled { amount } }"
PREVIEW = f"""projectCount registrationCount timeRegistrationCount expenseRegistrationCount mileageRegistrationCount
  unbilledRegistrationCount invoiceCount issuedInvoiceCount paymentCount quoteCount portalCount contactsLeftAloneCount
  contactsLeftAlone {{ fullName }} {AMOUNTS} token expiresAt"""
ASK = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ name deletionPreview {{ {PREVIEW} }} }} }}"
DELETE = f"""mutation ($input: ClientDeleteInput!) {{ clientDelete(input: $input) {{ deletedId
  deleted {{ projectCount registrationCount invoiceCount paymentCount quoteCount portalCount contactCount }}
  userErrors {{ __typename code path message ... on PreviewOutdatedError {{ preview {{ {PREVIEW} }} }}
    ... on FiscalRetentionError {{ issuedInvoiceCount }} }} }} }}"""
SHOWN = {
    "projectCount": 2, "registrationCount": 4, "timeRegistrationCount": 2, "expenseRegistrationCount": 1, "mileageRegistrationCount": 1,
    "unbilledRegistrationCount": 3, "invoiceCount": 3, "issuedInvoiceCount": 2, "paymentCount": 1, "quoteCount": 2, "portalCount": 2,
    "contactsLeftAloneCount": 1, "contactsLeftAlone": [{"fullName": f"An {GONE} persoon"}],
    "amounts": [
        # 121.00 less 48.40, of which 20.00 and 12.10 were paid; an hour at 100.00, and 25.00 of expenses
        {"currency": "EUR", "invoiced": {"amount": "60.00"}, "outstanding": {"amount": "40.50"}, "unbilled": {"amount": "125.00"}},
        {"currency": "USD", "invoiced": {"amount": "0.00"}, "outstanding": {"amount": "0.00"}, "unbilled": {"amount": "80.00"}},
    ],
}  # fmt: skip
WENT = {
    "projectCount": 2,
    "registrationCount": 4,
    "invoiceCount": 3,
    "paymentCount": 1,
    "quoteCount": 2,
    "portalCount": 2,
    "contactCount": 0,
}


async def previewed(api: Api, client: FullClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(ASK, id=global_id("Client", client.id)))["client"]["deletionPreview"]
    return found


async def deleted(api: Api, client: FullClient, **more: object) -> dict[str, Any]:
    """The payload, of the token that a preview just gave unless told otherwise."""
    token = more.pop("previewToken", None) or (await previewed(api, client))["token"]
    given = {"id": global_id("Client", client.id), "previewToken": token, "acknowledgeFiscalRetention": True, **more}
    found: dict[str, Any] = (await api.data(DELETE, input=given))["clientDelete"]
    return found


@pytest.fixture
async def client(org: Tenant) -> FullClient:
    return await full_client(org)


async def test_s48_the_preview_counts_all_that_would_go(as_: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """Exactly, with amounts by currency; a token and until when it is good."""
    found = await previewed(as_(org), client)
    assert len(found.pop("token")) > 50
    left = datetime.fromisoformat(found.pop("expiresAt")) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert found == SHOWN


async def test_s49_to_s52_all_of_the_client_goes_and_nothing_else(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """What is left is a record without content; the shared contact stays, and what the shared payment was for the other client."""
    before = await snapshot(owner, org.id)
    payload = await deleted(as_(org), client)
    assert (payload["userErrors"], payload["deletedId"], payload["deleted"]) == ([], global_id("Client", client.id), WENT)
    steps = differences(before, await snapshot(owner, org.id))
    kept = {key[0]: after for key, after in steps.items() if any(now is not None for _, now in after.values())}
    assert set(kept) == {"deletion_record", "outbox_event"}
    tombstone = {name: now for name, (_, now) in kept["deletion_record"].items()}
    assert tombstone.pop("at")
    assert tombstone.pop("member_id")
    assert tombstone.pop("token_id")
    counts = {"projects": 2, "registrations": 4, "invoices": 3, "payments": 1, "quotes": 2, "portals": 2, "contacts": 0}
    assert tombstone == {"tenant_id": str(org.id), "id": str(client.id), "channel": "API", "counts": counts}
    gone: dict[str, int] = {}
    for key in steps.keys() - {key for key, after in steps.items() if any(now is not None for _, now in after.values())}:
        gone[key[0]] = gone.get(key[0], 0) + 1
    assert gone == {
        "client": 1, "client_address": 1, "client_contact": 2, "client_label": 1, "project": 2, "registration": 4, "registration_label": 1,
        "invoice": 3, "invoice_line": 1, "payment": 1, "payment_allocation": 2, "quote": 2, "quote_line": 2, "client_portal": 2,
        "portal_project": 2, "portal_access": 2, "audit_event": 2, "outbox_event": 1, "client_month": 2,
    }  # fmt: skip


async def test_s52_no_table_has_a_row_of_the_client_left(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """Made from the catalogue: every table with a client or a project in it."""
    await deleted(as_(org), client)
    tables = [table for table in Table.metadata.sorted_tables if {"client_id", "project_id"} & set(table.columns.keys())]
    assert len(tables) > 15
    for table in tables:
        for column, keys in (("client_id", [client.id]), ("project_id", client.projects)):
            if column in table.columns:
                sql = f"SELECT count(*) FROM {table.fullname} WHERE {column} = ANY($1)"
                assert await owner.fetchval(sql, keys) == 0, table.name


async def test_s53_nothing_of_the_client_is_to_be_found(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """By no search, id, activity or preview; and in no text that is stored."""
    api, ids = (
        as_(org),
        [global_id("Client", client.id), *(global_id("Project", key) for key in client.projects), global_id("Invoice", client.issued)],
    )
    events = [row["id"] for row in await owner.fetch("SELECT id FROM relaties.audit_event WHERE client_id = $1", client.id)]
    await deleted(api, client, deleteOrphanContacts=True)
    found = await api.data(
        'query ($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id } client(by: {id: $id}) { id } clients(search: "verdwijn") { totalCount }'
        " contacts { totalCount nodes { activity { nodes { id } } } } }",
        ids=[*ids, *(global_id("ActivityEvent", key) for key in events)],
        id=ids[0],
    )
    assert found["nodes"] == [None] * (len(ids) + len(events))
    assert (found["client"], found["clients"]["totalCount"]) == (None, 0)
    assert found["contacts"] == {"totalCount": 1, "nodes": [{"activity": {"nodes": []}}]}
    assert not [row for row in (await snapshot(owner, org.id)).items() if GONE.lower() in str(row).lower()]


async def test_s53_a_number_can_be_given_again_at_once(as_: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """And so can the numbers in the registers and for VAT."""
    api = as_(org)
    await deleted(api, client)
    again = {"name": "Nieuw", "number": GONE, "kvkNumber": "68750110", "vatNumber": "NL123456782B01"}
    made = await api.data(
        "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { number } userErrors { code } } }", input=again
    )
    assert made["clientCreate"] == {"client": {"number": GONE}, "userErrors": []}


async def test_s47_an_active_client_is_not_deleted(as_: Callable[..., Api], org: Tenant, owner: asyncpg.Connection) -> None:
    """It has no preview either."""
    active = await full_client(org, is_archived=False)
    assert await previewed(as_(org), active) is None
    async with unchanged(owner, org.id):
        payload = await deleted(as_(org), active, previewToken="x")
    (error,) = payload["userErrors"]
    assert (error["code"], error["path"], payload["deletedId"]) == ("NOT_ARCHIVED", ["id"], None)
    assert "clientArchive" in error["message"]


async def test_contacts_left_alone_go_when_asked(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """The one of no other client; the shared one stays, with its other link."""
    payload = await deleted(as_(org), client, deleteOrphanContacts=True)
    assert payload["deleted"] == {**WENT, "contactCount": 1}
    left = await owner.fetch("SELECT contact_id, client_id FROM relaties.client_contact WHERE tenant_id = $1", org.id)
    assert [tuple(row) for row in left] == [(client.shared, client.other)]
    assert [row["id"] for row in await owner.fetch("SELECT id FROM relaties.contact WHERE tenant_id = $1", org.id)] == [client.shared]
    told = await owner.fetch("SELECT object_type, object_id, action FROM relaties.outbox_event WHERE tenant_id = $1 ORDER BY id", org.id)
    assert [tuple(row) for row in told] == [("Client", client.id, "REMOVED"), ("Contact", client.alone, "REMOVED")]


async def test_issued_invoices_take_an_acknowledgement(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """How many there are is told; it is an acknowledgement, not a ban."""
    async with unchanged(owner, org.id):
        payload = await deleted(as_(org), client, acknowledgeFiscalRetention=False)
    (error,) = payload["userErrors"]
    assert (error["__typename"], error["code"], error["path"]) == (
        "FiscalRetentionError",
        "FISCAL_RETENTION",
        ["acknowledgeFiscalRetention"],
    )
    assert (error["issuedInvoiceCount"], payload["deleted"]) == (2, None)
    assert "acknowledgeFiscalRetention: true" in error["message"]


async def test_without_issued_invoices_there_is_nothing_to_acknowledge(as_: Callable[..., Api], org: Tenant) -> None:
    """Drafts are no invoices yet."""
    key = await org.add_client("Leeg", archived_at=None)
    await org.owner.execute("UPDATE relaties.client SET archived_at = now() WHERE id = $1", key)
    preview = (await as_(org).data(ASK, id=global_id("Client", key)))["client"]["deletionPreview"]
    assert (preview["amounts"], preview["issuedInvoiceCount"]) == ([], 0)
    found = await as_(org).data(DELETE, input={"id": global_id("Client", key), "previewToken": preview["token"]})
    assert found["clientDelete"]["userErrors"] == []


async def _linked_elsewhere(client: FullClient) -> None:
    link = {"tenant_id": client.org.id, "client_id": client.other, "contact_id": client.alone, "position": 9, "created_at": ARCHIVED_AT}
    more = {"is_invoice_contact": False, "is_primary": False, "recipient": "TO", "is_active": True}
    await insert(client.org.owner, "client_contact", [{**link, **more}])


CHANGES: dict[str, Callable[[FullClient], Awaitable[object]]] = {
    "an invoice": lambda client: client.org.add_invoice(client.id, date(2026, 2, 9), "1.00"),
    "a payment": lambda client: client.org.add_payment(client.id, client.issued, date(2026, 2, 9), "1.00"),
    "a quote": lambda client: client.org.add_quote(client.id),
    "a portal": lambda client: client.org.add_portal(client.id),
    "a contact of its own": lambda client: client.org.add_contact("Nieuw", client.id),
    "a contact that is another's now": _linked_elsewhere,
}


@pytest.mark.parametrize("what", CHANGES)
async def test_what_changed_since_the_preview_refuses_and_brings_a_fresh_one(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection, what: str
) -> None:
    """What was shown is what happens; the fresh preview's token is good."""
    token = (await previewed(as_(org), client))["token"]
    await CHANGES[what](client)
    async with unchanged(owner, org.id):
        payload = await deleted(as_(org), client, previewToken=token, acknowledgeFiscalRetention=False)
    (error,) = payload["userErrors"]
    assert (error["__typename"], error["code"], error["path"]) == ("PreviewOutdatedError", "PREVIEW_OUTDATED", ["previewToken"])
    fresh = error["preview"]
    assert {name: fresh[name] for name in SHOWN} != SHOWN
    payload = await deleted(as_(org), client, previewToken=fresh["token"])
    assert (payload["userErrors"], payload["deletedId"]) == ([], global_id("Client", client.id))


async def test_a_token_of_anything_else_is_none(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """Of another client, of another organization, too old, changed by a letter, a cursor, nonsense."""
    api, twin, theirs = as_(org), await full_client(org, "Tweeling"), await tenant(owner)
    abroad = await full_client(theirs)
    own = (await previewed(api, client))["token"]
    cursor = (await api.data("{ clients { pageInfo { endCursor } } }"))["clients"]["pageInfo"]["endCursor"]
    late = await token_of(org, client.id, timedelta(seconds=-1))
    wrong = [
        (await previewed(api, twin))["token"], (await previewed(as_(theirs), abroad))["token"], late, cursor,
        own[:-1] + ("A" if own[-1] != "A" else "B"), own[1:], own + "=", "", "x", "é", "0" * 5000,
    ]  # fmt: skip
    async with unchanged(owner, org.id, theirs.id):
        for token in wrong:
            body = await api.ask(
                DELETE, input={"id": global_id("Client", client.id), "previewToken": token, "acknowledgeFiscalRetention": True}
            )
            (error,) = body["data"]["clientDelete"]["userErrors"]
            assert (error["code"], error["path"]) == ("PREVIEW_OUTDATED", ["previewToken"]), token
    on_time = await token_of(org, client.id, timedelta(seconds=30))
    assert (await deleted(api, client, previewToken=on_time))["userErrors"] == []


@pytest.mark.parametrize("role", [Role.FINANCE, Role.MEMBER, Role.VIEWER])
async def test_who_may_not_delete_sees_what_would_go_and_has_no_token(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection, role: Role
) -> None:
    """Without amounts for who may not see figures; nor is a token of somebody else's of use to them."""
    token = (await previewed(as_(org), client))["token"]
    found = await previewed(as_(org, role), client)
    assert found.pop("token") is None
    assert found.pop("expiresAt")
    assert found == {**SHOWN, "amounts": SHOWN["amounts"] if role is Role.FINANCE else None}
    async with unchanged(owner, org.id):
        body = await as_(org, role).ask(DELETE, input={"id": global_id("Client", client.id), "previewToken": token})
    assert (body["data"], body["errors"][0]["extensions"]["code"]) == ({"clientDelete": None}, "FORBIDDEN")


async def test_an_admin_may_delete(as_: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """As the owner does."""
    assert (await deleted(as_(org, Role.ADMIN), client))["deleted"] == WENT


async def test_another_organization_can_neither_look_nor_delete(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """Not even with the right token."""
    token, theirs = (await previewed(as_(org), client))["token"], await tenant(owner)
    async with unchanged(owner, org.id, theirs.id):
        assert (await as_(theirs).data(ASK, id=global_id("Client", client.id)))["client"] is None
        error = await refusal(as_(theirs), "clientDelete", id=global_id("Client", client.id), previewToken=token)
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])


async def test_deleted_twice_is_not_found(as_: Callable[..., Api], org: Tenant, client: FullClient) -> None:
    """The same request again, with its key, hears what the first came to."""
    api, given = as_(org), {"id": global_id("Client", client.id), "acknowledgeFiscalRetention": True}
    given["previewToken"] = (await previewed(api, client))["token"]
    keyed = DELETE.replace("(input: $input)", '(input: $input) @idempotent(key: "once")')
    first, again = [(await api.data(keyed, input=given))["clientDelete"] for _ in range(2)]
    assert first == again == {"deletedId": given["id"], "deleted": WENT, "userErrors": []}
    (error,) = (await api.data(DELETE, input=given))["clientDelete"]["userErrors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])


async def test_s53_what_was_answered_before_no_longer_names_the_client(
    as_: Callable[..., Api], org: Tenant, client: FullClient, owner: asyncpg.Connection
) -> None:
    """Who was refused and asks again under the key is answered anew; of what was done for a part, the sentences are gone and no more."""
    api, given = as_(org), {"name": "Ander", "number": GONE}
    create = """mutation ($input: ClientCreateInput!) { clientCreate(input: $input) @idempotent(key: "k") { client { number }
      userErrors { code message ... on NumberTakenError { existingClient { name } } } } }"""
    upsert = """mutation ($input: ClientBulkUpsertInput!) { clientBulkUpsert(input: $input) @idempotent(key: "b") {
      results { action client { name } userErrors { code message } } } }"""
    some = {"clients": [{"number": "7", "name": "Zeven"}, {"number": GONE, "name": "Weg"}], "onError": "SKIP_FAILED"}
    (error,) = (await api.data(create, input=given))["clientCreate"]["userErrors"]
    assert (error["code"], error["existingClient"], GONE in error["message"]) == ("NUMBER_TAKEN", {"name": f"{GONE} BV"}, True)
    first, second = (await api.data(upsert, input=some))["clientBulkUpsert"]["results"]
    assert (first["action"], second["userErrors"][0]["code"], GONE in second["userErrors"][0]["message"]) == (
        "CREATED",
        "ALREADY_ARCHIVED",
        True,
    )
    await deleted(api, client, deleteOrphanContacts=True)
    assert not [row for row in (await snapshot(owner, org.id)).items() if GONE in str(row)]
    again, refused = (await api.data(upsert, input=some))["clientBulkUpsert"]["results"]
    assert (again, refused["client"], refused["userErrors"][0]["code"]) == (first, None, "ALREADY_ARCHIVED")
    assert refused["userErrors"][0]["message"].startswith("The reason was removed")
    assert (await api.data(create, input=given))["clientCreate"] == {"client": {"number": GONE}, "userErrors": []}


async def test_previews_of_a_page_take_as_many_statements_as_of_one(as_: Callable[..., Api], org: Tenant, statements: list[str]) -> None:
    """The page with the counts, amounts, contacts left alone, and the rows of those."""
    for place in range(3):
        await full_client(org, f"{GONE}{place}")
    query = "query ($first: Int!) {{ clients(first: $first, filter: {{status: ARCHIVED}}) {{ nodes {{ deletionPreview {{ {} }} }} }} }}"
    for first in (1, 3):
        for _ in range(3):
            statements.clear()
            found = await as_(org).data(query.format(PREVIEW), first=first)
            assert [each["deletionPreview"]["registrationCount"] for each in found["clients"]["nodes"]] == [4] * first
        assert len(answering(statements)) == 5
