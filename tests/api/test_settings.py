"""Test settings: VAT rates, invoice layouts, and those of the organization itself."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant
from tests.support.ids import decode_key, global_id, type_of
from tests.support.mutations import dump_rows, fetch_audit_events, fetch_error, fetch_errors, is_forbidden, mutate

RATE = "vatRate { id name country percentage category validFrom validUntil isActive externalCode version }"
LAYOUT = "invoiceLayout { id name language template isDefault isActive version }"
SETTINGS = """organization { name baseCurrency country locale timezone defaultPaymentTermDays fiscalYearStartMonth clientNumberFormat
  invoiceNumberFormat clientRequired projectRequired defaultVatRate { id } defaultLayout { id } version }"""
HIGH: dict[str, object] = {"name": "21 % hoog", "country": "NL", "percentage": "21.00"}


async def fetch_settings(api: Api) -> dict[str, Any]:
    """Return the settings of the organization."""
    settings_data: dict[str, Any] = (await api.data(f"{{ viewer {{ {SETTINGS} }} }}"))["viewer"]["organization"]
    return settings_data


async def fetch_layouts(api: Api) -> list[tuple[str, bool]]:
    """Return the name of each layout, and whether it is the default."""
    data = await api.data("{ viewer { organization { invoiceLayouts { nodes { name isDefault } } } } }")
    return [(node["name"], node["isDefault"]) for node in data["viewer"]["organization"]["invoiceLayouts"]["nodes"]]


async def test_s22_vat_rate_is_created_and_assigned_to_a_client(api_for: Callable[..., Api], org: Tenant) -> None:
    """Every field is returned as given, the creation is recorded, and the client shows this rate."""
    api = api_for(org, Role.FINANCE)
    more = {"validFrom": "2026-01-01", "validUntil": "2026-12-31", "externalCode": "1a", "isActive": True}
    rate = await mutate(api, "vatRateCreate", RATE, **HIGH, category="STANDARD", **more)
    assert rate == {"id": rate["id"], **HIGH, "category": "STANDARD", **more, "version": 1}
    ((operation, action, changes),) = await fetch_audit_events(org, decode_key(rate["id"]))
    assert (operation, action, changes["percentage"]) == ("vatRateCreate", "CREATED", [None, "21"])
    selection = "client { financial { vatRate { name percentage } } }"
    client = await mutate(api, "clientCreate", selection, name="Met tarief", financial={"vatRateId": rate["id"]})
    assert client["financial"]["vatRate"] == {"name": "21 % hoog", "percentage": "21.00"}


async def test_s22_vat_rate_update_changes_only_given_fields(api_for: Callable[..., Api], org: Tenant) -> None:
    """It is one new version, null clears, and repeating the update changes nothing."""
    api = api_for(org, Role.FINANCE)
    rate = await mutate(api, "vatRateCreate", RATE, **HIGH, validUntil="2026-12-31", externalCode="1a")
    changes = {"name": "Hoog", "validUntil": None, "isActive": False}
    changed = await mutate(api, "vatRateUpdate", RATE, id=rate["id"], expectedVersion=1, **changes)
    assert changed == {**rate, **changes, "version": 2}
    before = await dump_rows(org)
    assert await mutate(api, "vatRateUpdate", RATE, id=rate["id"], expectedVersion=2, **changes) == changed
    assert await dump_rows(org) == before


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"category": "REVERSE_CHARGE"}, "percentage"),
        ({"category": "ZERO", "percentage": "0.01"}, "percentage"),
        ({"validFrom": "2026-02-01", "validUntil": "2026-01-31"}, "validUntil"),
        ({"percentage": "100.01"}, "percentage"),
        ({"percentage": "9.001"}, "percentage"),
        ({"country": "UK"}, "country"),
        ({"name": " "}, "name"),
    ],
    ids=str,
)
async def test_invalid_vat_rate_is_rejected(api_for: Callable[..., Api], org: Tenant, arguments: dict[str, object], path: str) -> None:
    """The error has the path of the invalid field, and nothing is created."""
    before = await dump_rows(org)
    error = await fetch_error(api_for(org, Role.FINANCE), "vatRateCreate", **{**HIGH, **arguments})
    assert (error["code"], error["path"]) == ("INVALID", [path])
    assert await dump_rows(org) == before


async def test_changed_vat_rate_is_validated_as_a_whole(api_for: Callable[..., Api], org: Tenant) -> None:
    """A value that conflicts with stored values is rejected at its path. It is accepted together with values that fit."""
    api = api_for(org, Role.FINANCE)
    rate = await mutate(api, "vatRateCreate", RATE, **HIGH, validFrom="2026-02-01")
    same, before = {"id": rate["id"], "expectedVersion": 1}, await dump_rows(org)
    errors = await fetch_errors(api, "vatRateUpdate", **same, category="EXEMPT", validUntil="2026-01-31")
    assert [(error["code"], error["path"]) for error in errors] == [("INVALID", ["category"]), ("INVALID", ["validUntil"])]
    assert [error["path"] for error in await fetch_errors(api, "vatRateUpdate", **same, category="ZERO", percentage="9")] == [
        ["percentage"]
    ]
    assert await dump_rows(org) == before
    assert (await mutate(api, "vatRateUpdate", RATE, **same, category="EXEMPT", percentage="0"))["percentage"] == "0.00"
    ended = await mutate(api, "vatRateUpdate", RATE, id=rate["id"], expectedVersion=2, validUntil="2026-02-01")
    assert (ended["validUntil"], ended["version"]) == ("2026-02-01", 3)
    late = await fetch_error(api, "vatRateUpdate", id=rate["id"], expectedVersion=3, validFrom="2026-02-02")
    assert late["path"] == ["validFrom"]


async def test_s25_layout_is_the_default_until_another_one_is(api_for: Callable[..., Api], org: Tenant) -> None:
    """The organization and its layouts always agree on the default. It can also be cleared."""
    api = api_for(org)
    first = await mutate(api, "invoiceLayoutCreate", LAYOUT, name="Een", language="NL", template="smal", isDefault=True)
    assert first == {
        "id": first["id"], "name": "Een", "language": "nl", "template": "smal", "isDefault": True, "isActive": True, "version": 1
    }  # fmt: skip
    assert (await fetch_settings(api))["defaultLayout"] == {"id": first["id"]}
    second = await mutate(api, "invoiceLayoutCreate", LAYOUT, name="Twee")
    assert (second["isDefault"], await fetch_layouts(api)) == (False, [("Een", True), ("Twee", False)])
    second = await mutate(api, "invoiceLayoutUpdate", LAYOUT, id=second["id"], expectedVersion=1, isDefault=True)
    assert (second["version"], await fetch_layouts(api)) == (2, [("Een", False), ("Twee", True)])
    assert (await fetch_settings(api))["defaultLayout"] == {"id": second["id"]}
    settings_data, before = await fetch_settings(api), await dump_rows(org)
    assert await mutate(api, "invoiceLayoutUpdate", LAYOUT, id=second["id"], expectedVersion=2, isDefault=True) == second
    await mutate(api, "organizationUpdate", SETTINGS, expectedVersion=settings_data["version"], defaultLayoutId=second["id"])
    assert await dump_rows(org) == before
    updated_settings = await mutate(
        api, "organizationUpdate", SETTINGS, expectedVersion=settings_data["version"], defaultLayoutId=first["id"]
    )
    assert (updated_settings["defaultLayout"], updated_settings["version"]) == ({"id": first["id"]}, settings_data["version"] + 1)
    assert await fetch_layouts(api) == [("Een", True), ("Twee", False)]
    third = await mutate(api, "invoiceLayoutCreate", LAYOUT, name="Drie", isDefault=True)
    assert await fetch_layouts(api) == [("Een", False), ("Twee", False), ("Drie", True)]
    await mutate(api, "invoiceLayoutUpdate", LAYOUT, id=third["id"], expectedVersion=1, isDefault=False)
    assert (await fetch_settings(api))["defaultLayout"] is None
    assert await fetch_layouts(api) == [("Een", False), ("Twee", False), ("Drie", False)]


async def test_s25_concurrent_defaults_leave_one(api_for: Callable[..., Api], org: Tenant) -> None:
    """All of the concurrent updates and creations succeed. In the end the organization and its layouts agree."""
    api = api_for(org)
    new_layouts = [await mutate(api, "invoiceLayoutCreate", LAYOUT, name=f"L{number}") for number in range(4)]
    version = (await fetch_settings(api))["version"]
    updates = [mutate(api, "invoiceLayoutUpdate", LAYOUT, id=one["id"], expectedVersion=1, isDefault=True) for one in new_layouts[:3]]
    new = [mutate(api, "invoiceLayoutCreate", LAYOUT, name=f"N{number}", isDefault=True) for number in range(3)]
    await asyncio.gather(*updates, *new)
    default = [name for name, is_default in await fetch_layouts(api) if is_default]
    assert len(default) == 1
    settings_data = await fetch_settings(api)
    row = await org.owner.fetchrow("SELECT id, name FROM relaties.invoice_layout WHERE tenant_id = $1 AND is_default", org.id)
    assert row is not None
    assert (settings_data["defaultLayout"]["id"], settings_data["version"]) == (global_id("InvoiceLayout", row["id"]), version + 6)


async def test_s26_clients_have_their_own_layouts(api_for: Callable[..., Api], org: Tenant) -> None:
    api = api_for(org, Role.FINANCE)
    for name in ("Smal", "Breed"):
        layout = await mutate(api, "invoiceLayoutCreate", LAYOUT, name=name)
        selection = "client { financial { invoiceLayout { name } } }"
        client = await mutate(api, "clientCreate", selection, name=f"Klant {name}", financial={"invoiceLayoutId": layout["id"]})
        assert client["financial"]["invoiceLayout"] == {"name": name}


async def test_s26_layout_in_use_is_not_deleted(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error counts clients, invoices and the organization's default. A layout without uses is deleted."""
    api = api_for(org)
    layout = await mutate(api, "invoiceLayoutCreate", LAYOUT, name="Oud", isDefault=True)
    key = decode_key(layout["id"])
    clients = [await org.add_client(name, invoice_layout_id=key) for name in ("A", "B")]
    invoice = await org.add_invoice(clients[0], date(2026, 1, 1), "10.00", layout_id=key)
    same = {"id": layout["id"], "expectedVersion": 1}
    free = [
        ("UPDATE relaties.client SET invoice_layout_id = NULL WHERE tenant_id = $1 AND id <> $2", [org.id, clients[0]], 3),
        ("UPDATE relaties.client SET invoice_layout_id = NULL WHERE tenant_id = $1", [org.id], 2),
        ("UPDATE relaties.invoice SET layout_id = NULL WHERE tenant_id = $1 AND id = $2", [org.id, invoice], 1),
    ]
    uses = 4
    for statement, values, remaining in free:
        before = await dump_rows(org)
        error = await fetch_error(api, "invoiceLayoutDelete", **same)
        assert (error["__typename"], error["code"], error["path"], error["uses"]) == ("InUseError", "IN_USE", ["id"], uses)
        assert await dump_rows(org) == before
        await org.owner.execute(statement, *values)
        uses = remaining
    assert (await fetch_error(api, "invoiceLayoutDelete", **same))["uses"] == 1
    await mutate(api, "invoiceLayoutUpdate", LAYOUT, **same, isDefault=False)
    assert await mutate(api, "invoiceLayoutDelete", "deletedId", id=layout["id"], expectedVersion=2) == layout["id"]
    assert [(operation, action) for operation, action, _ in await fetch_audit_events(org, key)] == [
        ("invoiceLayoutCreate", "CREATED"),
        ("invoiceLayoutUpdate", "CHANGED"),
        ("invoiceLayoutDelete", "REMOVED"),
    ]
    assert (await fetch_error(api, "invoiceLayoutDelete", **same))["code"] == "NOT_FOUND"


