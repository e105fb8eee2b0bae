"""Test that one form saves everything about a client or nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.client_forms import (
    CREATE,
    FINANCIAL_FIELDS,
    GENERAL_FIELDS,
    INVOICE_ADDRESS,
    PRIMARY_ADDRESS,
    UPDATE,
    build_full_form,
    count_rows,
    create_layout,
    fetch_errors,
    save_client,
)
from tests.support.ids import global_id


async def test_s08_client_requires_only_a_name(api_for: Callable[..., Api], org: Tenant) -> None:
    """A member without permission to read figures can create it."""
    client = await save_client(api_for(org, Role.MEMBER), CREATE, name="Alleen een naam")
    assert (client["name"], client["number"], client["version"], client["financial"]) == ("Alleen een naam", None, 1, None)
    assert (client["addresses"], client["labels"], client["contacts"]["edges"]) == ([], [], [])


async def test_s09_one_form_saves_everything(api_for: Callable[..., Api], org: Tenant) -> None:
    """The form has general fields, addresses, new and existing labels and contacts, and financial settings. Each new row has an event."""
    form, before = await build_full_form(org), await count_rows(org)
    client = await save_client(api_for(org), CREATE, **form)

    assert {name: client[name] for name in GENERAL_FIELDS} == GENERAL_FIELDS
    assert client["addresses"] == [INVOICE_ADDRESS, PRIMARY_ADDRESS]
    assert client["labels"] == [{"name": "Nieuw", "color": "#AA00FF"}, {"name": "Vast", "color": "#102030"}]
    first, second = client["contacts"]["edges"]
    link = {"position": 0, "department": "Inkoop", "isInvoiceContact": True, "isPrimary": True, "recipient": "CC", "isActive": True}
    assert {name: first[name] for name in (*link, "roles")} == {**link, "roles": ["INVOICE", "REMINDER"]}
    assert (first["node"]["lastName"], second["node"]["lastName"], second["position"], second["isPrimary"]) == (
        "Gedeeld",
        "Jansen",
        1,
        False,
    )
    after = await count_rows(org)
    added_rows = {"client": 1, "client_address": 2, "label": 1, "client_label": 2, "contact": 1, "client_contact": 2}
    event_count = sum(added_rows.values())
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        **added_rows, "audit_event": event_count, "outbox_event": event_count,
    }  # fmt: skip


WRONG: dict[str, tuple[dict[str, Any], list[tuple[str, list[str]]]]] = {
    "name": ({"name": " "}, [("INVALID", ["name"])]),
    "number": ({"number": "0007"}, [("NUMBER_TAKEN", ["number"])]),
    "number twice": ({"takesNextNumber": True}, [("INVALID", ["number"])]),
    "address": (
        {"addresses": [PRIMARY_ADDRESS, {"type": "INVOICE", "postalCode": "0001", "country": "NL"}]},
        [("INVALID", ["addresses", "1", "postalCode"])],
    ),
    "address twice": ({"addresses": [PRIMARY_ADDRESS, PRIMARY_ADDRESS]}, [("INVALID", ["addresses", "1", "type"])]),
    "label unknown": ({"labels": [{"new": {"name": "Los"}}, {"id": global_id("Label", new_id())}]}, [("NOT_FOUND", ["labels", "1", "id"])]),
    "label taken": ({"labels": [{"new": {"name": "vást"}}]}, [("NAME_TAKEN", ["labels", "0", "new", "name"])]),
    "label colour": ({"labels": [{"new": {"name": "Los", "color": "rood"}}]}, [("INVALID", ["labels", "0", "new", "color"])]),
    "contact unknown": (
        {"contacts": [{"contact": {"id": global_id("Contact", new_id())}}]},
        [("NOT_FOUND", ["contacts", "0", "contact", "id"])],
    ),
    "contact nameless": (
        {"contacts": [{"contact": {"new": {"email": "wie@deree.example"}}}]},
        [("INVALID", ["contacts", "0", "contact", "new", "lastName"])],
    ),
    "contacts both primary": (
        {"contacts": [{"contact": {"new": {"lastName": name}}, "link": {"isPrimary": True}} for name in ("A", "B")]},
        [("INVALID", ["contacts", "1", "link", "isPrimary"])],
    ),
    "financial": ({"financial": {"iban": "NL91ABNA0417164301"}}, [("INVALID", ["financial", "iban"])]),
    "rate": ({"financial": {"vatRateId": global_id("VatRate", new_id())}}, [("NOT_FOUND", ["financial", "vatRateId"])]),
    "layout": ({"financial": {"invoiceLayoutId": global_id("Label", new_id())}}, [("NOT_FOUND", ["financial", "invoiceLayoutId"])]),
    "several": (
        {"kvkNumber": "1", "email": "geen", "financial": {"bic": "X"}, "labels": [{"id": "Zz"}]},
        [("INVALID", ["email"]), ("INVALID", ["kvkNumber"]), ("NOT_FOUND", ["labels", "0", "id"]), ("INVALID", ["financial", "bic"])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("part", [part for part in WRONG if part != "several"])
async def test_s09_s27_error_in_any_part_changes_nothing(api_for: Callable[..., Api], org: Tenant, part: str) -> None:
    """The error has the path of the faulty part, and no table has a new row."""
    form, (wrong, expected) = await build_full_form(org), WRONG[part]
    await org.add_client("Bezet", "0007")
    before = await count_rows(org)
    assert await fetch_errors(api_for(org), CREATE, **{**form, **wrong}) == expected
    assert await count_rows(org) == before


async def test_s11_all_errors_of_a_form_are_reported_at_once(api_for: Callable[..., Api], org: Tenant) -> None:
    """Each error has its path and a message with the rule and a valid example."""
    wrong, _ = WRONG["several"]
    wrong = {**wrong, "labels": [{"id": global_id("Label", new_id())}]}
    payload = (await api_for(org).data(CREATE, input={"name": "X", **wrong}))["done"]
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == WRONG["several"][1]
    assert payload["userErrors"][1]["message"] == "A KvK number must have 8 digits, for example `68750110`."


TWO_OF_EACH: dict[str, Any] = {
    "email": "geen",
    "addresses": [
        {"type": "PRIMARY", "postalCode": "0001"},
        {"type": "PRIMARY", "postalCode": "0002"},
        {"type": "INVOICE", "country": "?"},
    ],
    "labels": [{"id": global_id("Label", new_id())}, {"new": {"name": ""}}],
    "contacts": [
        {"contact": {"new": {"lastName": "A", "email": "?"}}, "link": {"isPrimary": True}},
        {"contact": {"new": {"lastName": "B"}}, "link": {"isPrimary": True}},
    ],
    "financial": {"iban": "?"},
}
ERRORS_OF_TWO_OF_EACH = [
    ["email"],
    ["addresses", "0", "postalCode"],
    ["addresses", "1", "postalCode"],
    ["addresses", "1", "type"],
    ["addresses", "2", "country"],
    ["labels", "0", "id"],
    ["labels", "1", "new", "name"],
    ["contacts", "0", "contact", "new", "email"],
    ["contacts", "1", "link", "isPrimary"],
    ["financial", "iban"],
]


@pytest.mark.parametrize("mutation", [CREATE, UPDATE])
async def test_second_of_a_kind_is_reported_together_with_all_other_errors(api_for: Callable[..., Api], org: Tenant, mutation: str) -> None:
    """Two PRIMARY addresses and two primary contacts are errors of the second, whose other values are checked too."""
    client = {"id": global_id("Client", await org.add_client("Oud")), "expectedVersion": 1}
    before, names = await count_rows(org), ({"labels": "labelsAdd", "contacts": "contactsAdd"} if mutation == UPDATE else {})
    faults = {names.get(name, name): value for name, value in TWO_OF_EACH.items()}
    identification = client if mutation == UPDATE else {"name": "Nieuw"}
    paths = [path for _, path in await fetch_errors(api_for(org), mutation, **identification, **faults)]
    assert paths == [[names.get(part, part), *steps] for part, *steps in ERRORS_OF_TWO_OF_EACH]
    assert await count_rows(org) == before


async def test_list_that_is_too_long_is_reported_together_with_all_other_errors(api_for: Callable[..., Api], org: Tenant) -> None:
    before = await count_rows(org)
    input_values = {**TWO_OF_EACH, "addresses": [PRIMARY_ADDRESS] * 5, "name": "Nieuw"}
    errors = await fetch_errors(api_for(org), CREATE, **input_values)
    first, *others = [path for path in ERRORS_OF_TWO_OF_EACH if path[0] != "addresses"]
    assert [path for _, path in errors] == [first, ["addresses"], *others]
    assert errors[1][0] == "TOO_MANY"
    assert await count_rows(org) == before


async def test_s09_form_with_figures_is_rejected_without_permission_to_write_them(api_for: Callable[..., Api], org: Tenant) -> None:
    before = await count_rows(org)
    body = await api_for(org, Role.MEMBER).execute(CREATE, input={"name": "X", "financial": {"iban": "NL91ABNA0417164300"}})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
    assert await count_rows(org) == before


async def test_s10_s11_each_field_is_stored_in_normal_form(api_for: Callable[..., Api], org: Tenant) -> None:
    """Spaces, capitals and separators are normalized."""
    input_values = {"name": "  Café\u0301 ", "kvkNumber": "6875 0110", "vatNumber": "nl 0044.95.445.b01", "kboNumber": "BE 0403.019.261",
               "email": " Info@DEREE.example", "phone": "020 624 0000", "website": "deree.example", "language": "NL"}  # fmt: skip
    client = await save_client(
        api_for(org), CREATE, **input_values, addresses=[{"type": "PRIMARY", "postalCode": "1015dk", "country": "nl"}]
    )
    assert {name: client[name] for name in input_values} == {
        "name": "Café\u0301", "kvkNumber": "68750110", "vatNumber": "NL004495445B01", "kboNumber": "0403019261",
        "email": "info@deree.example", "phone": "+31 20 624 0000", "website": "https://deree.example", "language": "nl",
    }  # fmt: skip
    assert (client["addresses"][0]["postalCode"], client["addresses"][0]["country"]) == ("1015 DK", "NL")


async def test_s21_s22_s23_financial_settings_are_read_as_saved(api_for: Callable[..., Api], org: Tenant) -> None:
    """Decimal numbers are exact, and null clears a setting."""
    form = await build_full_form(org)
    client = await save_client(api_for(org), CREATE, **form)
    expected = {**FINANCIAL_FIELDS, "defaultHourlyRate": {"amount": "95.5000"}, "defaultMileageRate": {"amount": "0.2300"}}
    assert client["financial"] == {**expected, "vatRate": {"name": "Hoog"}, "invoiceLayout": {"name": "Eigen"}}
    cleared = dict.fromkeys(("currency", "defaultHourlyRate", "vatTreatment", "vatRateId", "paymentTermDays", "iban"))
    client = await save_client(api_for(org), UPDATE, id=client["id"], expectedVersion=1, financial=cleared)
    assert (client["financial"]["currency"], client["financial"]["vatRate"], client["financial"]["iban"]) == ("EUR", None, None)
    assert client["financial"]["bic"] == "ABNANL2A"


async def test_s25_s26_each_client_can_have_its_own_layout_or_none(api_for: Callable[..., Api], org: Tenant) -> None:
    """Without a layout of its own, a client uses that of the organization."""
    ids = [global_id("InvoiceLayout", await create_layout(org, name)) for name in ("Een", "Twee")]
    layouts = [
        (await save_client(api_for(org), CREATE, name=key, financial={"invoiceLayoutId": key}))["financial"]["invoiceLayout"] for key in ids
    ]
    assert layouts == [{"name": "Een"}, {"name": "Twee"}]
    assert (await save_client(api_for(org), CREATE, name="Geen", financial={}))["financial"]["invoiceLayout"] is None


async def test_s28_saved_client_is_readable_in_the_same_request(api_for: Callable[..., Api], org: Tenant) -> None:
    """The field `query` of each payload shows the clients created so far."""
    data = await api_for(org).data(
        """mutation { a: clientCreate(input: {name: "A"}) { query { clients { totalCount } } }
        b: clientCreate(input: {name: "B"}) { query { clients { nodes { name } } } } }"""
    )
    assert data == {"a": {"query": {"clients": {"totalCount": 1}}}, "b": {"query": {"clients": {"nodes": [{"name": "A"}, {"name": "B"}]}}}}


async def test_s29_s30_update_changes_only_given_fields(api_for: Callable[..., Api], org: Tenant) -> None:
    """Each part can be changed, alone or with others. An update without effect does not change the version."""
    api, form = api_for(org), await build_full_form(org)
    client = await save_client(api, CREATE, **form)
    renamed = await save_client(api, UPDATE, id=client["id"], expectedVersion=1, name="De Ree BV", phone=None)
    assert renamed == {**client, "name": "De Ree BV", "phone": None, "version": 2}
    before = await count_rows(org)
    same = {name: form[name] for name in ("addresses", "number")}
    labels = [
        global_id("Label", label["id"]) for label in await org.owner.fetch("SELECT id FROM relaties.label WHERE tenant_id = $1", org.id)
    ]
    labels_add = [{"id": label} for label in labels]
    assert await save_client(api, UPDATE, id=client["id"], expectedVersion=2, **same, labelsAdd=labels_add) == renamed
    assert await count_rows(org) == before
    contacts = [edge["node"]["id"] for edge in client["contacts"]["edges"]]
    lists = {"addresses": [PRIMARY_ADDRESS], "labelsRemove": labels, "contactsRemove": contacts}
    every = {**lists, "financial": {"paymentTermDays": 30}, "notes": ""}
    last = await save_client(api, UPDATE, id=client["id"], expectedVersion=2, **every)
    assert (last["version"], last["addresses"], last["labels"], last["contacts"]["edges"], last["notes"]) == (
        3,
        [PRIMARY_ADDRESS],
        [],
        [],
        None,
    )
    assert last["financial"] == {**renamed["financial"], "paymentTermDays": 30}


async def test_s29_outdated_version_is_rejected_with_the_current_client(api_for: Callable[..., Api], org: Tenant) -> None:
    client = await org.add_client("A")
    change = """mutation ($input: ClientUpdateInput!) { done: clientUpdate(input: $input) { client { name }
      userErrors { code path ... on ClientVersionConflictError { currentVersion current { id name version } } } } }"""
    first = {"id": global_id("Client", client), "expectedVersion": 1, "name": "B"}
    assert (await api_for(org).data(change, input=first))["done"]["client"] == {"name": "B"}
    payload = (await api_for(org).data(change, input={**first, "name": "C"}))["done"]
    now = {"id": first["id"], "name": "B", "version": 2}
    assert payload == {
        "client": None,
        "userErrors": [{"code": "VERSION_CONFLICT", "path": ["expectedVersion"], "currentVersion": 2, "current": now}],
    }


async def test_next_number_skips_numbers_in_use(api_for: Callable[..., Api], org: Tenant) -> None:
    """Numbers have the organization's format. A form that fails uses up no number."""
    api = api_for(org)
    await org.owner.execute("UPDATE relaties.organization SET client_number_format = 'K-##' WHERE tenant_id = $1", org.id)
    await org.add_client("Hand", "k-02")
    assert (await save_client(api, CREATE, name="A", takesNextNumber=True))["number"] == "K-01"
    assert await fetch_errors(api, CREATE, name="", takesNextNumber=True) == [("INVALID", ["name"])]
    assert (await save_client(api, CREATE, name="B", takesNextNumber=True))["number"] == "K-03"
    many = await asyncio.gather(*(save_client(api, CREATE, name=f"C{index}", takesNextNumber=True) for index in range(5)))
    assert sorted(client["number"] for client in many) == [f"K-0{index}" for index in range(4, 9)]
    client = await org.add_client("Later")
    updated = await save_client(api, UPDATE, id=global_id("Client", client), expectedVersion=1, takesNextNumber=True)
    assert (updated["number"], updated["version"]) == ("K-09", 2)


async def test_number_is_unique_ignoring_case(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error contains the existing client. A client may change the case of its own number."""
    api = api_for(org)
    client = await save_client(api, CREATE, name="A", number="a-1")
    selection = "userErrors { code ... on NumberTakenError { existingClient { name } } }"
    mutation = f'mutation {{ clientCreate(input: {{name: "B", number: "A-1"}}) {{ {selection} }} }}'
    assert (await api.data(mutation))["clientCreate"]["userErrors"] == [{"code": "NUMBER_TAKEN", "existingClient": {"name": "A"}}]
    assert (await save_client(api, UPDATE, id=client["id"], expectedVersion=1, number="A-1"))["number"] == "A-1"
