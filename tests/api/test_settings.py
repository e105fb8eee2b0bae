"""Settings that are used later: rates of VAT, invoice layouts, and those of the organization itself."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from db.tables import Role
from db.tables.keys import new_id
from tests.ask import Api
from tests.builders import Tenant, tenant
from tests.changing import change, everything, forbidden, refusal, refusals, traced
from tests.ids import global_id, key_of, kind_of

RATE = "vatRate { id name country percentage category validFrom validUntil isActive externalCode version }"
LAYOUT = "invoiceLayout { id name language template isDefault isActive version }"
SETTINGS = """organization { name baseCurrency country locale timezone defaultPaymentTermDays fiscalYearStartMonth clientNumberFormat
  invoiceNumberFormat clientRequired projectRequired defaultVatRate { id } defaultLayout { id } version }"""
HIGH: dict[str, object] = {"name": "21 % hoog", "country": "NL", "percentage": "21.00"}


async def settings(api: Api) -> dict[str, Any]:
    """The organization as it is now."""
    found: dict[str, Any] = (await api.data(f"{{ viewer {{ {SETTINGS} }} }}"))["viewer"]["organization"]
    return found


async def layouts(api: Api) -> list[tuple[str, bool]]:
    """Each layout, and whether it is the default."""
    found = await api.data("{ viewer { organization { invoiceLayouts { nodes { name isDefault } } } } }")
    return [(node["name"], node["isDefault"]) for node in found["viewer"]["organization"]["invoiceLayouts"]["nodes"]]


async def test_s22_a_rate_of_vat_is_made_and_given_to_a_client(as_: Callable[..., Api], org: Tenant) -> None:
    """Every field round-trips, the trace tells of it, and the client has that rate and no other."""
    api = as_(org, Role.FINANCE)
    more = {"validFrom": "2026-01-01", "validUntil": "2026-12-31", "externalCode": "1a", "isActive": True}
    rate = await change(api, "vatRateCreate", RATE, **HIGH, category="STANDARD", **more)
    assert rate == {"id": rate["id"], **HIGH, "category": "STANDARD", **more, "version": 1}
    ((operation, action, changes),) = await traced(org, key_of(rate["id"]))
    assert (operation, action, changes["percentage"]) == ("vatRateCreate", "CREATED", [None, "21"])
    shown = "client { financial { vatRate { name percentage } } }"
    client = await change(api, "clientCreate", shown, name="Met tarief", financial={"vatRateId": rate["id"]})
    assert client["financial"]["vatRate"] == {"name": "21 % hoog", "percentage": "21.00"}


async def test_s22_a_rate_of_vat_is_changed_and_the_rest_stays(as_: Callable[..., Api], org: Tenant) -> None:
    """One version on; null clears; the second time nothing is other than it was."""
    api = as_(org, Role.FINANCE)
    rate = await change(api, "vatRateCreate", RATE, **HIGH, validUntil="2026-12-31", externalCode="1a")
    wanted = {"name": "Hoog", "validUntil": None, "isActive": False}
    changed = await change(api, "vatRateUpdate", RATE, id=rate["id"], expectedVersion=1, **wanted)
    assert changed == {**rate, **wanted, "version": 2}
    before = await everything(org)
    assert await change(api, "vatRateUpdate", RATE, id=rate["id"], expectedVersion=2, **wanted) == changed
    assert await everything(org) == before


@pytest.mark.parametrize(
    ("given", "path"),
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
async def test_a_wrong_rate_of_vat_is_refused(as_: Callable[..., Api], org: Tenant, given: dict[str, object], path: str) -> None:
    """At the field that is wrong, and nothing is made."""
    before = await everything(org)
    found = await refusal(as_(org, Role.FINANCE), "vatRateCreate", **{**HIGH, **given})
    assert (found["code"], found["path"]) == ("INVALID", [path])
    assert await everything(org) == before


async def test_what_a_rate_of_vat_becomes_is_looked_at_as_a_whole(as_: Callable[..., Api], org: Tenant) -> None:
    """A change that is right by itself and wrong with what is there is refused, at what was given; what goes with it makes it right."""
    api = as_(org, Role.FINANCE)
    rate = await change(api, "vatRateCreate", RATE, **HIGH, validFrom="2026-02-01")
    same, before = {"id": rate["id"], "expectedVersion": 1}, await everything(org)
    found = await refusals(api, "vatRateUpdate", **same, category="EXEMPT", validUntil="2026-01-31")
    assert [(error["code"], error["path"]) for error in found] == [("INVALID", ["category"]), ("INVALID", ["validUntil"])]
    assert [error["path"] for error in await refusals(api, "vatRateUpdate", **same, category="ZERO", percentage="9")] == [["percentage"]]
    assert await everything(org) == before
    assert (await change(api, "vatRateUpdate", RATE, **same, category="EXEMPT", percentage="0"))["percentage"] == "0.00"
    ended = await change(api, "vatRateUpdate", RATE, id=rate["id"], expectedVersion=2, validUntil="2026-02-01")
    assert (ended["validUntil"], ended["version"]) == ("2026-02-01", 3)
    late = await refusal(api, "vatRateUpdate", id=rate["id"], expectedVersion=3, validFrom="2026-02-02")
    assert late["path"] == ["validFrom"]


async def test_s25_a_layout_is_the_default_until_another_is(as_: Callable[..., Api], org: Tenant) -> None:
    """One at most; the organization and the layouts always say the same; taken back, there is none."""
    api = as_(org)
    first = await change(api, "invoiceLayoutCreate", LAYOUT, name="Een", language="NL", template="smal", isDefault=True)
    assert first == {
        "id": first["id"], "name": "Een", "language": "nl", "template": "smal", "isDefault": True, "isActive": True, "version": 1
    }  # fmt: skip
    assert (await settings(api))["defaultLayout"] == {"id": first["id"]}
    second = await change(api, "invoiceLayoutCreate", LAYOUT, name="Twee")
    assert (second["isDefault"], await layouts(api)) == (False, [("Een", True), ("Twee", False)])
    second = await change(api, "invoiceLayoutUpdate", LAYOUT, id=second["id"], expectedVersion=1, isDefault=True)
    assert (second["version"], await layouts(api)) == (2, [("Een", False), ("Twee", True)])
    assert (await settings(api))["defaultLayout"] == {"id": second["id"]}
    found, before = await settings(api), await everything(org)
    assert await change(api, "invoiceLayoutUpdate", LAYOUT, id=second["id"], expectedVersion=2, isDefault=True) == second
    await change(api, "organizationUpdate", SETTINGS, expectedVersion=found["version"], defaultLayoutId=second["id"])
    assert await everything(org) == before
    chosen = await change(api, "organizationUpdate", SETTINGS, expectedVersion=found["version"], defaultLayoutId=first["id"])
    assert (chosen["defaultLayout"], chosen["version"]) == ({"id": first["id"]}, found["version"] + 1)
    assert await layouts(api) == [("Een", True), ("Twee", False)]
    third = await change(api, "invoiceLayoutCreate", LAYOUT, name="Drie", isDefault=True)
    assert await layouts(api) == [("Een", False), ("Twee", False), ("Drie", True)]
    await change(api, "invoiceLayoutUpdate", LAYOUT, id=third["id"], expectedVersion=1, isDefault=False)
    assert (await settings(api))["defaultLayout"] is None
    assert await layouts(api) == [("Een", False), ("Twee", False), ("Drie", False)]


async def test_s25_of_two_defaults_at_once_one_is_left(as_: Callable[..., Api], org: Tenant) -> None:
    """Made or changed, by the layouts or by the organization: each is done, none fails, and all say the same in the end."""
    api = as_(org)
    made = [await change(api, "invoiceLayoutCreate", LAYOUT, name=f"L{number}") for number in range(4)]
    version = (await settings(api))["version"]
    taken = [change(api, "invoiceLayoutUpdate", LAYOUT, id=one["id"], expectedVersion=1, isDefault=True) for one in made[:3]]
    new = [change(api, "invoiceLayoutCreate", LAYOUT, name=f"N{number}", isDefault=True) for number in range(3)]
    await asyncio.gather(*taken, *new)
    default = [name for name, is_default in await layouts(api) if is_default]
    assert len(default) == 1
    found = await settings(api)
    row = await org.owner.fetchrow("SELECT id, name FROM relaties.invoice_layout WHERE tenant_id = $1 AND is_default", org.id)
    assert row is not None
    assert (found["defaultLayout"]["id"], found["version"]) == (global_id("InvoiceLayout", row["id"]), version + 6)


async def test_s26_two_clients_have_each_their_own_layout(as_: Callable[..., Api], org: Tenant) -> None:
    """Two layouts, two results."""
    api = as_(org, Role.FINANCE)
    for name in ("Smal", "Breed"):
        layout = await change(api, "invoiceLayoutCreate", LAYOUT, name=name)
        shown = "client { financial { invoiceLayout { name } } }"
        client = await change(api, "clientCreate", shown, name=f"Klant {name}", financial={"invoiceLayoutId": layout["id"]})
        assert client["financial"]["invoiceLayout"] == {"name": name}


async def test_s26_a_layout_that_is_used_is_not_deleted(as_: Callable[..., Api], org: Tenant) -> None:
    """By clients, an invoice or as the default: with how many; without any it is gone, and the second time there is none."""
    api = as_(org)
    layout = await change(api, "invoiceLayoutCreate", LAYOUT, name="Oud", isDefault=True)
    key = key_of(layout["id"])
    clients = [await org.add_client(name, invoice_layout_id=key) for name in ("A", "B")]
    invoice = await org.add_invoice(clients[0], date(2026, 1, 1), "10.00", layout_id=key)
    same = {"id": layout["id"], "expectedVersion": 1}
    free = [
        ("UPDATE relaties.client SET invoice_layout_id = NULL WHERE tenant_id = $1 AND id <> $2", [org.id, clients[0]], 3),
        ("UPDATE relaties.client SET invoice_layout_id = NULL WHERE tenant_id = $1", [org.id], 2),
        ("UPDATE relaties.invoice SET layout_id = NULL WHERE tenant_id = $1 AND id = $2", [org.id, invoice], 1),
    ]
    uses = 4
    for statement, values, left in free:
        before = await everything(org)
        found = await refusal(api, "invoiceLayoutDelete", **same)
        assert (found["__typename"], found["code"], found["path"], found["uses"]) == ("InUseError", "IN_USE", ["id"], uses)
        assert await everything(org) == before
        await org.owner.execute(statement, *values)
        uses = left
    assert (await refusal(api, "invoiceLayoutDelete", **same))["uses"] == 1
    await change(api, "invoiceLayoutUpdate", LAYOUT, **same, isDefault=False)
    assert await change(api, "invoiceLayoutDelete", "deletedId", id=layout["id"], expectedVersion=2) == layout["id"]
    assert [(operation, action) for operation, action, _ in await traced(org, key)] == [
        ("invoiceLayoutCreate", "CREATED"),
        ("invoiceLayoutUpdate", "CHANGED"),
        ("invoiceLayoutDelete", "REMOVED"),
    ]
    assert (await refusal(api, "invoiceLayoutDelete", **same))["code"] == "NOT_FOUND"


async def test_every_setting_of_the_organization_is_changed(as_: Callable[..., Api], org: Tenant) -> None:
    """One version on, and it is read as it was written; the second time nothing is other than it was; null clears."""
    api = as_(org, Role.ADMIN)
    rate = await change(api, "vatRateCreate", RATE, **HIGH)
    layout = await change(api, "invoiceLayoutCreate", LAYOUT, name="Standaard")
    plain = {
        "name": "Noord & Zuid", "baseCurrency": "USD", "country": "BE", "locale": "nl-BE", "timezone": "Europe/Brussels",
        "defaultPaymentTermDays": 14, "fiscalYearStartMonth": 4, "clientNumberFormat": "K-####", "invoiceNumberFormat": "2026/###",
        "clientRequired": True, "projectRequired": True,
    }  # fmt: skip
    links = {"defaultVatRateId": rate["id"], "defaultLayoutId": layout["id"]}
    changed = await change(api, "organizationUpdate", SETTINGS, expectedVersion=1, **plain, **links)
    assert changed == {**plain, "defaultVatRate": {"id": rate["id"]}, "defaultLayout": {"id": layout["id"]}, "version": 2}
    ((operation, action, told),) = await traced(org, org.id)
    assert (operation, action, told["base_currency"], len(told)) == ("organizationUpdate", "CHANGED", ["EUR", "USD"], 13)
    before = await everything(org)
    assert await change(api, "organizationUpdate", SETTINGS, expectedVersion=2, **plain, **links) == changed
    assert await everything(org) == before
    empty = {"clientNumberFormat": None, "defaultVatRateId": None, "defaultLayoutId": None}
    cleared = await change(api, "organizationUpdate", SETTINGS, expectedVersion=2, **empty)
    assert cleared == {**changed, "clientNumberFormat": None, "defaultVatRate": None, "defaultLayout": None, "version": 3}
    assert await layouts(api) == [("Standaard", False)]


async def test_wrong_settings_are_refused_all_at_once(as_: Callable[..., Api], org: Tenant) -> None:
    """Each at its path; ids that are nobody's, another type's or another organization's alike; nothing changes."""
    api, other = as_(org), await tenant(org.owner, "Other")
    theirs = await change(as_(other), "invoiceLayoutCreate", LAYOUT, name="Van hen")
    wrong = {
        "baseCurrency": "DEM", "timezone": "Amsterdam", "defaultPaymentTermDays": 366, "fiscalYearStartMonth": 13,
        "clientNumberFormat": "K-", "invoiceNumberFormat": "##-##", "defaultVatRateId": global_id("VatRate", new_id()),
        "defaultLayoutId": theirs["id"],
    }  # fmt: skip
    before = await everything(org)
    found = await refusals(api, "organizationUpdate", expectedVersion=1, name=" ", locale="", **wrong)
    codes = {tuple(error["path"]): error["code"] for error in found}
    invalid = {(name,): "INVALID" for name in ("name", "locale", *wrong) if not name.endswith("Id")}
    assert codes == {**invalid, ("defaultVatRateId",): "NOT_FOUND", ("defaultLayoutId",): "NOT_FOUND"}
    assert "`K-####`" in next(error["message"] for error in found if error["path"] == ["clientNumberFormat"])
    mixed = await refusal(api, "organizationUpdate", expectedVersion=1, defaultVatRateId=theirs["id"])
    assert (mixed["code"], mixed["path"]) == ("NOT_FOUND", ["defaultVatRateId"])
    assert await everything(org) == before


