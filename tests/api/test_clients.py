"""Test the list of clients: search, filters, sorting and pagination in both directions."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.tables import Role
from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant, insert_rows
from tests.support.ids import global_id

CLIENTS_QUERY = """query ($filter: ClientFilterInput, $search: String, $order: ClientOrderInput) {
  clients(filter: $filter, search: $search, orderBy: $order, first: 100) { nodes { name } totalCount } }"""


async def list_names(api: Api, search: str | None = None, order: dict[str, str] | None = None, **filter: object) -> list[str]:
    """Return the names found, in order, after checking the total."""
    connection = (await api.data(CLIENTS_QUERY, filter=filter, search=search, order=order))["clients"]
    assert connection["totalCount"] == len(connection["nodes"])
    return [node["name"] for node in connection["nodes"]]


@pytest.fixture
async def api(org: Tenant, api_for: Callable[..., Api]) -> Api:
    """Create five clients that differ in the searched fields."""
    await org.add_client("Café  Zürich", "0012", kvk_number="12345678", updated_at=datetime(2026, 3, 1, tzinfo=UTC))
    await org.add_client("100% Werk_plaats", "A-7", archived_at=datetime(2026, 1, 1, tzinfo=UTC))
    await org.add_client("Bakker \\ Zoon", None, vat_number="NL123456782B01")
    await org.add_client("bakkerij Åse", "b-12")
    await org.add_client("Zand", "9", created_at=datetime(2025, 1, 1, tzinfo=UTC))
    return api_for(org)


async def test_s02_overview_lists_exactly_the_clients_of_the_organization(
    api_for: Callable[..., Api], api: Api, owner: asyncpg.Connection
) -> None:
    """Archived clients are included, and the total is the number of rows."""
    other = await create_tenant(owner)
    await other.add_client("Theirs")
    assert await list_names(api) == ["100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse", "Café  Zürich", "Zand"]
    assert await list_names(api_for(other)) == ["Theirs"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("cafe zu", ["Café  Zürich"]),
        ("CAFÉ  ZÜR", ["Café  Zürich"]),
        ("ase", ["bakkerij Åse"]),
        ("bakker", ["Bakker \\ Zoon", "bakkerij Åse"]),
        ("  zand ", ["Zand"]),
        ("%", ["100% Werk_plaats"]),
        ("_", ["100% Werk_plaats"]),
        ("\\", ["Bakker \\ Zoon"]),
        ("zürichx", []),
        ("'", []),
    ],
)
async def test_s03_search_finds_within_the_name(api: Api, search: str, expected: list[str]) -> None:
    """Case, accents and repeated spaces are ignored. Special characters of SQL patterns are searched literally."""
    assert await list_names(api, search) == expected


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("12", ["bakkerij Åse", "Café  Zürich"]),
        ("0012", ["Café  Zürich"]),
        ("00012", []),
        ("a-7", ["100% Werk_plaats"]),
        ("B-1", ["bakkerij Åse"]),
    ],
)
async def test_s04_the_same_search_finds_within_the_number_as_text(api: Api, search: str, expected: list[str]) -> None:
    """Leading zeros count: `12` finds `0012`, but `0012` does not find `12`."""
    assert await list_names(api, search) == expected


async def test_s04_blank_search_finds_all_and_search_length_is_limited(api: Api) -> None:
    assert len(await list_names(api, "   ")) == 5
    body = await api.execute(CLIENTS_QUERY, search="x" * 201)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


async def test_s05_active_and_archived_clients_are_disjoint_and_complete(api: Api) -> None:
    active, archived, all_ = [await list_names(api, status=status) for status in ("ACTIVE", "ARCHIVED", "ALL")]
    assert archived == ["100% Werk_plaats"]
    assert not set(active) & set(archived)
    assert sorted(active + archived) == sorted(all_)


async def test_s15_labels_filter_by_any_all_and_none(org: Tenant, api_for: Callable[..., Api]) -> None:
    """The conditions can be combined. A repeated label counts once, and no client has an unknown label."""
    a, b, c = [await org.add_client(name) for name in "ABC"]
    red, blue = await org.add_label("Red", a, b), await org.add_label("Blue", b, c)
    ids = {"red": global_id("Label", red), "blue": global_id("Label", blue), "unknown": global_id("Label", a)}
    cases: list[tuple[dict[str, list[str]], list[str]]] = [
        ({"any": ["red"]}, ["A", "B"]),
        ({"any": ["red", "blue"]}, ["A", "B", "C"]),
        ({"all": ["red", "blue", "red"]}, ["B"]),
        ({"none": ["red"]}, ["C"]),
        ({"any": ["red"], "none": ["blue"]}, ["A"]),
        ({"all": ["unknown"]}, []),
        ({"any": ["unknown"]}, []),
        ({"none": ["unknown"]}, ["A", "B", "C"]),
        ({"any": []}, []),
        ({"all": []}, ["A", "B", "C"]),
    ]
    for labels, expected in cases:
        assert (
            await list_names(api_for(org), labels={kind: [ids[name] for name in label_names] for kind, label_names in labels.items()})
            == expected
        ), labels
    wrong = await api_for(org).execute(CLIENTS_QUERY, filter={"labels": {"any": [global_id("Client", a)]}})
    assert [error["message"] for error in wrong["errors"]] == ["`labels` takes only ids of labels. Send the `id` of each label."]


async def test_s19_filters_by_invoice_contact(org: Tenant, api_for: Callable[..., Api]) -> None:
    """The flag belongs to the link: one contact can be the invoice contact of one client and not of another."""
    with_, without, none = [await org.add_client(name) for name in ("With", "Without", "None")]
    person = await org.add_contact("Jansen", with_, is_invoice_contact=True)
    await insert_rows(org.owner, "client_contact", [_set_invoice_contact(org, without, person)])
    assert await list_names(api_for(org), hasInvoiceContact=True) == ["With"]
    assert await list_names(api_for(org), hasInvoiceContact=False) == ["None", "Without"]
    assert none


def _set_invoice_contact(org: Tenant, client: UUID, contact: UUID) -> dict[str, Any]:
    flags = {"position": 0, "is_invoice_contact": False, "is_primary": False, "recipient": "TO", "is_active": True}
    return {"tenant_id": org.id, "client_id": client, "contact_id": contact, **flags, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}


async def test_filters_by_country_registers_and_change_date(org: Tenant, api: Api) -> None:
    """Only the primary address counts for the country. Several filters must all match."""
    for client, kind, country in ((org.clients[0], "PRIMARY", "BE"), (org.clients[4], "INVOICE", "BE")):
        await insert_rows(org.owner, "client_address", [{"tenant_id": org.id, "client_id": client, "type": kind, "country": country}])
    assert await list_names(api, country="BE") == ["Café  Zürich"]
    assert await list_names(api, kvkNumber="12345678") == ["Café  Zürich"]
    assert await list_names(api, kvkNumber="12345677") == []
    assert await list_names(api, vatNumber="NL123456782B01") == ["Bakker \\ Zoon"]
    assert await list_names(api, updatedSince="2026-03-01T01:00:00+01:00") == ["Café  Zürich"]
    assert await list_names(api, updatedSince="2026-03-01T00:00:00.001Z") == []
    assert await list_names(api, "12", status="ACTIVE", country="BE") == ["Café  Zürich"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("NAME", ["100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse", "Café  Zürich", "Zand"]),
        ("NUMBER", ["Café  Zürich", "Zand", "100% Werk_plaats", "bakkerij Åse", "Bakker \\ Zoon"]),
        ("CREATED_AT", ["Zand", "Café  Zürich", "100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse"]),
        ("UPDATED_AT", ["100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse", "Zand", "Café  Zürich"]),
    ],
)
async def test_sorts_by_each_field_both_ways(api: Api, field: str, expected: list[str]) -> None:
    """Descending is the exact reverse of ascending. Clients without a number come last in ascending order."""
    assert await list_names(api, order={"field": field, "direction": "ASC"}) == expected
    assert await list_names(api, order={"field": field, "direction": "DESC"}) == expected[::-1]


async def test_finds_one_client_by_id_or_number(api: Api, org: Tenant) -> None:
    """The number is matched ignoring case. Exactly one of both must be given."""
    query = "query ($by: ClientLookupInput!) { client(by: $by) { name } }"
    assert await api.data(query, by={"number": "B-12"}) == {"client": {"name": "bakkerij Åse"}}
    assert await api.data(query, by={"number": "12"}) == {"client": None}
    assert await api.data(query, by={"id": global_id("Client", org.clients[4])}) == {"client": {"name": "Zand"}}
    assert await api.data(query, by={"id": global_id("Label", org.clients[4])}) == {"client": None}
    for by in ({}, {"number": "9", "id": global_id("Client", org.clients[4])}, {"number": None}):
        assert "errors" in (await api.post({"query": query, "variables": {"by": by}})).json()


async def test_page_arguments_need_one_direction_and_a_valid_size(api: Api) -> None:
    for arguments in ("first: 1, last: 1", 'first: 1, before: "x"', 'last: 1, after: "x"', "last: 0", "last: 101"):
        body = await api.execute(f"{{ clients({arguments}) {{ nodes {{ name }} }} }}")
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"], arguments


async def test_total_of_clients_is_counted_only_if_requested(api: Api, statements: list[str]) -> None:
    await api.data("{ clients { nodes { name } } }")
    without = sum(statement.startswith("SELECT count") for statement in statements)
    await api.data("{ clients { totalCount } }")
    assert (without, sum(statement.startswith("SELECT count") for statement in statements)) == (0, 1)


async def test_totals_of_a_relation_take_one_statement_for_all_rows(
    api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]
) -> None:
    """Each of the five relations takes one `count(*)`, whatever the page size."""
    query = """{ clients(first: 50) { nodes { contacts(first: 1) { totalCount nodes { clients { totalCount } } } projects { totalCount }
      invoices(first: 1) { totalCount } } } labels { nodes { clients(first: 1) { totalCount } } } }"""
    await api_for(sample_org).data(query)
    statements.clear()
    data = await api_for(sample_org).data(query)
    assert sum("count(*)" in statement for statement in statements) == 5
    assert (
        data["clients"]["nodes"]
        == [
            {
                "contacts": {"totalCount": 3, "nodes": [{"clients": {"totalCount": 1}}]},
                "projects": {"totalCount": 1},
                "invoices": {"totalCount": 2},
            }
        ]
        * 50
    )
    assert [label["clients"]["totalCount"] for label in data["labels"]["nodes"]] == [24] * 5
    assert (await api_for(sample_org, Role.VIEWER).data("{ clients { nodes { invoices { totalCount } } } }"))["clients"]["nodes"][0] == {
        "invoices": None
    }


async def test_labels_are_searched_by_name(org: Tenant, api: Api) -> None:
    """Case and accents are ignored, and the total counts the matches."""
    for name in ("Café", "Fixed price", "Cafetaria"):
        await org.add_label(name)
    query = "query ($search: String) { labels(search: $search) { totalCount nodes { name } } }"
    assert (await api.data(query, search="CAFÉ"))["labels"] == {"totalCount": 2, "nodes": [{"name": "Café"}, {"name": "Cafetaria"}]}
    assert (await api.data(query, search="%"))["labels"] == {"totalCount": 0, "nodes": []}
