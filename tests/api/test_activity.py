"""Test that changes of clients and contacts are recorded field by field, and shown only to callers with permission to read them."""

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
from tests.support.activity import EVENT, activity, event
from tests.support.api import Api
from tests.support.builders import Tenant, add_token, create_tenant
from tests.support.ids import global_id
from tests.support.mutation_inputs import mutation_document
from tests.support.mutations import mutate
from tests.support.queries import data_statements

CONTACT = f"query ($id: ID!) {{ contact(id: $id) {{ activity {{ totalCount nodes {{ {EVENT} }} }} }} }}"
IDS = "query ($id: ID!) { client(by: {id: $id}) { activity { nodes { id } } } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on ActivityEvent { changes { field } } } }"


async def test_creating_and_changing_a_client_is_recorded(api_for: Callable[..., Api], org: Tenant) -> None:
    """A creation lists all fields with a value, a change lists the fields that differ, and a change without effect is not recorded."""
    api = api_for(org)
    addresses = [{"type": "PRIMARY", "city": "Ede", "country": "NL"}]
    key = (await mutate(api, "clientCreate", "client { id }", name="Jansen", addresses=addresses))["id"]
    financial = {"defaultHourlyRate": "95.5", "paymentTermDays": 14}
    general: dict[str, object] = {"kind": "PERSON", "kvkNumber": "68750110", "isProspect": True}
    await mutate(api, "clientUpdate", "client { id }", id=key, expectedVersion=1, **general, financial=financial)
    await mutate(api, "clientUpdate", "client { id }", id=key, expectedVersion=2, kind="PERSON")
    await mutate(api, "clientUpdate", "client { id }", id=key, expectedVersion=2, kvkNumber=None, addresses=[])
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


