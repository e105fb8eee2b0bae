"""Test reading the quotes and portals of clients, and who may read them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant, create_tenant, insert_rows
from tests.support.ids import global_id
from tests.support.queries import data_statements

AMOUNT = "{ amount currency }"
QUOTE = f"""id number status issuedOn validUntil currency net {AMOUNT} vat {AMOUNT} gross {AMOUNT} reference createdAt updatedAt version
  client {{ name }}
  lines {{ position description quantity unitPrice {AMOUNT} vatPercentage net {AMOUNT} vat {AMOUNT} project {{ name }} }}"""
PORTAL = """id name language showsDescriptions showsRates showsBudget showsInvoices showsQuotes takesApproval isOpen closedAt
  createdAt updatedAt version client { name } projects { name } contacts { fullName }"""
QUOTES = f"query ($id: ID!, $first: Int) {{ client(by: {{id: $id}}) {{ quotes(first: $first) {{ totalCount nodes {{ {QUOTE} }} }} }} }}"
PORTALS = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ portals {{ {PORTAL} }} }} }}"
MOMENT = "2026-01-01T00:00:00.000Z"


def in_dollars(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


async def test_s33_quote_is_read_as_stored(api_for: Callable[..., Api], org: Tenant) -> None:
    """Lines are sorted by position, in the quote's currency. The client and the id give the same quote."""
    client = await org.add_client("Bakker")
    project = await org.add_project(client, "Verbouwing")
    key = await org.add_quote(client, "100.00", currency="USD", number="OFF-1", valid_until=date(2026, 2, 4), reference="PO 1")
    more = {"tenant_id": org.id, "id": new_id(), "quote_id": key, "position": 0, "description": "Eerst", "quantity": Decimal("2.5")}
    of_vat = {"vat_percentage": Decimal(9), "vat_category": "S", "net": Decimal("25.25"), "vat": Decimal("2.27")}
    await insert_rows(org.owner, "quote_line", [{**more, "unit_price": Decimal("10.10"), **of_vat, "project_id": project}])
    first = {"position": 0, "description": "Eerst", "quantity": "2.5000", "unitPrice": in_dollars("10.1000"), "vatPercentage": "9.00"}
    last = {"position": 1, "description": "Work", "quantity": "1.0000", "unitPrice": in_dollars("100.0000"), "vatPercentage": "21.00"}
    expected = {
        "id": global_id("Quote", key), "number": "OFF-1", "status": "SENT", "issuedOn": "2026-01-05", "validUntil": "2026-02-04",
        "currency": "USD", "net": in_dollars("100.00"), "vat": in_dollars("21.00"), "gross": in_dollars("121.00"),
        "reference": "PO 1", "createdAt": MOMENT, "updatedAt": MOMENT, "version": 1, "client": {"name": "Bakker"},
        "lines": [
            {**first, "net": in_dollars("25.25"), "vat": in_dollars("2.27"), "project": {"name": "Verbouwing"}},
            {**last, "net": in_dollars("100.00"), "vat": in_dollars("21.00"), "project": None},
        ],
    }  # fmt: skip
    api = api_for(org, Role.FINANCE)
    assert (await api.data(QUOTES, id=global_id("Client", client)))["client"]["quotes"] == {"totalCount": 1, "nodes": [expected]}
    by_id = f"query ($id: ID!) {{ node(id: $id) {{ ... on Quote {{ {QUOTE} }} }} }}"
    assert await api.data(by_id, id=expected["id"]) == {"node": expected}


