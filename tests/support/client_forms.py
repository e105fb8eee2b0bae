"""Build the form of a client with every field filled in, and send it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from db.tables import Table
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import Tenant, insert_rows, version_columns
from tests.support.ids import global_id

CLIENT_FIELDS = """fragment Shown on Client { id version name tradeName number kind isProspect phone email website language notes
  kvkNumber kvkBranchNumber kboNumber vatNumber addresses { type line1 line2 postalCode city region country attention }
  labels { name color }
  contacts { edges { position department isInvoiceContact isPrimary roles recipient isActive node { id firstName lastName email } } }
  financial { currency defaultHourlyRate { amount } defaultMileageRate { amount } vatTreatment vatRate { name } paymentTermDays iban bic
    invoiceLayout { name } invoiceDelivery buyerReference purchaseOrderRequired } }"""
ERRORS = "userErrors { __typename code path message }"
CREATE = (
    f"mutation ($input: ClientCreateInput!) {{ done: clientCreate(input: $input) {{ client {{ ...Shown }} {ERRORS} }} }} {CLIENT_FIELDS}"
)
UPDATE = (
    f"mutation ($input: ClientUpdateInput!) {{ done: clientUpdate(input: $input) {{ client {{ ...Shown }} {ERRORS} }} }} {CLIENT_FIELDS}"
)
CLIENT_RESULT = f"{{ client {{ ...Shown }} {ERRORS} }} }} {CLIENT_FIELDS}"
GENERAL_FIELDS = {
    "name": "Koffiehuis De Ree", "tradeName": "De Ree",
    "number": "K-0042", "kind": "COMPANY", "isProspect": True, "phone": "+31 20 624 0000",
    "email": "info@deree.example", "website": "https://deree.example", "language": "nl", "notes": "Belt graag.\nNa tienen.",
    "kvkNumber": "68750110",
    "kvkBranchNumber": "000037178598", "kboNumber": "0403019261", "vatNumber": "NL004495445B01",
}  # fmt: skip
PRIMARY_ADDRESS = {
    "type": "PRIMARY", "line1": "Prinsengracht 1", "line2": "2e etage", "postalCode": "1015 DK", "city": "Amsterdam",
    "region": "Noord-Holland", "country": "NL", "attention": "Balie",
}  # fmt: skip
INVOICE_ADDRESS = {**dict.fromkeys(PRIMARY_ADDRESS), "type": "INVOICE", "city": "Gent", "country": "BE", "postalCode": "9000"}
FINANCIAL_FIELDS = {
    "currency": "USD", "defaultHourlyRate": "95.50", "defaultMileageRate": "0.23", "vatTreatment": "DOMESTIC", "paymentTermDays": 14,
    "iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "invoiceDelivery": "PEPPOL", "buyerReference": "PO 7", "purchaseOrderRequired": True,
}  # fmt: skip


async def save_client(api: Api, mutation: str, **input: object) -> dict[str, Any]:
    """Run the mutation and return the saved client. Fail if there are user errors."""
    payload = (await api.data(mutation, input=input))["done"]
    assert payload["userErrors"] == []
    client: dict[str, Any] = payload["client"]
    return client


async def fetch_errors(api: Api, mutation: str, **input: object) -> list[tuple[str, list[str]]]:
    """Run the mutation and return the codes and paths of its user errors. Fail if a message is not a sentence."""
    payload = (await api.data(mutation, input=input))["done"]
    assert payload.get("client") is None
    assert all(error["message"].endswith(".") and len(error["message"]) > 10 for error in payload["userErrors"])
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


async def count_rows(org: Tenant) -> dict[str, int]:
    """Return the number of the organization's rows in each table."""
    tables = [table.name for table in Table.metadata.sorted_tables]
    counts = [await org.owner.fetchval(f"SELECT count(*) FROM relaties.{name} WHERE tenant_id = $1", org.id) for name in tables]
    return dict(zip(tables, counts, strict=True))


async def create_vat_rate(org: Tenant, name: str = "Hoog") -> UUID:
    row = {
        "tenant_id": org.id,
        "id": new_id(),
        "name": name,
        "country": "NL",
        "percentage": Decimal(21),
        "category": "S",
        "is_active": True,
    }
    await insert_rows(org.owner, "vat_rate", [{**row, **version_columns()}])
    return row["id"]  # type: ignore[return-value]


async def create_layout(org: Tenant, name: str = "Eigen") -> UUID:
    row = {"tenant_id": org.id, "id": new_id(), "name": name, "language": "nl", "template": "x", "is_default": False, "is_active": True}
    await insert_rows(org.owner, "invoice_layout", [{**row, **version_columns()}])
    return row["id"]  # type: ignore[return-value]


async def build_full_form(org: Tenant) -> dict[str, Any]:
    """Return the input of a client with every field filled in. It creates what the fields refer to."""
    label, person = await org.add_label("Vast"), await org.add_contact("Gedeeld", await org.add_client("Ander"))
    links = {
        "vatRateId": global_id("VatRate", await create_vat_rate(org)),
        "invoiceLayoutId": global_id("InvoiceLayout", await create_layout(org)),
    }
    link = {"department": "Inkoop", "isInvoiceContact": True, "roles": ["INVOICE", "REMINDER"], "recipient": "CC", "isPrimary": True}
    return {
        **GENERAL_FIELDS,
        "addresses": [PRIMARY_ADDRESS, INVOICE_ADDRESS],
        "labels": [{"id": global_id("Label", label)}, {"new": {"name": "Nieuw", "color": "#aa00ff"}}],
        "contacts": [
            {"contact": {"id": global_id("Contact", person)}, "link": link},
            {"contact": {"new": {"firstName": "Ilse", "lastName": "Jansen", "email": "ilse@deree.example"}}},
        ],
        "financial": {**FINANCIAL_FIELDS, **links},
    }
