"""Test that every field and relation of a client can be read, also back from its contacts and labels."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import Tenant, insert_rows, version_columns
from tests.support.ids import global_id
from tests.support.queries import data_statements


@pytest.fixture
async def full_client(org: Tenant) -> Tenant:
    """Create a client with all general and financial fields, a VAT rate, a layout and two addresses."""
    rate, layout = new_id(), new_id()
    name_columns = {"tenant_id": org.id, "is_active": True, **version_columns()}
    await insert_rows(
        org.owner, "vat_rate", [{**name_columns, "id": rate, "name": "Hoog", "country": "NL", "percentage": Decimal(21), "category": "S"}]
    )
    await insert_rows(
        org.owner,
        "invoice_layout",
        [{**name_columns, "id": layout, "name": "Eigen", "language": "nl", "template": "x", "is_default": False}],
    )
    general = {"phone": "+31 10 555 0100", "email": "a@b.example", "website": "https://b.example", "language": "nl", "notes": "Belt graag."}
    numbers = {"kvk_number": "12345678", "kvk_branch_number": "000012345678", "kbo_number": "0123456749", "vat_number": "NL123456782B01"}
    money = {"default_hourly_rate": Decimal("95.5"), "currency": "USD", "payment_term_days": 14, "iban": "NL91ABNA0417164300"}
    links = {"vat_rate_id": rate, "invoice_layout_id": layout, "vat_treatment": "DOMESTIC"}
    client = await org.add_client("Rijk", "0012", **general, **numbers, **money, **links)
    for kind, city in (("PRIMARY", "Ede"), ("INVOICE", "Gent")):
        await insert_rows(
            org.owner, "client_address", [{"tenant_id": org.id, "client_id": client, "type": kind, "city": city, "country": "NL"}]
        )
    return org


async def fetch_client(api: Api, selection: str) -> dict[str, Any]:
    client_data: dict[str, Any] = (await api.data(f'{{ client(by: {{number: "0012"}}) {{ {selection} }} }}'))["client"]
    return client_data


async def test_s10_every_general_field_is_read_as_stored(api_for: Callable[..., Api], full_client: Tenant) -> None:
    """A viewer can read all of them."""
    expected = {
        "name": "Rijk", "number": "0012", "kind": "COMPANY", "phone": "+31 10 555 0100", "email": "a@b.example", "website": "https://b.example",
        "language": "nl", "notes": "Belt graag.", "kvkNumber": "12345678", "kvkBranchNumber": "000012345678", "kboNumber": "0123456749",
        "vatNumber": "NL123456782B01", "isProspect": False, "isArchived": False, "archivedAt": None, "version": 1,
    }  # fmt: skip
    api = api_for(full_client, Role.VIEWER)
    assert await fetch_client(api, " ".join(expected)) == expected
    client_data = await fetch_client(api, "address { city country line1 } addresses { type city }")
    assert client_data["address"] == {"city": "Ede", "country": "NL", "line1": None}
    assert client_data["addresses"] == [{"type": "INVOICE", "city": "Gent"}, {"type": "PRIMARY", "city": "Ede"}]


FINANCIAL = """financial { currency defaultHourlyRate { amount currency } defaultMileageRate { amount } vatTreatment paymentTermDays
  iban bic vatRate { name percentage category } invoiceLayout { name } invoiceDelivery purchaseOrderRequired }"""


async def test_financial_settings_require_permission_to_read_figures(api_for: Callable[..., Api], full_client: Tenant) -> None:
    """Other members get null for them and for invoices. Rates are in the client's currency."""
    assert (await fetch_client(api_for(full_client, Role.FINANCE), FINANCIAL))["financial"] == {
        "currency": "USD",
        "defaultHourlyRate": {"amount": "95.5000", "currency": "USD"},
        "defaultMileageRate": None,
        "vatTreatment": "DOMESTIC",
        "paymentTermDays": 14,
        "iban": "NL91ABNA0417164300",
        "bic": None,
        "vatRate": {"name": "Hoog", "percentage": "21.00", "category": "STANDARD"},
        "invoiceLayout": {"name": "Eigen"},
        "invoiceDelivery": "EMAIL",
        "purchaseOrderRequired": False,
    }
    for role in (Role.MEMBER, Role.VIEWER):
        assert await fetch_client(api_for(full_client, role), "financial { iban } invoices { nodes { id } }") == {
            "financial": None,
            "invoices": None,
        }