async def test_every_organization_setting_can_be_changed(api_for: Callable[..., Api], org: Tenant) -> None:
    """It is one new version with the given values, repeating the update changes nothing, and null clears."""
    api = api_for(org, Role.ADMIN)
    rate = await mutate(api, "vatRateCreate", RATE, **HIGH)
    layout = await mutate(api, "invoiceLayoutCreate", LAYOUT, name="Standaard")
    plain = {
        "name": "Noord & Zuid", "baseCurrency": "USD", "country": "BE", "locale": "nl-BE", "timezone": "Europe/Brussels",
        "defaultPaymentTermDays": 14, "fiscalYearStartMonth": 4, "clientNumberFormat": "K-####", "invoiceNumberFormat": "2026/###",
        "clientRequired": True, "projectRequired": True,
    }  # fmt: skip
    links = {"defaultVatRateId": rate["id"], "defaultLayoutId": layout["id"]}
    changed = await mutate(api, "organizationUpdate", SETTINGS, expectedVersion=1, **plain, **links)
    assert changed == {**plain, "defaultVatRate": {"id": rate["id"]}, "defaultLayout": {"id": layout["id"]}, "version": 2}
    ((operation, action, changes),) = await fetch_audit_events(org, org.id)
    assert (operation, action, changes["base_currency"], len(changes)) == ("organizationUpdate", "CHANGED", ["EUR", "USD"], 13)
    before = await dump_rows(org)
    assert await mutate(api, "organizationUpdate", SETTINGS, expectedVersion=2, **plain, **links) == changed
    assert await dump_rows(org) == before
    empty = {"clientNumberFormat": None, "defaultVatRateId": None, "defaultLayoutId": None}
    cleared = await mutate(api, "organizationUpdate", SETTINGS, expectedVersion=2, **empty)
    assert cleared == {**changed, "clientNumberFormat": None, "defaultVatRate": None, "defaultLayout": None, "version": 3}
    assert await fetch_layouts(api) == [("Standaard", False)]