async def test_quotes_are_listed_newest_first(api_for: Callable[..., Api], org: Tenant) -> None:
    """Pages have a total. A draft has neither a number nor a day."""
    client = await org.add_client("A")
    for number in range(3):
        await org.add_quote(client, number=f"OFF-{number}")
    await org.add_quote(client, number=None, quote_date=None, status="DRAFT")
    await org.add_quote(await org.add_client("B"))
    query = """query ($id: ID!, $after: String) { client(by: {id: $id}) { quotes(first: 2, after: $after) { totalCount
      nodes { number status issuedOn } pageInfo { hasNextPage endCursor } } } }"""
    page = (await api_for(org).data(query, id=global_id("Client", client)))["client"]["quotes"]
    draft = {"number": None, "status": "DRAFT", "issuedOn": None}
    assert (page["totalCount"], page["nodes"]) == (4, [draft, {"number": "OFF-2", "status": "SENT", "issuedOn": "2026-01-05"}])
    rest = (await api_for(org).data(query, id=global_id("Client", client), after=page["pageInfo"]["endCursor"]))["client"]["quotes"]
    assert ([node["number"] for node in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (["OFF-1", "OFF-0"], False)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_quotes_require_permission_to_read_figures(api_for: Callable[..., Api], org: Tenant, role: Role) -> None:
    """Other members get null, under the client and by id."""
    client = await org.add_client("A")
    quote = await org.add_quote(client)
    assert await api_for(org, role).data(QUOTES, id=global_id("Client", client)) == {"client": {"quotes": None}}
    assert await api_for(org, role).data("query ($id: ID!) { node(id: $id) { id } }", id=global_id("Quote", quote)) == {"node": None}


@pytest.mark.parametrize("role", Role)
async def test_s33_portal_is_read_as_stored(api_for: Callable[..., Api], org: Tenant, role: Role) -> None:
    """Readers of the client see its settings, projects and contacts, also by id. A closed portal has its closing time."""
    client = await org.add_client("Bakker")
    projects = [await org.add_project(client, name) for name in ("Oud", "Nieuw", "Ongezien")]
    people = [await org.add_contact(name, client) for name in ("Zwart", "Bakker", "Nooit")]
    flags = {"shows_rates": True, "shows_budget": True, "shows_quotes": False, "takes_approval": True}
    key = await org.add_portal(client, *people[:2], projects=projects[:2], name="Voor de bouw", language="fr", **flags)
    closed = await org.add_portal(client, name="Dicht", closed_at=CREATED_AT)
    shared_fields = {"showsDescriptions": True, "showsInvoices": True, "createdAt": MOMENT, "updatedAt": MOMENT, "version": 1}
    expected = {
        "id": global_id("ClientPortal", key), "name": "Voor de bouw", "language": "fr", **shared_fields,
        "showsRates": True, "showsBudget": True, "showsQuotes": False, "takesApproval": True, "isOpen": True,
        "closedAt": None, "client": {"name": "Bakker"},
        "projects": [{"name": "Nieuw"}, {"name": "Oud"}], "contacts": [{"fullName": "An Bakker"}, {"fullName": "An Zwart"}],
    }  # fmt: skip
    api = api_for(org, role)
    newest, oldest = (await api.data(PORTALS, id=global_id("Client", client)))["client"]["portals"]
    assert oldest == expected
    assert (newest["id"], newest["isOpen"], newest["closedAt"]) == (global_id("ClientPortal", closed), False, MOMENT)
    assert (newest["projects"], newest["contacts"]) == ([], [])
    by_id = f"query ($id: ID!) {{ node(id: $id) {{ ... on ClientPortal {{ {PORTAL} }} }} }}"
    assert await api.data(by_id, id=expected["id"]) == {"node": expected}


async def test_contact_removed_from_a_client_loses_its_portals(api_for: Callable[..., Api], org: Tenant) -> None:
    """Linking the contact again does not restore the access."""
    client = await org.add_client("A")
    people = [await org.add_contact(name, client) for name in "AB"]
    await org.add_portal(client, *people)
    pair = {"clientId": global_id("Client", client), "contactId": global_id("Contact", people[0])}
    selection = "client { portals { contacts { fullName } } } userErrors { code }"
    for mutation, version in (("Unlink", {"expectedVersion": 1}), ("Link", {})):
        query = f"mutation ($input: ClientContact{mutation}Input!) {{ done: clientContact{mutation}(input: $input) {{ {selection} }} }}"
        payload = (await api_for(org).data(query, input=pair | version))["done"]
        assert payload == {"client": {"portals": [{"contacts": [{"fullName": "An B"}]}]}, "userErrors": []}


async def test_portals_and_their_parts_are_limited(api_for: Callable[..., Api], org: Tenant) -> None:
    """A client shows its newest 20 portals. A portal shows its newest 100 projects and the first 100 contacts by name."""
    client = await org.add_client("A")
    projects = [await org.add_project(client, f"{number:03}") for number in range(101)]
    people = [await org.add_contact(f"{number:03}", client, position=number) for number in range(101)]
    for number in range(20):
        await org.add_portal(client, name=f"{number:02}")
    await org.add_portal(client, *people, projects=projects, name="20")
    query = "query ($id: ID!) { client(by: {id: $id}) { portals { name projects { name } contacts { fullName } } } }"
    portals = (await api_for(org).data(query, id=global_id("Client", client)))["client"]["portals"]
    assert [portal["name"] for portal in portals] == [f"{number:02}" for number in range(20, 0, -1)]
    assert [project["name"] for project in portals[0]["projects"]] == [f"{number:03}" for number in range(100, 0, -1)]
    assert [contact["fullName"] for contact in portals[0]["contacts"]] == [f"An {number:03}" for number in range(100)]


async def test_quotes_and_portals_of_many_clients_take_two_statements(
    api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]
) -> None:
    """One reads clients with quotes, totals and portals, the other lines, projects and contacts, for any number of clients."""
    query = """query ($first: Int) { clients(first: $first) { nodes { quotes(first: 1) { totalCount nodes { number lines { position } } }
      portals { name projects { name } contacts { fullName } } } } }"""
    for first in (1, 60):
        for _ in range(2):
            await api_for(sample_org).data(query, first=first)
        statements.clear()
        nodes = (await api_for(sample_org).data(query, first=first))["clients"]["nodes"]
        assert len(data_statements(statements)) == 2
        assert [(len(each["quotes"]["nodes"][0]["lines"]), len(each["portals"][0]["contacts"])) for each in nodes] == [(1, 1)] * first


async def test_t1_quotes_and_portals_of_another_organization_are_not_found(api_for: Callable[..., Api], org: Tenant) -> None:
    """The answer is the same as for unknown ids."""
    other = await create_tenant(org.owner, "Other")
    client = await other.add_client("Van hen")
    keys = [global_id("Quote", await other.add_quote(client)), global_id("ClientPortal", await other.add_portal(client))]
    unknown_ids = [global_id(kind, new_id()) for kind in ("Quote", "ClientPortal")]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await api_for(org).data(query, ids=keys) == await api_for(org).data(query, ids=unknown_ids) == {"nodes": [None, None]}
    assert await api_for(other).data(query, ids=keys) == {"nodes": [{"id": key} for key in keys]}