async def test_project_prices_require_permission_to_read_figures(api_for: Callable[..., Api], full_client: Tenant) -> None:
    """Prices are in the client's currency. The invoice reference is not a figure."""
    row = {
        "tenant_id": full_client.id,
        "id": new_id(),
        "client_id": full_client.clients[0],
        "name": "P",
        "invoice_method": "PROJECT_HOURLY",
    }
    await insert_rows(
        full_client.owner, "project", [{**row, "hourly_rate": Decimal("99.5"), "invoice_reference": "PO 1", **version_columns()}]
    )
    selection = "projects { nodes { invoiceReference financial { currency hourlyRate { amount currency } fixedPrice { amount } } } }"
    prices = {"currency": "USD", "hourlyRate": {"amount": "99.5000", "currency": "USD"}, "fixedPrice": None}
    for role, financial in ((Role.FINANCE, prices), (Role.MEMBER, None)):
        assert (await fetch_client(api_for(full_client, role), selection))["projects"]["nodes"] == [
            {"invoiceReference": "PO 1", "financial": financial}
        ]


async def test_s19_link_has_the_data_of_the_contact_at_the_client(api_for: Callable[..., Api], full_client: Tenant) -> None:
    """Both sides show the same link. Notes and `isActive` of the contact are its own, not the link's."""
    person = await full_client.add_contact("Jansen", full_client.clients[0], is_invoice_contact=True)
    change = "UPDATE relaties.client_contact SET roles = '{INVOICE,REMINDER}', recipient = 'CC', is_active = false WHERE contact_id = $1"
    await full_client.owner.execute(change, person)
    await full_client.owner.execute("UPDATE relaties.contact SET notes = 'Belt terug.' WHERE id = $1", person)
    link = {"isInvoiceContact": True, "roles": ["INVOICE", "REMINDER"], "recipient": "CC", "isActive": False}
    there = f"contacts {{ edges {{ {' '.join(link)} node {{ notes isActive clients {{ edges {{ {' '.join(link)} }} }} }} }} }}"
    assert (await fetch_client(api_for(full_client, Role.VIEWER), there))["contacts"]["edges"] == [
        {**link, "node": {"notes": "Belt terug.", "isActive": True, "clients": {"edges": [link]}}}
    ]


async def test_figures_are_not_readable_by_id_without_permission(api_for: Callable[..., Api], full_client: Tenant) -> None:
    """VAT rates, layouts and invoices count as figures."""
    invoice = await full_client.add_invoice(full_client.clients[0], date(2026, 1, 1), "10.00")
    rate, layout = [
        await full_client.owner.fetchval(f"SELECT id FROM relaties.{table} WHERE tenant_id = $1", full_client.id)
        for table in ("vat_rate", "invoice_layout")
    ]
    ids = [global_id(kind, key) for kind, key in (("VatRate", rate), ("InvoiceLayout", layout), ("Invoice", invoice))]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await api_for(full_client, Role.VIEWER).data(query, ids=ids) == {"nodes": [None] * 3}
    assert await api_for(full_client, Role.FINANCE).data(query, ids=ids) == {"nodes": [{"id": key} for key in ids]}


async def test_projects_and_invoices_are_listed_newest_first_on_each_page(api_for: Callable[..., Api], full_client: Tenant) -> None:
    for number in range(3):
        await full_client.add_invoice(full_client.clients[0], date(2026, 1, 1 + number), "10.00", number=f"F{number}")
        row = {
            "tenant_id": full_client.id,
            "id": new_id(),
            "client_id": full_client.clients[0],
            "name": f"P{number}",
            "invoice_method": "NONE",
        }
        await insert_rows(full_client.owner, "project", [{**row, **version_columns()}])
    api = api_for(full_client)
    client_data = await fetch_client(
        api, "projects(first: 2) { nodes { name isArchived } pageInfo { hasNextPage } } invoices { nodes { number gross { amount } } }"
    )
    assert client_data["projects"] == {"nodes": [{"name": f"P{n}", "isArchived": False} for n in (2, 1)], "pageInfo": {"hasNextPage": True}}
    assert client_data["invoices"]["nodes"] == [{"number": f"F{n}", "gross": {"amount": "12.10"}} for n in (2, 1, 0)]
    end = (await fetch_client(api, "invoices(first: 2) { pageInfo { endCursor } }"))["invoices"]["pageInfo"]["endCursor"]
    assert (await fetch_client(api, f'invoices(first: 2, after: "{end}") {{ nodes {{ number }} }}'))["invoices"]["nodes"] == [
        {"number": "F0"}
    ]
    last = await fetch_client(api, "invoices(last: 1) { nodes { number } pageInfo { hasPreviousPage } }")
    assert last["invoices"] == {"nodes": [{"number": "F0"}], "pageInfo": {"hasPreviousPage": True}}