@pytest.mark.parametrize(("status", "is_fixed"), [("DRAFT", False), ("OPEN", True), ("VOID", True)])
async def test_the_base_currency_stays_once_an_invoice_was_issued(
    as_: Callable[..., Api], org: Tenant, status: str, *, is_fixed: bool
) -> None:
    """With the reason; a draft is none; the currency that it is may always be given."""
    api = as_(org)
    await org.add_invoice(await org.add_client("A"), date(2026, 1, 1), "10.00", status=status)
    before = await everything(org)
    found = await refusals(api, "organizationUpdate", expectedVersion=1, baseCurrency="EUR", timezone="Europe/Amsterdam")
    assert (found, await everything(org)) == ([], before)
    found = await refusals(api, "organizationUpdate", expectedVersion=1, baseCurrency="usd")
    assert [(error["code"], error["path"]) for error in found] == ([("INVALID", ["baseCurrency"])] if is_fixed else [])
    assert (await everything(org) == before) is is_fixed
    assert (await settings(api))["baseCurrency"] == ("EUR" if is_fixed else "USD")


async def test_who_saw_another_version_is_refused(as_: Callable[..., Api], org: Tenant) -> None:
    """With the version that it has now; of two at once one is."""
    api = as_(org)
    rate = await change(api, "vatRateCreate", RATE, **HIGH)
    layout = await change(api, "invoiceLayoutCreate", LAYOUT, name="Een")
    tries = [
        ("vatRateUpdate", {"id": rate["id"], "name": "X"}),
        ("invoiceLayoutUpdate", {"id": layout["id"], "name": "X"}),
        ("invoiceLayoutDelete", {"id": layout["id"]}),
        ("organizationUpdate", {"name": "X"}),
    ]
    before = await everything(org)
    for mutation, given in tries:
        found = await refusal(api, mutation, **given, expectedVersion=7)
        assert (found["__typename"], found["code"], found["path"]) == ("VersionConflictError", "VERSION_CONFLICT", ["expectedVersion"])
        assert found["currentVersion"] == 1
    assert await everything(org) == before
    both = await asyncio.gather(*(refusals(api, "organizationUpdate", expectedVersion=1, name=name) for name in ("X", "Y")))
    assert sorted(error["code"] for found in both for error in found) == ["VERSION_CONFLICT"]