async def test_linking_a_contact_is_recorded_for_both(api_for: Callable[..., Api], org: Tenant) -> None:
    """The event has the ids of both and shows lists as text. A change of the contact itself is not an event of its clients."""
    client, person = await org.add_client("A"), await org.add_contact("Jansen")
    api, client_id, contact_id = api_for(org), global_id("Client", client), global_id("Contact", person)
    pair = {"clientId": client_id, "contactId": contact_id}
    await mutate(api, "clientContactLink", "client { id }", **pair, link={"roles": ["QUOTE", "INVOICE"]})
    await mutate(
        api, "clientContactUpdate", "client { id }", **pair, expectedVersion=1, link={"roles": ["INVOICE"], "department": "Inkoop"}
    )
    await mutate(api, "contactUpdate", "contact { id }", id=contact_id, expectedVersion=1, jobTitle="Inkoper")
    expected = [
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
    assert await activity(api, client_id) == expected
    own = event("contactUpdate", "CHANGED", "Contact", contact_id, ("jobTitle", None, "Inkoper"))
    assert await activity(api, contact_id, CONTACT) == [own, *expected]


async def test_labelling_is_recorded_for_each_client(api_for: Callable[..., Api], org: Tenant) -> None:
    """The label, not the client, is the object of the event."""
    clients, label = [await org.add_client(name) for name in "AB"], await org.add_label("Rood")
    api, label_id = api_for(org), global_id("Label", label)
    for mutation in ("clientLabelsAdd", "clientLabelsRemove"):
        input_values = {"clientIds": [global_id("Client", key) for key in clients], "labelIds": [label_id]}
        assert (await api.data(mutation_document(mutation), input=input_values))[mutation]["userErrors"] == []
    for key in (global_id("Client", client) for client in clients):
        assert await activity(api, key) == [
            event("clientLabelsRemove", "REMOVED", "ClientLabel", label_id, ("clientId", key, None), ("labelId", label_id, None)),
            event("clientLabelsAdd", "CREATED", "ClientLabel", label_id, ("clientId", None, key), ("labelId", None, label_id)),
        ]


async def test_figures_are_hidden_without_permission_to_read_them(api_for: Callable[..., Api], org: Tenant) -> None:
    """Financial settings, prices and all fields of an invoice are hidden, also when an event is read by id. Events stay visible."""
    client, rate = await org.add_client("A"), new_id()
    figures: dict[str, list[object]] = {"iban": [None, "NL91ABNA0417164300"], "currency": ["EUR", "USD"], "vat_rate_id": [None, str(rate)]}
    await org.add_event("Client", client, {**figures, "name": ["A", "B"]}, client_id=client)
    await org.add_event("Client", client, figures, client_id=client)
    await org.add_event("Project", new_id(), {"hourly_rate": [None, "90"], "code": [None, "P"]}, client_id=client)
    await org.add_event("Invoice", new_id(), {"invoice_date": [None, "2026-01-31"]}, client_id=client)
    key = global_id("Client", client)
    owner, viewer = [await activity(api_for(org, role), key) for role in (Role.FINANCE, Role.VIEWER)]
    all_ = [{"field": "currency", "from": "EUR", "to": "USD"}, {"field": "iban", "from": None, "to": "NL91ABNA0417164300"}]
    name, rate_change = {"field": "name", "from": "A", "to": "B"}, {"field": "vatRateId", "from": None, "to": global_id("VatRate", rate)}
    code, price = {"field": "code", "from": None, "to": "P"}, {"field": "hourlyRate", "from": None, "to": "90"}
    day = {"field": "invoiceDate", "from": None, "to": "2026-01-31"}
    assert [each["changes"] for each in owner] == [[day], [code, price], [*all_, rate_change], [*all_, name, rate_change]]
    assert [each["changes"] for each in viewer] == [[], [code], [], [name]]
    ids = [each["id"] for each in (await api_for(org).data(IDS, id=key))["client"]["activity"]["nodes"]]
    for role, counts in ((Role.FINANCE, [1, 2, 3, 4]), (Role.VIEWER, [0, 1, 0, 1])):
        nodes = (await api_for(org, role).data(NODES, ids=ids))["nodes"]
        assert [(each["id"], len(each["changes"])) for each in nodes] == list(zip(ids, counts, strict=True))


def test_every_amount_and_account_counts_as_a_figure() -> None:
    """Such fields are found by the words in their names. In a type that `FINANCIAL_FIELDS` does not list, every field is a figure."""
    assert FINANCIAL_FIELDS["Client"] == {
        *("currency", "default_hourly_rate", "default_mileage_rate", "vat_treatment", "payment_term_days", "iban", "bic"),
        *("invoice_delivery", "buyer_reference", "purchase_order_required", "vat_rate_id", "invoice_layout_id"),
    }
    tables = {table.__name__: table for table in (*Table.__subclasses__(), *Entity.__subclasses__())}
    amounts = ("rate", "price", "amount", "iban", "bic", "currency", "net", "vat", "gross")
    visible_fields = {
        (kind, name) for kind, hidden_names in FINANCIAL_FIELDS.items() for name in tables[kind].model_fields if name not in hidden_names
    }
    assert {(kind, name) for kind, name in visible_fields if set(name.split("_")) & set(amounts)} == {("Client", "vat_number")}
    assert tables.keys() >= FINANCIAL_FIELDS.keys()


async def test_event_of_the_command_line_has_no_member(api_for: Callable[..., Api], org: Tenant) -> None:
    client = await org.add_client("A")
    await org.add_event("Client", client, {"name": ["B", "A"]}, client_id=client, channel="COMMAND_LINE")
    query = "query ($id: ID!) { client(by: {id: $id}) { activity { nodes { channel at member { name } client { name } } } } }"
    assert (await api_for(org).data(query, id=global_id("Client", client)))["client"]["activity"]["nodes"] == [
        {"channel": "COMMAND_LINE", "at": "2026-01-01T00:00:00.000Z", "member": None, "client": {"name": "A"}}
    ]


async def test_another_organization_reads_no_events(api_for: Callable[..., Api], org: Tenant) -> None:
    """Events are neither listed under its own objects nor readable by their ids."""
    client = await org.add_client("A")
    event_id = global_id("ActivityEvent", await org.add_event("Client", client, {"name": ["B", "A"]}, client_id=client))
    other = await create_tenant(org.owner, "Other")
    await other.add_event("Client", client, {"name": ["X", "Y"]}, client_id=client)
    assert (await api_for(org).data(NODES, ids=[event_id]))["nodes"] == [{"id": event_id, "changes": [{"field": "name"}]}]
    assert (await api_for(other).data(NODES, ids=[event_id]))["nodes"] == [None]
    assert (await api_for(other).data(IDS, id=global_id("Client", client)))["client"] is None
    assert len(await activity(api_for(org), global_id("Client", client))) == 1


async def test_events_of_members_and_tokens_are_not_readable_by_id(api_for: Callable[..., Api], org: Tenant) -> None:
    ids = [global_id("ActivityEvent", await org.add_event(kind, new_id(), {"name": ["A", "B"]})) for kind in ("Member", "ApiToken")]
    assert (await api_for(org).data(NODES, ids=ids))["nodes"] == [None, None]


async def test_token_without_permission_to_read_clients_cannot_read_an_event_by_id(api_for: Callable[..., Api], org: Tenant) -> None:
    client, secret = await org.add_client("A"), new_secret()
    await add_token(org.owner, org.id, secret, role="OWNER", scope=["FINANCE_READ"])
    ids = [global_id("ActivityEvent", await org.add_event("Client", client, {"name": ["B", "A"]}, client_id=client))]
    body = await replace(api_for(org), token=secret).execute(NODES, ids=ids)
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"nodes": None}, ["FORBIDDEN"])