async def test_s14_clients_have_labels_and_labels_have_clients(api_for: Callable[..., Api], org: Tenant) -> None:
    a, b = await org.add_client("A", "0012"), await org.add_client("B")
    await org.add_label("Rood", a, b)
    await org.add_label("Blauw", a)
    assert (await fetch_client(api_for(org), "labels { name }"))["labels"] == [{"name": "Blauw"}, {"name": "Rood"}]
    data = await api_for(org).data("{ labels { totalCount nodes { name clients { nodes { name } } } } }")
    assert data["labels"] == {
        "totalCount": 2,
        "nodes": [
            {"name": "Blauw", "clients": {"nodes": [{"name": "A"}]}},
            {"name": "Rood", "clients": {"nodes": [{"name": "A"}, {"name": "B"}]}},
        ],
    }


async def test_s20_a_shared_contact_is_the_same_under_each_client(api_for: Callable[..., Api], org: Tenant) -> None:
    """The contact has one id under both clients, and each link has its own data."""
    a, b = await org.add_client("A"), await org.add_client("B")
    person = await org.add_contact("Jansen", a, b, is_invoice_contact=True)
    await org.owner.execute("UPDATE relaties.client_contact SET is_invoice_contact = false, position = 3 WHERE client_id = $1", b)
    data = await api_for(org).data("{ clients { nodes { contacts { edges { position isInvoiceContact node { id } } } } } }")
    links = [node["contacts"]["edges"] for node in data["clients"]["nodes"]]
    assert links == [
        [{"position": 0, "isInvoiceContact": True, "node": {"id": global_id("Contact", person)}}],
        [{"position": 3, "isInvoiceContact": False, "node": {"id": global_id("Contact", person)}}],
    ]
    query = "query ($id: ID!) { contact(id: $id) { fullName clients { edges { position isInvoiceContact node { name } } } } }"
    back = (await api_for(org).data(query, id=global_id("Contact", person)))["contact"]
    assert back["fullName"] == "An Jansen"
    assert back["clients"]["edges"] == [
        {"position": 0, "isInvoiceContact": True, "node": {"name": "A"}},
        {"position": 3, "isInvoiceContact": False, "node": {"name": "B"}},
    ]


async def test_contacts_are_listed_and_searched_by_name(api_for: Callable[..., Api], org: Tenant) -> None:
    """Both directions work, and the total counts all matches."""
    client = await org.add_client("A")
    for name in ("Çelik", "Bos", "de Boer"):
        await org.add_contact(name, client)
    query = "query ($search: String, $last: Int) { contacts(search: $search, last: $last) { totalCount nodes { lastName } } }"
    api = api_for(org)
    names = [
        [node["lastName"] for node in (await api.data(query, **arguments))["contacts"]["nodes"]]
        for arguments in ({}, {"search": "celi"}, {"last": 2})
    ]
    assert names == [["Bos", "Çelik", "de Boer"], ["Çelik"], ["Çelik", "de Boer"]]
    assert (await api.data(query, search="BO"))["contacts"]["totalCount"] == 2


async def test_repeated_deep_query_takes_three_statements(api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]) -> None:
    """The number of statements does not depend on the number of clients."""
    query = """{ clients(first: 50) { nodes { addresses { city } financial { iban } projects { nodes { id } } invoices { nodes { id } }
      labels { id } revenue { since }
      contacts(first: 1) { nodes { clients(first: 1) { nodes { labels { clients(first: 1) { nodes { id } } } } } } } } } }"""
    api = api_for(sample_org)
    for _ in range(3):
        statements.clear()
        await api.data(query)
    assert len(data_statements(statements)) == 3


async def test_nodes_keep_their_order_and_are_limited_to_100_ids(api_for: Callable[..., Api], sample_org: Tenant) -> None:
    """The entry of an unknown id is null."""
    ids = [global_id("Client", sample_org.clients[3]), global_id("Client", new_id()), global_id("Contact", sample_org.contacts[0])]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    response_body = await api_for(sample_org).execute(query, ids=ids)
    assert response_body["data"]["nodes"] == [{"__typename": "Client", "id": ids[0]}, None, {"__typename": "Contact", "id": ids[2]}]
    body = await api_for(sample_org).execute(query, ids=[ids[0]] * 101)
    assert [error["message"] for error in body["errors"]] == ["`$ids` has 101 entries; a list has at most 100. Send several requests."]
