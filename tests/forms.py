"""The form of a client, filled in and sent."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from db.tables import Table
from db.tables.keys import new_id
from tests.ask import Api
from tests.builders import Tenant, changing, insert
from tests.ids import global_id

SHOWN = """fragment Shown on Client { id version name tradeName number kind isProspect phone email website language notes
  kvkNumber kvkBranchNumber kboNumber vatNumber addresses { type line1 line2 postalCode city region country attention }
  labels { name color }
  contacts { edges { position department isInvoiceContact isPrimary roles recipient isActive node { id firstName lastName email } } }
  financial { currency defaultHourlyRate { amount } defaultMileageRate { amount } vatTreatment vatRate { name } paymentTermDays iban bic
    invoiceLayout { name } invoiceDelivery buyerReference purchaseOrderRequired } }"""
ERRORS = "userErrors { __typename code path message }"
CREATE = f"mutation ($input: ClientCreateInput!) {{ done: clientCreate(input: $input) {{ client {{ ...Shown }} {ERRORS} }} }} {SHOWN}"
UPDATE = f"mutation ($input: ClientUpdateInput!) {{ done: clientUpdate(input: $input) {{ client {{ ...Shown }} {ERRORS} }} }} {SHOWN}"
LINKED = f"{{ client {{ ...Shown }} {ERRORS} }} }} {SHOWN}"
GENERAL = {
    "name": "Koffiehuis De Ree", "tradeName": "De Ree",
    "number": "K-0042", "kind": "COMPANY", "isProspect": True, "phone": "+31 20 624 0000",
    "email": "info@deree.example", "website": "https://deree.example", "language": "nl", "notes": "Belt graag.\nNa tienen.",
    "kvkNumber": "68750110",
    "kvkBranchNumber": "000037178598", "kboNumber": "0403019261", "vatNumber": "NL004495445B01",
}  # fmt: skip
PRIMARY = {
    "type": "PRIMARY", "line1": "Prinsengracht 1", "line2": "2e etage", "postalCode": "1015 DK", "city": "Amsterdam",
    "region": "Noord-Holland", "country": "NL", "attention": "Balie",
}  # fmt: skip
ELSEWHERE = {**dict.fromkeys(PRIMARY), "type": "INVOICE", "city": "Gent", "country": "BE", "postalCode": "9000"}
MONEY = {
    "currency": "USD", "defaultHourlyRate": "95.50", "defaultMileageRate": "0.23", "vatTreatment": "DOMESTIC", "paymentTermDays": 14,
    "iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "invoiceDelivery": "PEPPOL", "buyerReference": "PO 7", "purchaseOrderRequired": True,
}  # fmt: skip


async def done(api: Api, mutation: str, **input: object) -> dict[str, Any]:
    """What was made of it, without a refusal."""
    found = (await api.data(mutation, input=input))["done"]
    assert found["userErrors"] == []
    client: dict[str, Any] = found["client"]
    return client


async def refused(api: Api, mutation: str, **input: object) -> list[tuple[str, list[str]]]:
    """The codes and paths of the refusals; each says what is wrong in a sentence."""
    found = (await api.data(mutation, input=input))["done"]
    assert found.get("client") is None
    assert all(error["message"].endswith(".") and len(error["message"]) > 10 for error in found["userErrors"])
    return [(error["code"], error["path"]) for error in found["userErrors"]]


async def kept(org: Tenant) -> dict[str, int]:
    """How many rows each table has of the organization."""
    tables = [table.name for table in Table.metadata.sorted_tables]
    counts = [await org.owner.fetchval(f"SELECT count(*) FROM relaties.{name} WHERE tenant_id = $1", org.id) for name in tables]
    return dict(zip(tables, counts, strict=True))


async def rate(org: Tenant, name: str = "Hoog") -> UUID:
    row = {
        "tenant_id": org.id,
        "id": new_id(),
        "name": name,
        "country": "NL",
        "percentage": Decimal(21),
        "category": "S",
        "is_active": True,
    }
    await insert(org.owner, "vat_rate", [{**row, **changing()}])
    return row["id"]  # type: ignore[return-value]


async def layout(org: Tenant, name: str = "Eigen") -> UUID:
    row = {"tenant_id": org.id, "id": new_id(), "name": name, "language": "nl", "template": "x", "is_default": False, "is_active": True}
    await insert(org.owner, "invoice_layout", [{**row, **changing()}])
    return row["id"]  # type: ignore[return-value]


async def whole(org: Tenant) -> dict[str, Any]:
    """A form with everything in it."""
    label, person = await org.add_label("Vast"), await org.add_contact("Gedeeld", await org.add_client("Ander"))
    links = {"vatRateId": global_id("VatRate", await rate(org)), "invoiceLayoutId": global_id("InvoiceLayout", await layout(org))}
    link = {"department": "Inkoop", "isInvoiceContact": True, "roles": ["INVOICE", "REMINDER"], "recipient": "CC", "isPrimary": True}
    return {
        **GENERAL,
        "addresses": [PRIMARY, ELSEWHERE],
        "labels": [{"id": global_id("Label", label)}, {"new": {"name": "Nieuw", "color": "#aa00ff"}}],
        "contacts": [
            {"contact": {"id": global_id("Contact", person)}, "link": link},
            {"contact": {"new": {"firstName": "Ilse", "lastName": "Jansen", "email": "ilse@deree.example"}}},
        ],
        "financial": {**MONEY, **links},
    }