@pytest.mark.parametrize("object_type", ["client", "contact"])
async def test_events_are_paginated(api_for: Callable[..., Api], org: Tenant, object_type: str) -> None:
    """Pages list the newest event first, in both directions. A cursor of a client's events is rejected for a contact."""
    client = await org.add_client("A")
    person = await org.add_contact("Jansen", client)
    both: dict[str, UUID] = {"client_id": client, "contact_id": person}
    for number in range(5):
        await org.add_event("ClientContact", person, {"position": [None, number]}, **both)
    ids = {"client": f'client(by: {{id: "{global_id("Client", client)}"}})', "contact": f'contact(id: "{global_id("Contact", person)}")'}

    async def page(arguments: str, node_type: str = object_type) -> dict[str, Any]:
        selection = "totalCount nodes { changes { to } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }"
        body = await api_for(org).execute(f"{{ {ids[node_type]} {{ activity({arguments}) {{ {selection} }} }} }}")
        result: dict[str, Any] = body["data"][node_type]["activity"] or body["errors"][0]["extensions"]
        return result

    first = await page("first: 2")
    second = await page(f'first: 2, after: "{first["pageInfo"]["endCursor"]}"')
    back = await page(f'last: 2, before: "{second["pageInfo"]["startCursor"]}"')
    last = await page("last: 1")
    values_by_page = [[each["changes"][0]["to"] for each in connection["nodes"]] for connection in (first, second, back, last)]
    assert values_by_page == [["4", "3"], ["2", "1"], ["4", "3"], ["0"]]
    assert [connection["totalCount"] for connection in (first, second, back, last)] == [5, 5, 5, 5]
    assert (second["pageInfo"]["hasNextPage"], last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (True, False, True)
    other = "contact" if object_type == "client" else "client"
    assert (await page(f'after: "{first["pageInfo"]["endCursor"]}"', other))["code"] == "BAD_USER_INPUT"


async def test_activity_of_50_clients_takes_one_statement(api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]) -> None:
    """The page of clients and their events are read by one statement together."""
    api = api_for(sample_org)
    query = "{ clients(first: %d) { nodes { activity { nodes { member { name } changes { to } } } } } }"
    for first in (1, 50):
        for _ in range(2):
            await api.data(query % first)
        statements.clear()
        nodes = (await api.data(query % first))["clients"]["nodes"]
        assert [len(node["activity"]["nodes"]) for node in nodes] == [3] * first
        assert sum("relaties.audit_event" in statement for statement in statements) == 1
        assert len(data_statements(statements)) == 1