async def test_settings_are_changed_by_whom_they_are_for(as_: Callable[..., Api], org: Tenant) -> None:
    """FINANCE_WRITE for rates and layouts, ORGANIZATION_WRITE for the organization; without, nothing changes."""
    rate = await change(as_(org), "vatRateCreate", RATE, **HIGH)
    layout = await change(as_(org), "invoiceLayoutCreate", LAYOUT, name="Een")
    of_rate, of_layout = {"id": rate["id"], "expectedVersion": 1}, {"id": layout["id"], "expectedVersion": 1}
    tries: list[tuple[Role, str, dict[str, object]]] = [
        (Role.MEMBER, "vatRateCreate", HIGH),
        (Role.MEMBER, "vatRateUpdate", {**of_rate, "name": "X"}),
        (Role.VIEWER, "invoiceLayoutCreate", {"name": "X"}),
        (Role.MEMBER, "invoiceLayoutUpdate", {**of_layout, "isDefault": True}),
        (Role.MEMBER, "invoiceLayoutDelete", of_layout),
        (Role.FINANCE, "organizationUpdate", {"expectedVersion": 1, "name": "X"}),
    ]
    before = await everything(org)
    for role, mutation, given in tries:
        assert await forbidden(as_(org, role), mutation, **given)
    assert await everything(org) == before


