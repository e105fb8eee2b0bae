"""Exports of clients over the API: which clients, columns and figures a file has, who may start one, and who may download it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import strawberry

from db.tables.keys import new_id
from domain.exports.columns import READERS
from domain.exports.fields import FINANCIAL_FIELDS, ExportField
from tests.support.builders import Tenant, create_tenant, insert_rows, version_columns
from tests.support.exports import ExportCase, open_export_case, read_csv, read_xlsx
from tests.support.ids import global_id
from tests.support.jobs import open_job_database

LIST = """query ($filter: ClientFilterInput, $search: String, $orderBy: ClientOrderInput) {
  clients(filter: $filter, search: $search, orderBy: $orderBy, first: 100) { nodes { name } } }"""
NAME_COLUMN = [{"field": "NAME"}]


@pytest.fixture
async def case(fresh_database: Callable[[], Awaitable[str]], schema: strawberry.Schema, tmp_path: Path) -> AsyncIterator[ExportCase]:
    async with open_job_database(await fresh_database()) as jobs, open_export_case(jobs, schema, tmp_path) as export_case:
        yield export_case


async def add_varied_clients(org: Tenant) -> list[str]:
    """Add clients that differ in what filters and orders look at. Return the ids of two labels."""
    keys = [
        await org.add_client("Zeta BV", "3", kvk_number="12345678"),
        await org.add_client("alfa", "12"),
        await org.add_client("Álfa twee", None, archived_at=datetime(2026, 2, 1, tzinfo=UTC)),
        await org.add_client("Beta 12", "007", vat_number="NL123456782B01", updated_at=datetime(2026, 5, 1, tzinfo=UTC)),
        await org.add_client("100% Gamma", None),
    ]
    await insert_rows(org.owner, "client_address", [{"tenant_id": org.id, "client_id": keys[0], "type": "PRIMARY", "country": "BE"}])
    await org.add_contact("Jansen", keys[1], is_invoice_contact=True)
    labels = [await org.add_label("One", keys[0], keys[1]), await org.add_label("Two", keys[1], keys[3])]
    return [global_id("Label", key) for key in labels]


SELECTIONS: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "all": lambda _: {},
    "search in names": lambda _: {"search": "ALFA"},
    "search in numbers": lambda _: {"search": "12"},
    "search with a wildcard": lambda _: {"search": "0%"},
    "active": lambda _: {"filter": {"status": "ACTIVE"}},
    "archived": lambda _: {"filter": {"status": "ARCHIVED"}},
    "any label": lambda labels: {"filter": {"labels": {"any": labels}}},
    "all labels, one of them repeated": lambda labels: {"filter": {"labels": {"all": [*labels, labels[0]]}}},
    "no label": lambda labels: {"filter": {"labels": {"none": labels}}},
    "invoice contact": lambda _: {"filter": {"hasInvoiceContact": True}},
    "country": lambda _: {"filter": {"country": "BE"}},
    "register": lambda _: {"filter": {"kvkNumber": "12345678"}},
    "VAT number": lambda _: {"filter": {"vatNumber": "nl 1234.56.782.b01"}},
    "changed since": lambda _: {"filter": {"updatedSince": "2026-04-01T00:00:00Z"}},
    "by number, descending": lambda _: {"orderBy": {"field": "NUMBER", "direction": "DESC"}},
    "by creation": lambda _: {"orderBy": {"field": "CREATED_AT", "direction": "ASC"}},
    "by change, descending, and filtered": lambda labels: {
        "filter": {"status": "ACTIVE", "labels": {"none": labels[:1]}},
        "search": "a",
        "orderBy": {"field": "UPDATED_AT", "direction": "DESC"},
    },
}


@pytest.mark.parametrize("file_format", ["CSV", "XLSX"])
async def test_s7_file_has_exactly_the_clients_that_the_api_shows(
    case: ExportCase, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    """In the order of the API, and none of another organization with the same clients. The parts are small, so several are read."""
    monkeypatch.setattr("domain.exports.reading.PART_SIZE", 2)
    labels = await add_varied_clients(case.org)
    await add_varied_clients(await create_tenant(case.jobs.owner))
    counts = set()
    for selection in SELECTIONS.values():
        variables = selection(labels)
        expected = [node["name"] for node in (await case.api.data(LIST, **variables))["clients"]["nodes"]]
        rows = await case.export(format=file_format, columns=NAME_COLUMN, **variables)
        assert rows == [["Name"], *([name] for name in expected)], variables
        counts.add(len(expected))
    assert counts == {1, 2, 3, 4, 5}
    assert case.worker.errors == []


REVENUE = """query ($period: PeriodInput) { clients(first: 100) { nodes { name revenue(period: $period) {
  invoiced { amount } paid { amount } outstanding { amount } } } } }"""
PERIODS: list[dict[str, str] | None] = [
    None,
    {"since": "2025-01-01", "until": "2025-12-31"},
    {"since": "2025-12-15"},
    {"until": "2026-01-20"},
    {"since": "2026-01-10", "until": "2026-01-10"},
    {"since": "2026-02-01", "until": "2026-02-28"},
]


@pytest.mark.parametrize("file_format", ["CSV", "XLSX"])
async def test_s7_every_figure_equals_that_of_the_api(case: ExportCase, file_format: str) -> None:
    org = case.org
    for number in range(3):
        client = await org.add_client(f"Client {number}")
        if number:
            invoice = await org.add_invoice(client, date(2025, 12, 20), f"{number}234.56")
            await org.add_invoice(client, date(2026, 1, 10), "99.99", currency="USD", exchange_rate=Decimal("0.9"))
            await org.add_invoice(client, date(2026, 2, 10), "10.00", kind="CREDIT_NOTE")
            await org.add_payment(client, invoice, date(2026, 1, 15), "100.10")
    measures = ("INVOICED", "PAID", "OUTSTANDING")
    columns = [{"revenue": {"measure": measure, "period": period}} for period in PERIODS for measure in measures]
    header, *rows = await case.export(format=file_format, columns=[*NAME_COLUMN, *columns])
    expected = [[f"Client {number}"] for number in range(3)]
    for period in PERIODS:
        for row, node in zip(expected, (await case.api.data(REVENUE, period=period))["clients"]["nodes"], strict=True):
            row += [node["revenue"][measure.lower()]["amount"] for measure in measures]
    assert {amount for row in expected for amount in row[1:]} > {"0.00", "1234.56", "-10.00"}
    exact = [[row[0], *(f"{Decimal(str(cell).replace(',', '.')):.2f}" for cell in row[1:])] for row in rows]
    assert exact == expected
    assert header[:4] == ["Name", "Invoiced (EUR), all time", "Paid (EUR), all time", "Outstanding (EUR), all time"]
    assert header[4::3] == [f"Invoiced (EUR), {text}" for text in (
        "2025-01-01 to 2025-12-31", "from 2025-12-15", "until 2026-01-20", "2026-01-10 to 2026-01-10", "2026-02-01 to 2026-02-28"
    )]  # fmt: skip
    assert len(set(header)) == len(header)


async def add_complete_client(org: Tenant) -> UUID:
    """Add a client with a value in every column of its own, and all its addresses."""
    rate, layout = new_id(), new_id()
    rate_values = {"name": "Hoog", "country": "NL", "percentage": 21, "category": "S", "is_active": True}
    await insert_rows(org.owner, "vat_rate", [{"tenant_id": org.id, "id": rate, **rate_values, **version_columns()}])
    layout_values = {"name": "Eenvoudig", "language": "nl", "template": "standard", "is_default": False, "is_active": True}
    await insert_rows(org.owner, "invoice_layout", [{"tenant_id": org.id, "id": layout, **layout_values, **version_columns()}])
    general = {"trade_name": "Handel", "phone": "+31201234567", "email": "info@x.example", "website": "https://x.example"}
    registers = {"kvk_number": "00123456", "kvk_branch_number": "000012345678", "kbo_number": "0403170701", "vat_number": "NL123456782B01"}
    financial = {
        "currency": "USD",
        "default_hourly_rate": Decimal("95.1250"),
        "default_mileage_rate": Decimal("0.23"),
        "vat_treatment": "REVERSE_CHARGE",
        "vat_rate_id": rate,
        "payment_term_days": 14,
        "iban": "NL91ABNA0417164300",
        "bic": "ABNANL2A",
        "invoice_layout_id": layout,
        "invoice_delivery": "PEPPOL",
        "buyer_reference": "Ref 1",
        "purchase_order_required": True,
    }
    client = await org.add_client(
        "Volledig", "007", kind="GOVERNMENT", is_prospect=True, language="nl", notes="Regel 1\nRegel 2", **general, **registers,
        **financial,
        archived_at=datetime(2026, 7, 1, 22, 30, 15, tzinfo=UTC),
    )  # fmt: skip
    await insert_rows(
        org.owner,
        "client_address",
        [
            {"tenant_id": org.id, "client_id": client, "type": kind, "line1": f"{kind} 1", "line2": "II", "postal_code": "1012 AB",
             "city": "Utrecht", "region": "UT", "country": "NL", "attention": "Balie"}
            for kind in ("PRIMARY", "INVOICE", "DELIVERY", "VISITING")
        ],
    )  # fmt: skip
    return client


async def create_complete_client(org: Tenant) -> None:
    """Create a client with a value in every column."""
    client = await add_complete_client(org)
    first, other = await org.add_contact("Eerste", client, position=1), await org.add_contact("Tweede", client, position=2)
    factuur = await org.add_contact("Factuur", client, position=3, is_invoice_contact=True)
    await org.add_contact("Later", client, position=4, is_invoice_contact=True)
    for contact in (first, other, factuur):
        await org.owner.execute(
            "UPDATE relaties.contact SET job_title = 'Baas', email = 'an@x.example', phone = '+31209', mobile = '+316' WHERE id = $1",
            contact,
        )
    await org.add_label('Groot, "A"', client)
    await org.add_label("Vast", client)


def address(kind: str) -> dict[str, object]:
    texts = (f"{kind} 1", "II", "1012 AB", "Utrecht", "UT", "NL", "Balie")
    names = ("LINE1", "LINE2", "POSTAL_CODE", "CITY", "REGION", "COUNTRY", "ATTENTION")
    return {f"{kind}_{name}": text for name, text in zip(names, texts, strict=True)}


def contact(prefix: str, last_name: str) -> dict[str, object]:
    texts = ("An", last_name, "Baas", "an@x.example", "+31209", "+316")
    names = ("FIRST_NAME", "LAST_NAME", "JOB_TITLE", "EMAIL", "PHONE", "MOBILE")
    return {f"{prefix}_{name}": text for name, text in zip(names, texts, strict=True)}


CREATED = datetime(2026, 1, 1, 1)  # noqa: DTZ001 midnight in UTC, in the organization's time zone
COMPLETE: dict[str, object] = {
    "NAME": "Volledig", "TRADE_NAME": "Handel", "NUMBER": "007", "KIND": "GOVERNMENT", "IS_PROSPECT": True, "PHONE": "+31201234567",
    "EMAIL": "info@x.example", "WEBSITE": "https://x.example", "LANGUAGE": "nl", "NOTES": "Regel 1\nRegel 2", "KVK_NUMBER": "00123456",
    "KVK_BRANCH_NUMBER": "000012345678", "KBO_NUMBER": "0403170701", "VAT_NUMBER": "NL123456782B01", **address("PRIMARY"),
    **address("INVOICE"), **address("DELIVERY"), **address("VISITING"), "LABELS": '"Groot, ""A""", Vast', "CURRENCY": "USD",
    "DEFAULT_HOURLY_RATE": 95.125, "DEFAULT_MILEAGE_RATE": 0.23, "VAT_TREATMENT": "REVERSE_CHARGE", "VAT_RATE": "Hoog",
    "PAYMENT_TERM_DAYS": 14, "IBAN": "NL91ABNA0417164300", "BIC": "ABNANL2A", "INVOICE_LAYOUT": "Eenvoudig", "INVOICE_DELIVERY": "PEPPOL",
    "BUYER_REFERENCE": "Ref 1", "PURCHASE_ORDER_REQUIRED": True, **contact("INVOICE_CONTACT", "Factuur"),
    **contact("FIRST_CONTACT", "Eerste"),
    "ARCHIVED_AT": datetime(2026, 7, 2, 0, 30, 15), "CREATED_AT": CREATED, "UPDATED_AT": CREATED,  # noqa: DTZ001 local
}  # fmt: skip
CSV_TEXTS: dict[str, str] = {
    "IS_PROSPECT": "TRUE", "PURCHASE_ORDER_REQUIRED": "TRUE", "DEFAULT_HOURLY_RATE": "95,1250", "DEFAULT_MILEAGE_RATE": "0,2300",
    "PAYMENT_TERM_DAYS": "14", "ARCHIVED_AT": "2026-07-02 00:30:15", "CREATED_AT": "2026-01-01 01:00:00",
    "UPDATED_AT": "2026-01-01 01:00:00", **dict.fromkeys(("PHONE", "INVOICE_CONTACT_PHONE", "FIRST_CONTACT_PHONE"), ""),
}  # fmt: skip


