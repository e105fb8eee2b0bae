"""What happened to a client or a contact is told field by field, to who may know it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from db.tables import Role
from db.tables.base import Entity, Table
from db.tables.keys import new_id
from domain.core.activity import FINANCIAL_FIELDS
from domain.organization.tokens import new_secret
from tests.api.test_nested_query import answering
from tests.ask import Api
from tests.builders import Tenant, add_token, tenant
from tests.ids import global_id

EVENT = "operation action objectType objectId member { name } changes { field from to }"
CLIENT = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ activity {{ totalCount nodes {{ {EVENT} }} }} }} }}"
CONTACT = f"query ($id: ID!) {{ contact(id: $id) {{ activity {{ totalCount nodes {{ {EVENT} }} }} }} }}"
IDS = "query ($id: ID!) { client(by: {id: $id}) { activity { nodes { id } } } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on ActivityEvent { changes { field } } } }"
CREATE = "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id } userErrors { message } } }"
UPDATE = "mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { userErrors { message } } }"
LABEL = "mutation ($input: ClientLabelsInput!) { %s(input: $input) { userErrors { message } } }"
LINK = "mutation ($input: %s!) { %s(input: $input) { userErrors { message } } }"


async def activity(api: Api, key: str, query: str = CLIENT) -> list[dict[str, Any]]:
    """The events, the newest first; the total is how many there are."""
    (found,) = (await api.data(query, id=key)).values()
    assert found["activity"]["totalCount"] == len(found["activity"]["nodes"])
    nodes: list[dict[str, Any]] = found["activity"]["nodes"]
    return nodes


async def done(api: Api, mutation: str, **input: object) -> dict[str, Any]:
    (payload,) = (await api.data(mutation, input=input)).values()
    assert payload["userErrors"] == []
    result: dict[str, Any] = payload
    return result


def event(operation: str, action: str, kind: str, key: str, *changes: tuple[str, str | None, str | None]) -> dict[str, Any]:
    """As the owner's."""
    told = [{"field": field, "from": was, "to": now} for field, was, now in changes]
    return {"operation": operation, "action": action, "objectType": kind, "objectId": key, "member": {"name": "Owner"}, "changes": told}


async def test_making_and_changing_a_client_is_told(as_: Callable[..., Api], org: Tenant) -> None:
    """What came to be, then what was something else before; a change that comes to nothing is none."""
    api = as_(org)
    made = await done(api, CREATE, name="Jansen", addresses=[{"type": "PRIMARY", "city": "Ede", "country": "NL"}])
    key = made["client"]["id"]
    financial = {"defaultHourlyRate": "95.5", "paymentTermDays": 14}
    await done(api, UPDATE, id=key, expectedVersion=1, kind="PERSON", kvkNumber="68750110", isProspect=True, financial=financial)
    await done(api, UPDATE, id=key, expectedVersion=2, kind="PERSON")
    await done(api, UPDATE, id=key, expectedVersion=2, kvkNumber=None, addresses=[])
    removed, cleared, changed, address, created = await activity(api, key)
    assert changed == event(
        "clientUpdate", "CHANGED", "Client", key, ("defaultHourlyRate", None, "95.5"), ("isProspect", "false", "true"),
        ("kind", "COMPANY", "PERSON"), ("kvkNumber", None, "68750110"), ("paymentTermDays", None, "14"),
    )  # fmt: skip
    assert created == event(
        "clientCreate", "CREATED", "Client", key, ("invoiceDelivery", None, "EMAIL"), ("isProspect", None, "false"),
        ("kind", None, "COMPANY"), ("name", None, "Jansen"), ("purchaseOrderRequired", None, "false"),
    )  # fmt: skip
    of_address = (("city", "Ede"), ("clientId", key), ("country", "NL"), ("type", "PRIMARY"))
    assert address == event("clientCreate", "CREATED", "ClientAddress", key, *((name, None, text) for name, text in of_address))
    assert cleared == event("clientUpdate", "CHANGED", "Client", key, ("kvkNumber", "68750110", None))
    assert removed == event("clientUpdate", "REMOVED", "ClientAddress", key, *((name, text, None) for name, text in of_address))


