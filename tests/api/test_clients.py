"""The overview of clients: search, filters, orders, both ways through the pages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.tables import Role
from tests.ask import Api
from tests.builders import Tenant, insert, tenant
from tests.ids import global_id

ASK = """query ($filter: ClientFilterInput, $search: String, $order: ClientOrderInput) {
  clients(filter: $filter, search: $search, orderBy: $order, first: 100) { nodes { name } totalCount } }"""


async def names(api: Api, search: str | None = None, order: dict[str, str] | None = None, **filter: object) -> list[str]:
    """The names found, in order; the count agrees."""
    found = (await api.data(ASK, filter=filter, search=search, order=order))["clients"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["name"] for node in found["nodes"]]


@pytest.fixture
async def own(org: Tenant, as_: Callable[..., Api]) -> Api:
    """Five clients to find."""
    await org.add_client("Café  Zürich", "0012", kvk_number="12345678", updated_at=datetime(2026, 3, 1, tzinfo=UTC))
    await org.add_client("100% Werk_plaats", "A-7", archived_at=datetime(2026, 1, 1, tzinfo=UTC))
    await org.add_client("Bakker \\ Zoon", None, vat_number="NL123456782B01")
    await org.add_client("bakkerij Åse", "b-12")
    await org.add_client("Zand", "9", created_at=datetime(2025, 1, 1, tzinfo=UTC))
    return as_(org)


async def test_s02_the_overview_lists_all_clients_of_the_organization_and_no_others(
    as_: Callable[..., Api], own: Api, owner: asyncpg.Connection
) -> None:
    """Archived ones too; the total is the number of rows."""
    other = await tenant(owner)
    await other.add_client("Theirs")
    assert await names(own) == ["100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse", "Café  Zürich", "Zand"]
    assert await names(as_(other)) == ["Theirs"]


@pytest.mark.parametrize(
    ("search", "found"),
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
async def test_s03_search_finds_within_the_name(own: Api, search: str, found: list[str]) -> None:
    """Without regard to capitals, accents and surplus blanks; what means more to SQL means itself."""
    assert await names(own, search) == found


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("12", ["bakkerij Åse", "Café  Zürich"]),
        ("0012", ["Café  Zürich"]),
        ("00012", []),
        ("a-7", ["100% Werk_plaats"]),
        ("B-1", ["bakkerij Åse"]),
    ],
)
async def test_s04_the_same_search_finds_within_the_number_as_text(own: Api, search: str, found: list[str]) -> None:
    """`12` finds `0012`, and `0012` does not find `12`."""
    assert await names(own, search) == found


async def test_s04_a_search_of_blanks_searches_for_nothing_and_has_a_length(own: Api) -> None:
    """All are found; two hundred characters at most."""
    assert len(await names(own, "   ")) == 5
    body = await own.ask(ASK, search="x" * 201)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


async def test_s05_active_and_archived_are_disjoint_and_together_all(own: Api) -> None:
    """Each filter its set."""
    active, archived, all_ = [await names(own, status=status) for status in ("ACTIVE", "ARCHIVED", "ALL")]
    assert archived == ["100% Werk_plaats"]
    assert not set(active) & set(archived)
    assert sorted(active + archived) == sorted(all_)


async def test_s15_labels_filter_any_all_and_none_of(org: Tenant, as_: Callable[..., Api]) -> None:
    """Alone and together; a label named twice counts once; an unknown one is had by nobody."""
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
    for labels, found in cases:
        assert await names(as_(org), labels={kind: [ids[name] for name in given] for kind, given in labels.items()}) == found, labels
    wrong = await as_(org).ask(ASK, filter={"labels": {"any": [global_id("Client", a)]}})
    assert [error["message"] for error in wrong["errors"]] == ["`labels` takes ids of labels."]


async def test_s19_clients_with_and_without_a_contact_for_invoices(org: Tenant, as_: Callable[..., Api]) -> None:
    """The flag is of the link, so of each client by itself."""
    with_, without, none = [await org.add_client(name) for name in ("With", "Without", "None")]
    person = await org.add_contact("Jansen", with_, is_invoice_contact=True)
    await insert(org.owner, "client_contact", [_link(org, without, person)])
    assert await names(as_(org), hasInvoiceContact=True) == ["With"]
    assert await names(as_(org), hasInvoiceContact=False) == ["None", "Without"]
    assert none


def _link(org: Tenant, client: UUID, contact: UUID) -> dict[str, Any]:
    flags = {"position": 0, "is_invoice_contact": False, "is_primary": False, "recipient": "TO", "is_active": True}
    return {"tenant_id": org.id, "client_id": client, "contact_id": contact, **flags, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}


async def test_filters_by_country_registers_and_change(org: Tenant, own: Api) -> None:
    """Equal numbers, the primary address alone, and from a moment on; all that is given holds."""
    for client, kind, country in ((org.clients[0], "PRIMARY", "BE"), (org.clients[4], "INVOICE", "BE")):
        await insert(org.owner, "client_address", [{"tenant_id": org.id, "client_id": client, "type": kind, "country": country}])
    assert await names(own, country="BE") == ["Café  Zürich"]
    assert await names(own, kvkNumber="12345678") == ["Café  Zürich"]
    assert await names(own, kvkNumber="12345677") == []
    assert await names(own, vatNumber="NL123456782B01") == ["Bakker \\ Zoon"]
    assert await names(own, updatedSince="2026-03-01T01:00:00+01:00") == ["Café  Zürich"]
    assert await names(own, updatedSince="2026-03-01T00:00:00.001Z") == []
    assert await names(own, "12", status="ACTIVE", country="BE") == ["Café  Zürich"]


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("NAME", ["100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse", "Café  Zürich", "Zand"]),
        ("NUMBER", ["Café  Zürich", "Zand", "100% Werk_plaats", "bakkerij Åse", "Bakker \\ Zoon"]),
        ("CREATED_AT", ["Zand", "Café  Zürich", "100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse"]),
        ("UPDATED_AT", ["100% Werk_plaats", "Bakker \\ Zoon", "bakkerij Åse", "Zand", "Café  Zürich"]),
    ],
)
async def test_orders(own: Api, field: str, wanted: list[str]) -> None:
    """Each both ways, exactly reversed; without a number comes last."""
    assert await names(own, order={"field": field, "direction": "ASC"}) == wanted
    assert await names(own, order={"field": field, "direction": "DESC"}) == wanted[::-1]


async def test_one_client_by_id_or_number(own: Api, org: Tenant) -> None:
    """Without regard to capitals; never by both, nor by neither."""
    query = "query ($by: ClientLookupInput!) { client(by: $by) { name } }"
    assert await own.data(query, by={"number": "B-12"}) == {"client": {"name": "bakkerij Åse"}}
    assert await own.data(query, by={"number": "12"}) == {"client": None}
    assert await own.data(query, by={"id": global_id("Client", org.clients[4])}) == {"client": {"name": "Zand"}}
    assert await own.data(query, by={"id": global_id("Label", org.clients[4])}) == {"client": None}
    for by in ({}, {"number": "9", "id": global_id("Client", org.clients[4])}, {"number": None}):
        assert "errors" in (await own.post({"query": query, "variables": {"by": by}})).json()


async def test_a_page_is_read_one_way_at_a_time(own: Api) -> None:
    """Forwards or backwards, and within its limits."""
    for arguments in ("first: 1, last: 1", 'first: 1, before: "x"', 'last: 1, after: "x"', "last: 0", "last: 101"):
        body = await own.ask(f"{{ clients({arguments}) {{ nodes {{ name }} }} }}")
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"], arguments


async def test_a_total_costs_one_statement_and_only_when_asked(own: Api, statements: list[str]) -> None:
    """Counting is for who wants to know."""
    await own.data("{ clients { nodes { name } } }")
    without = sum(sent.startswith("SELECT count") for sent in statements)
    await own.data("{ clients { totalCount } }")
    assert (without, sum(sent.startswith("SELECT count") for sent in statements)) == (0, 1)


async def test_a_total_under_a_list_costs_one_statement_for_all(as_: Callable[..., Api], crowded: Tenant, statements: list[str]) -> None:
    """Of contacts, projects and invoices of each client, of the clients of each contact and label; whatever the page."""
    query = """{ clients(first: 50) { nodes { contacts(first: 1) { totalCount nodes { clients { totalCount } } } projects { totalCount }
      invoices(first: 1) { totalCount } } } labels { nodes { clients(first: 1) { totalCount } } } }"""
    await as_(crowded).data(query)
    statements.clear()
    found = await as_(crowded).data(query)
    assert sum("count(*)" in sent for sent in statements) == 5
    assert (
        found["clients"]["nodes"]
        == [
            {
                "contacts": {"totalCount": 3, "nodes": [{"clients": {"totalCount": 1}}]},
                "projects": {"totalCount": 1},
                "invoices": {"totalCount": 2},
            }
        ]
        * 50
    )
    assert [label["clients"]["totalCount"] for label in found["labels"]["nodes"]] == [24] * 5
    assert (await as_(crowded, Role.VIEWER).data("{ clients { nodes { invoices { totalCount } } } }"))["clients"]["nodes"][0] == {
        "invoices": None
    }


async def test_labels_are_searched_by_name(org: Tenant, own: Api) -> None:
    """Without regard to capitals and accents; the total is of what is found."""
    for name in ("Café", "Fixed price", "Cafetaria"):
        await org.add_label(name)
    query = "query ($search: String) { labels(search: $search) { totalCount nodes { name } } }"
    assert (await own.data(query, search="CAFÉ"))["labels"] == {"totalCount": 2, "nodes": [{"name": "Café"}, {"name": "Cafetaria"}]}
    assert (await own.data(query, search="%"))["labels"] == {"totalCount": 0, "nodes": []}