async def test_all_invalid_settings_are_reported_at_once(api_for: Callable[..., Api], org: Tenant) -> None:
    """Each error has its path. Ids that are unknown, of another type or of another organization get the same error."""
    api, other = api_for(org), await create_tenant(org.owner, "Other")
    theirs = await mutate(api_for(other), "invoiceLayoutCreate", LAYOUT, name="Van hen")
    wrong = {
        "baseCurrency": "DEM", "timezone": "Amsterdam", "defaultPaymentTermDays": 366, "fiscalYearStartMonth": 13,
        "clientNumberFormat": "K-", "invoiceNumberFormat": "##-##", "defaultVatRateId": global_id("VatRate", new_id()),
        "defaultLayoutId": theirs["id"],
    }  # fmt: skip
    before = await dump_rows(org)
    errors = await fetch_errors(api, "organizationUpdate", expectedVersion=1, name=" ", locale="", **wrong)
    codes = {tuple(error["path"]): error["code"] for error in errors}
    invalid = {(name,): "INVALID" for name in ("name", "locale", *wrong) if not name.endswith("Id")}
    assert codes == {**invalid, ("defaultVatRateId",): "NOT_FOUND", ("defaultLayoutId",): "NOT_FOUND"}
    assert "`K-####`" in next(error["message"] for error in errors if error["path"] == ["clientNumberFormat"])
    mixed = await fetch_error(api, "organizationUpdate", expectedVersion=1, defaultVatRateId=theirs["id"])
    assert (mixed["code"], mixed["path"]) == ("NOT_FOUND", ["defaultVatRateId"])
    assert await dump_rows(org) == before