async def test_linking_a_contact_is_told_of_both(as_: Callable[..., Api], org: Tenant) -> None:
    """With the ids of both, and lists as text; a contact's own name is no matter of its clients'."""
    client, person = await org.add_client("A"), await org.add_contact("Jansen")
    api, client_id, contact_id = as_(org), global_id("Client", client), global_id("Contact", person)
    pair = {"clientId": client_id, "contactId": contact_id}
    await done(api, LINK % ("ClientContactLinkInput", "clientContactLink"), **pair, link={"roles": ["QUOTE", "INVOICE"]})
    await done(api, LINK % ("ClientContactUpdateInput", "clientContactUpdate"), **pair, link={"roles": ["INVOICE"], "department": "Inkoop"})
    rename = {"id": contact_id, "expectedVersion": 1, "jobTitle": "Inkoper"}
    await done(api, LINK % ("ContactUpdateInput", "contactUpdate"), **rename)
    told = [
        event(
            "clientContactUpdate", "CHANGED", "ClientContact", contact_id,
            ("department", None, "Inkoop"), ("roles", "INVOICE, QUOTE", "INVOICE"),
        ),
        event(
            "clientContactLink", "CREATED", "ClientContact", contact_id, ("clientId", None, client_id), ("contactId", None, contact_id),
            ("isActive", None, "true"), ("isInvoiceContact", None, "false"), ("isPrimary", None, "false"), ("position", None, "0"),
            ("recipient", None, "TO"), ("roles", None, "INVOICE, QUOTE"),
        ),
    ]  # fmt: skip
    assert await activity(api, client_id) == told
    own = event("contactUpdate", "CHANGED", "Contact", contact_id, ("jobTitle", None, "Inkoper"))
    assert await activity(api, contact_id, CONTACT) == [own, *told]


async def test_labelling_is_told_of_each_client(as_: Callable[..., Api], org: Tenant) -> None:
    """Putting on and taking off; the label is the object."""
    clients, label = [await org.add_client(name) for name in "AB"], await org.add_label("Rood")
    api, label_id = as_(org), global_id("Label", label)
    for mutation in ("clientLabelsAdd", "clientLabelsRemove"):
        await done(api, LABEL % mutation, clientIds=[global_id("Client", key) for key in clients], labelIds=[label_id])
    for key in (global_id("Client", client) for client in clients):
        assert await activity(api, key) == [
            event("clientLabelsRemove", "REMOVED", "ClientLabel", label_id, ("clientId", key, None), ("labelId", label_id, None)),
            event("clientLabelsAdd", "CREATED", "ClientLabel", label_id, ("clientId", None, key), ("labelId", None, label_id)),
        ]


async def test_figures_are_told_to_who_may_see_them(as_: Callable[..., Api], org: Tenant) -> None:
    """Financial settings, prices, and all of an invoice; by the event's own id too. That something happened everybody sees."""
    client, rate = await org.add_client("A"), new_id()
    figures: dict[str, list[object]] = {"iban": [None, "NL91ABNA0417164300"], "currency": ["EUR", "USD"], "vat_rate_id": [None, str(rate)]}
    await org.add_event("Client", client, {**figures, "name": ["A", "B"]}, client_id=client)
    await org.add_event("Client", client, figures, client_id=client)
    await org.add_event("Project", new_id(), {"hourly_rate": [None, "90"], "code": [None, "P"]}, client_id=client)
    await org.add_event("Invoice", new_id(), {"invoice_date": [None, "2026-01-31"]}, client_id=client)
    key = global_id("Client", client)
    owner, viewer = [await activity(as_(org, role), key) for role in (Role.FINANCE, Role.VIEWER)]
    all_ = [{"field": "currency", "from": "EUR", "to": "USD"}, {"field": "iban", "from": None, "to": "NL91ABNA0417164300"}]
    name, named = {"field": "name", "from": "A", "to": "B"}, {"field": "vatRateId", "from": None, "to": global_id("VatRate", rate)}
    code, price = {"field": "code", "from": None, "to": "P"}, {"field": "hourlyRate", "from": None, "to": "90"}
    day = {"field": "invoiceDate", "from": None, "to": "2026-01-31"}
    assert [each["changes"] for each in owner] == [[day], [code, price], [*all_, named], [*all_, name, named]]
    assert [each["changes"] for each in viewer] == [[], [code], [], [name]]
    ids = [each["id"] for each in (await as_(org).data(IDS, id=key))["client"]["activity"]["nodes"]]
    for role, counts in ((Role.FINANCE, [1, 2, 3, 4]), (Role.VIEWER, [0, 1, 0, 1])):
        found = (await as_(org, role).data(NODES, ids=ids))["nodes"]
        assert [(each["id"], len(each["changes"])) for each in found] == list(zip(ids, counts, strict=True))


def test_every_amount_and_account_is_a_figure() -> None:
    """By the names that the financial settings have; a table that nobody decided on is figures through and through."""
    assert FINANCIAL_FIELDS["Client"] == {
        *("currency", "default_hourly_rate", "default_mileage_rate", "vat_treatment", "payment_term_days", "iban", "bic"),
        *("invoice_delivery", "buyer_reference", "purchase_order_required", "vat_rate_id", "invoice_layout_id"),
    }
    tables = {table.__name__: table for table in (*Table.__subclasses__(), *Entity.__subclasses__())}
    amounts = ("rate", "price", "amount", "iban", "bic", "currency", "net", "vat", "gross")
    seen = {(kind, name) for kind, hidden in FINANCIAL_FIELDS.items() for name in tables[kind].model_fields if name not in hidden}
    assert {(kind, name) for kind, name in seen if set(name.split("_")) & set(amounts)} == {("Client", "vat_number")}
    assert tables.keys() >= FINANCIAL_FIELDS.keys()