async def test_what_is_another_organizations_is_not_found(as_: Callable[..., Api], org: Tenant) -> None:
    """The same as what never was; theirs stays as it is."""
    other = await tenant(org.owner, "Other")
    rate = await change(as_(other), "vatRateCreate", RATE, **HIGH)
    layout = await change(as_(other), "invoiceLayoutCreate", LAYOUT, name="Van hen")
    before = await everything(other), await everything(org)
    for mutation, key in (("vatRateUpdate", rate["id"]), ("invoiceLayoutUpdate", layout["id"]), ("invoiceLayoutDelete", layout["id"])):
        for wrong in (key, global_id(kind_of(key), new_id()), global_id("Client", new_id())):
            found = await refusal(as_(org), mutation, id=wrong, expectedVersion=1)
            assert (found["code"], found["path"]) == ("NOT_FOUND", ["id"])
    assert (await everything(other), await everything(org)) == before


async def test_rates_and_layouts_are_read_page_by_page(as_: Callable[..., Api], org: Tenant) -> None:
    """In the order of their making, with a total, both ways; for who may not see figures there are none."""
    for number in range(3):
        await change(as_(org), "vatRateCreate", RATE, **{**HIGH, "name": f"R{number}"})
        await change(as_(org), "invoiceLayoutCreate", LAYOUT, name=f"L{number}")
    for field, letter in (("vatRates", "R"), ("invoiceLayouts", "L")):
        query = f"""query ($first: Int, $after: String, $last: Int) {{ viewer {{ organization {{ page: {field}(first: $first, after: $after,
          last: $last) {{ totalCount nodes {{ name }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
        page = (await as_(org, Role.FINANCE).data(query, first=2))["viewer"]["organization"]["page"]
        assert (page["totalCount"], page["nodes"]) == (3, [{"name": f"{letter}0"}, {"name": f"{letter}1"}])
        rest = (await as_(org, Role.FINANCE).data(query, first=2, after=page["pageInfo"]["endCursor"]))["viewer"]["organization"]["page"]
        assert (rest["nodes"], rest["pageInfo"]["hasNextPage"]) == ([{"name": f"{letter}2"}], False)
        last = (await as_(org, Role.FINANCE).data(query, last=1))["viewer"]["organization"]["page"]
        assert last["nodes"] == [{"name": f"{letter}2"}]
        assert (await as_(org, Role.MEMBER).data(query))["viewer"]["organization"]["page"] is None
    assert (await as_(org, Role.MEMBER).data(f"{{ viewer {{ {SETTINGS} }} }}"))["viewer"]["organization"]["defaultLayout"] is None
