"""Test the rate and the amount of registered work: which rate applies, and that it does not change later."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.tables import RegistrationKind, Role
from domain.registrations.rates import RATE_UNITS, compute_amount
from tests.support.builders import Tenant
from tests.support.client_forms import create_vat_rate
from tests.support.ids import global_id
from tests.support.mutations import dump_rows, fetch_error, mutate
from tests.support.registrations import (
    DAY,
    HOUR,
    LUNCH,
    TRIP,
    ApiFor,
    client_id,
    create_client_with_rates,
    project_id,
    rate_and_amount,
    register,
    update_registration,
)

TIME_WITH_RATE: dict[str, Any] = {"time": {"minutes": 60, "rate": "150"}}
RATES = st.decimals(0, Decimal("999999999999999.9999"), places=4)
QUANTITIES = st.one_of(
    st.tuples(st.just(RegistrationKind.TIME), st.integers(1, 1440)),
    st.tuples(st.just(RegistrationKind.EXPENSE), st.decimals(Decimal("0.0001"), Decimal("999999999999999.9999"), places=4)),
    st.tuples(st.just(RegistrationKind.MILEAGE), st.decimals(Decimal("0.1"), Decimal("99999999.9"), places=1)),
)


@given(quantity=QUANTITIES, rate=RATES)
def test_amount_is_exact_and_rounds_half_up(quantity: tuple[RegistrationKind, int | Decimal], rate: Decimal) -> None:
    """Amounts are compared with exact fractions, for any number of digits."""
    kind, count = quantity
    name, per = RATE_UNITS[kind]
    result = compute_amount(kind, {name: count}, rate)
    cents = Fraction(count) * Fraction(rate) / per * 100
    assert Fraction(result) * 100 == (cents + Fraction(1, 2)).__floor__()
    assert result.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("method", "project", "client", "expected"),
    [
        ("NONE", "80", "95", ("0.0000", "NONE", "0.00")),
        ("PROJECT_FIXED", "80", "95", ("0.0000", "NONE", "0.00")),
        ("PROJECT_HOURLY", "80", "95", ("80.0000", "PROJECT", "120.00")),
        ("PROJECT_HOURLY", "0", "95", ("0.0000", "PROJECT", "0.00")),
        ("PROJECT_HOURLY", None, "95", ("95.0000", "CLIENT", "142.50")),
        ("PROJECT_HOURLY", None, None, ("0.0000", "NONE", "0.00")),
        ("CLIENT_HOURLY", "80", "95", ("95.0000", "CLIENT", "142.50")),
        ("CLIENT_HOURLY", "80", None, ("0.0000", "NONE", "0.00")),
        (None, None, "95.3333", ("95.3333", "CLIENT", "143.00")),
        (None, None, None, ("0.0000", "NONE", "0.00")),
    ],
)
async def test_s24_hourly_rate_comes_from_project_or_client(
    api_for: ApiFor, org: Tenant, method: str | None, project: str | None, client: str | None, expected: tuple[str, str, str]
) -> None:
    """The project's method decides, and the client's rate is the default. A missing rate is a warning, unless no rate is needed."""
    key = await create_client_with_rates(org, hourly=client)
    global_client_id = client_id(key)
    target = {"clientId": global_client_id}
    if method:
        target["projectId"] = project_id(await org.add_project(key, invoice_method=method, hourly_rate=project))
    registration = await register(api_for(org), {"time": {"minutes": 90}}, **target)
    assert rate_and_amount(registration) == expected
    is_paid_hourly = method not in {"NONE", "PROJECT_FIXED"}
    assert registration["financial"]["warnings"] == (["NO_RATE"] if expected[1] == "NONE" and is_paid_hourly else [])
    assert registration["isBillable"] is (method != "NONE")
    changed_registration = await update_registration(api_for(org), registration, isBillable=not registration["isBillable"])
    assert changed_registration["financial"]["warnings"] == []


@pytest.mark.parametrize(("mileage", "expected"), [("0.23", ("0.2300", "CLIENT", "9.32")), (None, ("0.0000", "NONE", "0.00"))])
async def test_s24_mileage_rate_comes_from_the_client_even_on_a_project(
    api_for: ApiFor, org: Tenant, mileage: str | None, expected: tuple[str, str, str]
) -> None:
    key = await create_client_with_rates(org, mileage=mileage)
    for project in (None, project_id(await org.add_project(key, invoice_method="PROJECT_HOURLY", hourly_rate="80"))):
        registration = await register(api_for(org), TRIP, clientId=client_id(key), projectId=project)
        assert rate_and_amount(registration) == expected
        assert registration["financial"]["warnings"] == ([] if mileage else ["NO_RATE"])


async def test_s24_expense_has_a_price_and_the_client_vat(api_for: ApiFor, org: Tenant) -> None:
    """The amount is quantity times price. The VAT rate is the one given, or the client's, or the organization's."""
    api, high, low, own = api_for(org), await create_vat_rate(org), await create_vat_rate(org, "Laag"), await create_vat_rate(org, "Eigen")
    plain, other = await create_client_with_rates(org), await create_client_with_rates(org, "Met tarief", vat_rate_id=low)
    registration = await register(api, {"expense": {"quantity": "3", "unitPrice": "0.335"}}, clientId=client_id(plain))
    assert (rate_and_amount(registration), registration["financial"]["unitPrice"], registration["financial"]["vatRate"]) == (
        ("0.3350", "EXPLICIT", "1.01"), {"amount": "0.3350"}, None
    )  # fmt: skip
    await org.owner.execute("UPDATE relaties.organization SET default_vat_rate_id = $2 WHERE tenant_id = $1", org.id, high)
    default_vat = await register(api, LUNCH, clientId=client_id(plain))
    assert default_vat["financial"]["vatRate"] == {"name": "Hoog"}
    assert (await register(api, LUNCH, clientId=client_id(other)))["financial"]["vatRate"] == {"name": "Laag"}
    explicit = {"expense": {**LUNCH["expense"], "vatRateId": global_id("VatRate", own)}}
    explicit_registration = await register(api, explicit, clientId=client_id(other))
    assert explicit_registration["financial"]["vatRate"] == {"name": "Eigen"}
    assert (await update_registration(api, default_vat, clientId=client_id(other)))["financial"]["vatRate"] == {"name": "Laag"}
    moved = await update_registration(api, explicit_registration, clientId=client_id(plain))
    assert moved["financial"]["vatRate"] == {"name": "Eigen"}
    new_price = await update_registration(api, moved, work={"expense": {"unitPrice": "20", "vatRateId": None}})
    assert (rate_and_amount(new_price), new_price["financial"]["vatRate"]) == (("20.0000", "EXPLICIT", "40.00"), {"name": "Hoog"})


async def test_s24_explicit_rate_wins_and_stays(api_for: ApiFor, org: Tenant) -> None:
    """It stays through changes and moves, until null restores the default rate."""
    api, client, other = (
        api_for(org, Role.FINANCE),
        await create_client_with_rates(org),
        await create_client_with_rates(org, "Ander", hourly="70"),
    )
    registration = await register(api, TIME_WITH_RATE, clientId=client_id(client))
    assert rate_and_amount(registration) == ("150.0000", "EXPLICIT", "150.00")
    longer = await update_registration(api, registration, work={"time": {"minutes": 90}})
    assert rate_and_amount(longer) == ("150.0000", "EXPLICIT", "225.00")
    moved = await update_registration(api, longer, clientId=client_id(other))
    assert rate_and_amount(moved) == ("150.0000", "EXPLICIT", "225.00")
    default_rate = await update_registration(api, moved, work={"time": {"rate": None}})
    assert rate_and_amount(default_rate) == ("70.0000", "CLIENT", "105.00")
    new_rate = await update_registration(api, default_rate, work={"time": {"rate": "10.125", "minutes": 6}})
    assert rate_and_amount(new_rate) == ("10.1250", "EXPLICIT", "1.01")
    trip = await register(api, {"mileage": {"distanceKm": "10", "rate": "0.5"}}, clientId=client_id(client))
    assert rate_and_amount(trip) == ("0.5000", "EXPLICIT", "5.00")
    assert rate_and_amount(await update_registration(api, trip, work={"mileage": {"rate": None}})) == ("0.2300", "CLIENT", "2.30")


async def test_s24_registration_keeps_its_rate(api_for: ApiFor, org: Tenant) -> None:
    """A new rate of the client or the project changes no row. New, moved and reset registrations get the new rate."""
    api, key = api_for(org), await create_client_with_rates(org)
    client = client_id(key)
    project = await org.add_project(key, invoice_method="PROJECT_HOURLY", hourly_rate="80")
    on_client, on_project = await register(api, clientId=client), await register(api, projectId=project_id(project))
    rows = (await dump_rows(org))["registration"]
    await mutate(
        api, "clientUpdate", "client { id }", id=client, expectedVersion=1, financial={"defaultHourlyRate": "200", "currency": "USD"}
    )
    await org.owner.execute("UPDATE relaties.project SET hourly_rate = 180 WHERE id = $1", project)
    assert (await dump_rows(org))["registration"] == rows
    longer = await update_registration(api, on_client, work={"time": {"minutes": 120}})
    assert (rate_and_amount(longer), longer["financial"]["currency"]) == (("95.0000", "CLIENT", "190.00"), "EUR")
    new = await register(api, clientId=client)
    assert (rate_and_amount(new), new["financial"]["currency"]) == (("200.0000", "CLIENT", "200.00"), "USD")
    off_project = await update_registration(api, on_project, projectId=None)
    assert (rate_and_amount(off_project), off_project["financial"]["currency"]) == (("200.0000", "CLIENT", "200.00"), "USD")
    assert rate_and_amount(await update_registration(api, off_project, projectId=project_id(project))) == ("180.0000", "PROJECT", "180.00")


async def test_price_needs_the_same_currency_after_a_move(api_for: ApiFor, org: Tenant) -> None:
    """An explicit price must be given again after a move to another currency. A default rate is always that of the client."""
    api, client = api_for(org), await create_client_with_rates(org)
    dollar = client_id(await create_client_with_rates(org, "Dollar", hourly="50", currency="USD"))
    registration = await register(api, clientId=client_id(client))
    moved = await update_registration(api, registration, clientId=dollar)
    assert (rate_and_amount(moved), moved["financial"]["amount"]["currency"]) == (("50.0000", "CLIENT", "50.00"), "USD")
    for work, patch in ((LUNCH, {"expense": {"unitPrice": "14"}}), (TIME_WITH_RATE, {"time": {"rate": None}})):
        priced_registration = await register(api, work, clientId=client_id(client))
        before = await dump_rows(org)
        error = await fetch_error(api, "registrationUpdate", id=priced_registration["id"], expectedVersion=1, clientId=dollar)
        assert (error["code"], error["path"]) == ("INVALID", ["clientId"])
        assert await dump_rows(org) == before
        assert (await update_registration(api, priced_registration, clientId=dollar, work=patch))["financial"]["currency"] == "USD"


async def test_too_large_amount_is_rejected(api_for: ApiFor, org: Tenant) -> None:
    """The error has the path of the field that makes it too large, or of the client to which a registration is moved."""
    api, client = api_for(org), await create_client_with_rates(org)
    expensive_client = client_id(await create_client_with_rates(org, "Duur", mileage="999999999999999"))
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"expense": {"quantity": "1000000000", "unitPrice": "100000000"}}, ["work", "expense", "quantity"]),
        ({"mileage": {"distanceKm": "99999999", "rate": "999999999999999"}}, ["work", "mileage", "distanceKm"]),
    ]
    for work, path in cases:
        error = await fetch_error(api, "registrationCreate", registeredOn=DAY, clientId=client_id(client), work=work)
        assert (error["code"], error["path"]) == ("INVALID", path)
    largest = {"expense": {"quantity": "999999999.9999", "unitPrice": "100000000"}}
    assert rate_and_amount(await register(api, largest, clientId=client_id(client)))[2] == "99999999999990000.00"
    mileage = await register(api, {"mileage": {"distanceKm": "1000"}}, clientId=client_id(client))
    error = await fetch_error(api, "registrationUpdate", id=mileage["id"], expectedVersion=1, clientId=expensive_client)
    assert (error["code"], error["path"]) == ("INVALID", ["clientId"])
    assert rate_and_amount(await register(api, HOUR, clientId=expensive_client)) == ("95.0000", "CLIENT", "95.00")