async def test_a_machine_is_no_member(as_: Callable[..., Api], org: Tenant) -> None:
    """Nor is who runs the server; the way it came says which."""
    client = await org.add_client("A")
    await org.add_event("Client", client, {"name": ["B", "A"]}, client_id=client, channel="COMMAND_LINE")
    query = "query ($id: ID!) { client(by: {id: $id}) { activity { nodes { channel at member { name } client { name } } } } }"
    assert (await as_(org).data(query, id=global_id("Client", client)))["client"]["activity"]["nodes"] == [
        {"channel": "COMMAND_LINE", "at": "2026-01-01T00:00:00.000Z", "member": None, "client": {"name": "A"}}
    ]


async def test_another_organization_sees_nothing(as_: Callable[..., Api], org: Tenant) -> None:
    """Neither under its own objects nor by the event's id."""
    client = await org.add_client("A")
    event_id = global_id("ActivityEvent", await org.add_event("Client", client, {"name": ["B", "A"]}, client_id=client))
    other = await tenant(org.owner, "Other")
    await other.add_event("Client", client, {"name": ["X", "Y"]}, client_id=client)
    assert (await as_(org).data(NODES, ids=[event_id]))["nodes"] == [{"id": event_id, "changes": [{"field": "name"}]}]
    assert (await as_(other).data(NODES, ids=[event_id]))["nodes"] == [None]
    assert (await as_(other).data(IDS, id=global_id("Client", client)))["client"] is None
    assert len(await activity(as_(org), global_id("Client", client))) == 1


async def test_what_is_of_no_client_is_not_had_by_its_id(as_: Callable[..., Api], org: Tenant) -> None:
    """Changes of members and tokens are no activity of a client or a contact."""
    ids = [global_id("ActivityEvent", await org.add_event(kind, new_id(), {"name": ["A", "B"]})) for kind in ("Member", "ApiToken")]
    assert (await as_(org).data(NODES, ids=ids))["nodes"] == [None, None]


async def test_an_event_by_its_id_takes_the_right_to_see_clients(as_: Callable[..., Api], org: Tenant) -> None:
    """A token without it is told so."""
    client, secret = await org.add_client("A"), new_secret()
    await add_token(org.owner, org.id, secret, role="OWNER", scope=["FINANCE_READ"])
    ids = [global_id("ActivityEvent", await org.add_event("Client", client, {"name": ["B", "A"]}, client_id=client))]
    body = await replace(as_(org), token=secret).ask(NODES, ids=ids)
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"nodes": None}, ["FORBIDDEN"])


@pytest.mark.parametrize("of", ["client", "contact"])
async def test_events_are_read_page_by_page(as_: Callable[..., Api], org: Tenant, of: str) -> None:
    """The newest first, both ways; a cursor of a client's serves no contact."""
    client = await org.add_client("A")
    person = await org.add_contact("Jansen", client)
    both: dict[str, UUID] = {"client_id": client, "contact_id": person}
    for number in range(5):
        await org.add_event("ClientContact", person, {"position": [None, number]}, **both)
    ids = {"client": f'client(by: {{id: "{global_id("Client", client)}"}})', "contact": f'contact(id: "{global_id("Contact", person)}")'}

    async def page(arguments: str, place: str = of) -> dict[str, Any]:
        shown = "totalCount nodes { changes { to } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }"
        body = await as_(org).ask(f"{{ {ids[place]} {{ activity({arguments}) {{ {shown} }} }} }}")
        result: dict[str, Any] = body["data"][place]["activity"] or body["errors"][0]["extensions"]
        return result

    first = await page("first: 2")
    second = await page(f'first: 2, after: "{first["pageInfo"]["endCursor"]}"')
    back = await page(f'last: 2, before: "{second["pageInfo"]["startCursor"]}"')
    last = await page("last: 1")
    shown = [[each["changes"][0]["to"] for each in found["nodes"]] for found in (first, second, back, last)]
    assert shown == [["4", "3"], ["2", "1"], ["4", "3"], ["0"]]
    assert [found["totalCount"] for found in (first, second, back, last)] == [5, 5, 5, 5]
    assert (second["pageInfo"]["hasNextPage"], last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (True, False, True)
    other = "contact" if of == "client" else "client"
    assert (await page(f'after: "{first["pageInfo"]["endCursor"]}"', other))["code"] == "BAD_USER_INPUT"


async def test_the_activity_of_50_clients_is_one_statement(as_: Callable[..., Api], crowded: Tenant, statements: list[str]) -> None:
    """With the page itself, whatever the number."""
    api = as_(crowded)
    query = "{ clients(first: %d) { nodes { activity { nodes { member { name } changes { to } } } } } }"
    for first in (1, 50):
        for _ in range(2):
            await api.data(query % first)
        statements.clear()
        nodes = (await api.data(query % first))["clients"]["nodes"]
        assert [len(node["activity"]["nodes"]) for node in nodes] == [3] * first
        assert sum("relaties.audit_event" in sent for sent in statements) == 1
        assert len(answering(statements)) == 1