@pytest.mark.parametrize("file_format", ["CSV", "XLSX"])
async def test_every_column_has_its_header_and_its_value(case: ExportCase, file_format: str) -> None:
    """Columns come in the requested order, each once. A client without anything has empty cells. Times are local."""
    await create_complete_client(case.org)
    await case.org.add_client("Zonder")
    fields = sorted(ExportField, reverse=True)
    columns = [{"field": field} for field in (*fields, *fields[:20])]
    header, complete, empty = await case.export(format=file_format, columns=columns)
    assert header == [READERS[field].heading.text for field in fields]
    assert len(set(header)) == len(ExportField) == len(COMPLETE)
    expected = [COMPLETE[field] for field in fields]
    if file_format == "CSV":
        telephones = {name: f"'{text}" for name, text in COMPLETE.items() if str(text).startswith("+")}
        expected = [{**CSV_TEXTS, **telephones}.get(field, COMPLETE[field]) for field in fields]
    assert complete == expected
    filled = {field for field, cell in zip(fields, empty, strict=True) if cell not in {None, ""}}
    always = {"NAME", "KIND", "IS_PROSPECT", "CURRENCY", "INVOICE_DELIVERY", "PURCHASE_ORDER_REQUIRED", "CREATED_AT", "UPDATED_AT"}
    assert filled == always