@pytest.mark.parametrize(("status", "is_fixed"), [("DRAFT", False), ("OPEN", True), ("VOID", True)])
async def test_base_currency_is_fixed_after_the_first_issued_invoice(
    api_for: Callable[..., Api], org: Tenant, status: str, *, is_fixed: bool
) -> None:
    """Drafts are not issued. The current currency may always be given."""
    api = api_for(org)
    await org.add_invoice(await org.add_client("A"), date(2026, 1, 1), "10.00", status=status)
    before = await dump_rows(org)
    errors = await fetch_errors(api, "organizationUpdate", expectedVersion=1, baseCurrency="EUR", timezone="Europe/Amsterdam")
    assert (errors, await dump_rows(org)) == ([], before)
    errors = await fetch_errors(api, "organizationUpdate", expectedVersion=1, baseCurrency="usd")
    assert [(error["code"], error["path"]) for error in errors] == ([("INVALID", ["baseCurrency"])] if is_fixed else [])
    assert (await dump_rows(org) == before) is is_fixed
    assert (await fetch_settings(api))["baseCurrency"] == ("EUR" if is_fixed else "USD")


async def test_outdated_version_is_rejected(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error has the current version. Of two concurrent updates, one is rejected."""
    api = api_for(org)
    rate = await mutate(api, "vatRateCreate", RATE, **HIGH)
    layout = await mutate(api, "invoiceLayoutCreate", LAYOUT, name="Een")
    tries = [
        ("VatRate", "vatRateUpdate", {"id": rate["id"], "name": "X"}),
        ("InvoiceLayout", "invoiceLayoutUpdate", {"id": layout["id"], "name": "X"}),
        ("InvoiceLayout", "invoiceLayoutDelete", {"id": layout["id"]}),
        ("Organization", "organizationUpdate", {"name": "X"}),
    ]
    before = await dump_rows(org)
    for kind, mutation, arguments in tries:
        error = await fetch_error(api, mutation, **arguments, expectedVersion=7)
        assert (error["__typename"], error["code"], error["path"]) == (
            f"{kind}VersionConflictError",
            "VERSION_CONFLICT",
            ["expectedVersion"],
        )
        assert error["currentVersion"] == 1
    assert await dump_rows(org) == before
    both = await asyncio.gather(*(fetch_errors(api, "organizationUpdate", expectedVersion=1, name=name) for name in ("X", "Y")))
    assert sorted(error["code"] for errors in both for error in errors) == ["VERSION_CONFLICT"]


async def test_settings_require_their_permission(api_for: Callable[..., Api], org: Tenant) -> None:
    """Rates and layouts require `FINANCE_WRITE`, and the organization's settings require `ORGANIZATION_WRITE`."""
    rate = await mutate(api_for(org), "vatRateCreate", RATE, **HIGH)
    layout = await mutate(api_for(org), "invoiceLayoutCreate", LAYOUT, name="Een")
    of_rate, of_layout = {"id": rate["id"], "expectedVersion": 1}, {"id": layout["id"], "expectedVersion": 1}
    tries: list[tuple[Role, str, dict[str, object]]] = [
        (Role.MEMBER, "vatRateCreate", HIGH),
        (Role.MEMBER, "vatRateUpdate", {**of_rate, "name": "X"}),
        (Role.VIEWER, "invoiceLayoutCreate", {"name": "X"}),
        (Role.MEMBER, "invoiceLayoutUpdate", {**of_layout, "isDefault": True}),
        (Role.MEMBER, "invoiceLayoutDelete", of_layout),
        (Role.FINANCE, "organizationUpdate", {"expectedVersion": 1, "name": "X"}),
    ]
    before = await dump_rows(org)
    for role, mutation, arguments in tries:
        assert await is_forbidden(api_for(org, role), mutation, **arguments)
    assert await dump_rows(org) == before


async def test_objects_of_another_organization_are_not_found(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error is the same for unknown ids and ids of another type, and nothing changes."""
    other = await create_tenant(org.owner, "Other")
    rate = await mutate(api_for(other), "vatRateCreate", RATE, **HIGH)
    layout = await mutate(api_for(other), "invoiceLayoutCreate", LAYOUT, name="Van hen")
    before = await dump_rows(other), await dump_rows(org)
    for mutation, key in (("vatRateUpdate", rate["id"]), ("invoiceLayoutUpdate", layout["id"]), ("invoiceLayoutDelete", layout["id"])):
        for wrong in (key, global_id(type_of(key), new_id()), global_id("Client", new_id())):
            error = await fetch_error(api_for(org), mutation, id=wrong, expectedVersion=1)
            assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])
    assert (await dump_rows(other), await dump_rows(org)) == before


async def test_vat_rates_and_layouts_are_paginated(api_for: Callable[..., Api], org: Tenant) -> None:
    """They are sorted by creation, in both directions. Without permission to read figures, the lists are null."""
    for number in range(3):
        await mutate(api_for(org), "vatRateCreate", RATE, **{**HIGH, "name": f"R{number}"})
        await mutate(api_for(org), "invoiceLayoutCreate", LAYOUT, name=f"L{number}")
    for field, letter in (("vatRates", "R"), ("invoiceLayouts", "L")):
        query = f"""query ($first: Int, $after: String, $last: Int) {{ viewer {{ organization {{ page: {field}(first: $first, after: $after,
          last: $last) {{ totalCount nodes {{ name }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
        page = (await api_for(org, Role.FINANCE).data(query, first=2))["viewer"]["organization"]["page"]
        assert (page["totalCount"], page["nodes"]) == (3, [{"name": f"{letter}0"}, {"name": f"{letter}1"}])
        rest = (await api_for(org, Role.FINANCE).data(query, first=2, after=page["pageInfo"]["endCursor"]))["viewer"]["organization"][
            "page"
        ]
        assert (rest["nodes"], rest["pageInfo"]["hasNextPage"]) == ([{"name": f"{letter}2"}], False)
        last = (await api_for(org, Role.FINANCE).data(query, last=1))["viewer"]["organization"]["page"]
        assert last["nodes"] == [{"name": f"{letter}2"}]
        assert (await api_for(org, Role.MEMBER).data(query))["viewer"]["organization"]["page"] is None
    assert (await api_for(org, Role.MEMBER).data(f"{{ viewer {{ {SETTINGS} }} }}"))["viewer"]["organization"]["defaultLayout"] is None