async def test_default_columns_are_those_that_an_import_takes_back(case: ExportCase) -> None:
    """Financial ones only for callers who may see them: here the token of an owner that is limited to exports."""
    await create_complete_client(case.org)
    header, row = await case.export()
    importable = [f for f in ExportField if "CONTACT" not in f and f not in {"ARCHIVED_AT", "CREATED_AT", "UPDATED_AT"}]
    assert header == [READERS[field].heading.text for field in importable]
    assert "NL91ABNA0417164300" in row
    await case.run(await case.api_with(["CLIENTS_EXPORT"]))
    (header, row) = read_csv(await case.stored_content())
    assert header == [READERS[field].heading.text for field in importable if field not in FINANCIAL_FIELDS]
    assert "NL91ABNA0417164300" not in row


@pytest.mark.parametrize("locale", [("nl-NL", ";", "1,50"), ("en-GB", ",", "1.50"), ("de-CH", ",", "1.50"), ("tlh", ",", "1.50")])
async def test_csv_follows_the_locale_unless_the_request_says_otherwise(case: ExportCase, locale: tuple[str, str, str]) -> None:
    """It begins with a byte order mark. A language without data has the decimal point."""
    name, delimiter, amount = locale
    await case.jobs.owner.execute("UPDATE relaties.organization SET locale = $2 WHERE tenant_id = $1", case.org.id, name)
    client = await case.org.add_client("Een; twee, drie")
    await case.org.add_invoice(client, date(2026, 1, 1), "1.50")
    columns = [*NAME_COLUMN, {"revenue": {"measure": "INVOICED"}}]
    await case.run(columns=columns)
    content = await case.stored_content()
    assert content.startswith(b"\xef\xbb\xbfName" + delimiter.encode())
    assert read_csv(content, delimiter)[1] == ["Een; twee, drie", amount]
    await case.run(columns=columns, delimiter="TAB", decimalSeparator="COMMA")
    assert (await case.stored_content()).decode("utf-8-sig").split("\r\n")[1] == "Een; twee, drie\t1,50"


async def test_second_sheet_states_the_filter(case: ExportCase) -> None:
    labels = await add_varied_clients(case.org)
    filter_input = {"status": "ACTIVE", "labels": {"any": labels}, "hasInvoiceContact": True, "updatedSince": "2025-01-01T00:00:00Z"}
    order = {"field": "UPDATED_AT", "direction": "DESC"}
    await case.run(format="XLSX", search="=alfa", filter=filter_input, orderBy=order)
    about = dict(read_xlsx(await case.stored_content(), "About this export"))
    assert about.pop("Exported at").endswith(" (Europe/Amsterdam, as all times in this file)")
    assert about == {
        "Organization": "Test", "Number of clients": "0", "Search": "=alfa", "Filter": "Active clients",
        "With any of the labels": "One, Two",
        "Invoice contact": "With one", "Changed since": "2025-01-01T00:00:00+00:00", "Order": "Updated at, descending",
    }  # fmt: skip
