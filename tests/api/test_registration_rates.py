"""What registered work costs: whose rate counts, and that it stays."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.tables import RegistrationKind, Role
from domain.registrations.rates import RATE_UNITS, compute_amount
from tests.builders import Tenant
from tests.changing import change, everything, refusal
from tests.forms import rate
from tests.ids import global_id
from tests.registering import DAY, HOUR, LUNCH, TRIP, As, altered, client_id, figures, priced, project_id, register

RATED: dict[str, Any] = {"time": {"minutes": 60, "rate": "150"}}
RATES = st.decimals(0, Decimal("999999999999999.9999"), places=4)
COUNTED = st.one_of(
    st.tuples(st.just(RegistrationKind.TIME), st.integers(1, 1440)),
    st.tuples(st.just(RegistrationKind.EXPENSE), st.decimals(Decimal("0.0001"), Decimal("999999999999999.9999"), places=4)),
    st.tuples(st.just(RegistrationKind.MILEAGE), st.decimals(Decimal("0.1"), Decimal("99999999.9"), places=1)),
)


@given(counted=COUNTED, rate=RATES)
def test_an_amount_is_exact_with_half_a_cent_up(counted: tuple[RegistrationKind, int | Decimal], rate: Decimal) -> None:
    """As fractions have it, however many digits there are."""
    kind, count = counted
    name, per = RATE_UNITS[kind]
    found = compute_amount(kind, {name: count}, rate)
    cents = Fraction(count) * Fraction(rate) / per * 100
    assert Fraction(found) * 100 == (cents + Fraction(1, 2)).__floor__()
    assert found.as_tuple().exponent == -2


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
async def test_s24_an_hour_costs_what_its_project_or_client_says(
    as_: As, org: Tenant, method: str | None, project: str | None, client: str | None, expected: tuple[str, str, str]
) -> None:
    """By the project's method, with the client's default behind it; where nobody has a rate that is said, unless none is needed."""
    key = await priced(org, hourly=client)
    where = client_id(key)
    place = {"clientId": where}
    if method:
        place["projectId"] = project_id(await org.add_project(key, invoice_method=method, hourly_rate=project))
    made = await register(as_(org), {"time": {"minutes": 90}}, **place)
    assert figures(made) == expected
    is_paid_hourly = method not in {"NONE", "PROJECT_FIXED"}
    assert made["financial"]["warnings"] == (["NO_RATE"] if expected[1] == "NONE" and is_paid_hourly else [])
    assert made["isBillable"] is (method != "NONE")
    free = await altered(as_(org), made, isBillable=not made["isBillable"])
    assert free["financial"]["warnings"] == []


@pytest.mark.parametrize(("mileage", "expected"), [("0.23", ("0.2300", "CLIENT", "9.32")), (None, ("0.0000", "NONE", "0.00"))])
async def test_s24_a_kilometre_costs_what_the_client_says(
    as_: As, org: Tenant, mileage: str | None, expected: tuple[str, str, str]
) -> None:
    """On a project too, whatever its method."""
    key = await priced(org, mileage=mileage)
    for project in (None, project_id(await org.add_project(key, invoice_method="PROJECT_HOURLY", hourly_rate="80"))):
        made = await register(as_(org), TRIP, clientId=client_id(key), projectId=project)
        assert figures(made) == expected
        assert made["financial"]["warnings"] == ([] if mileage else ["NO_RATE"])


async def test_s24_an_expense_has_a_price_and_the_clients_vat(as_: As, org: Tenant) -> None:
    """Quantity times price; the rate of VAT is the one given, else the client's, else the organization's."""
    api, high, low, own = as_(org), await rate(org), await rate(org, "Laag"), await rate(org, "Eigen")
    plain, other = await priced(org), await priced(org, "Met tarief", vat_rate_id=low)
    made = await register(api, {"expense": {"quantity": "3", "unitPrice": "0.335"}}, clientId=client_id(plain))
    assert (figures(made), made["financial"]["unitPrice"], made["financial"]["vatRate"]) == (
        ("0.3350", "EXPLICIT", "1.01"), {"amount": "0.3350"}, None
    )  # fmt: skip
    await org.owner.execute("UPDATE relaties.organization SET default_vat_rate_id = $2 WHERE tenant_id = $1", org.id, high)
    usual = await register(api, LUNCH, clientId=client_id(plain))
    assert usual["financial"]["vatRate"] == {"name": "Hoog"}
    assert (await register(api, LUNCH, clientId=client_id(other)))["financial"]["vatRate"] == {"name": "Laag"}
    explicit = {"expense": {**LUNCH["expense"], "vatRateId": global_id("VatRate", own)}}
    chosen = await register(api, explicit, clientId=client_id(other))
    assert chosen["financial"]["vatRate"] == {"name": "Eigen"}
    assert (await altered(api, usual, clientId=client_id(other)))["financial"]["vatRate"] == {"name": "Laag"}
    moved = await altered(api, chosen, clientId=client_id(plain))
    assert moved["financial"]["vatRate"] == {"name": "Eigen"}
    dearer = await altered(api, moved, work={"expense": {"unitPrice": "20", "vatRateId": None}})
    assert (figures(dearer), dearer["financial"]["vatRate"]) == (("20.0000", "EXPLICIT", "40.00"), {"name": "Hoog"})


async def test_s24_a_rate_that_is_given_wins_and_stays(as_: As, org: Tenant) -> None:
    """Through changes and moves, until null takes the one of the rules anew."""
    api, client, other = as_(org, Role.FINANCE), await priced(org), await priced(org, "Ander", hourly="70")
    made = await register(api, RATED, clientId=client_id(client))
    assert figures(made) == ("150.0000", "EXPLICIT", "150.00")
    longer = await altered(api, made, work={"time": {"minutes": 90}})
    assert figures(longer) == ("150.0000", "EXPLICIT", "225.00")
    moved = await altered(api, longer, clientId=client_id(other))
    assert figures(moved) == ("150.0000", "EXPLICIT", "225.00")
    ruled = await altered(api, moved, work={"time": {"rate": None}})
    assert figures(ruled) == ("70.0000", "CLIENT", "105.00")
    given_ = await altered(api, ruled, work={"time": {"rate": "10.125", "minutes": 6}})
    assert figures(given_) == ("10.1250", "EXPLICIT", "1.01")
    trip = await register(api, {"mileage": {"distanceKm": "10", "rate": "0.5"}}, clientId=client_id(client))
    assert figures(trip) == ("0.5000", "EXPLICIT", "5.00")
    assert figures(await altered(api, trip, work={"mileage": {"rate": None}})) == ("0.2300", "CLIENT", "2.30")


async def test_s24_what_was_registered_keeps_its_rate(as_: As, org: Tenant) -> None:
    """A new rate of the client or the project changes no row; new work has the new one, and so has what is moved or asks anew."""
    api, key = as_(org), await priced(org)
    where = client_id(key)
    project = await org.add_project(key, invoice_method="PROJECT_HOURLY", hourly_rate="80")
    on_client, on_project = await register(api, clientId=where), await register(api, projectId=project_id(project))
    rows = (await everything(org))["registration"]
    await change(
        api, "clientUpdate", "client { id }", id=where, expectedVersion=1, financial={"defaultHourlyRate": "200", "currency": "USD"}
    )
    await org.owner.execute("UPDATE relaties.project SET hourly_rate = 180 WHERE id = $1", project)
    assert (await everything(org))["registration"] == rows
    longer = await altered(api, on_client, work={"time": {"minutes": 120}})
    assert (figures(longer), longer["financial"]["currency"]) == (("95.0000", "CLIENT", "190.00"), "EUR")
    new = await register(api, clientId=where)
    assert (figures(new), new["financial"]["currency"]) == (("200.0000", "CLIENT", "200.00"), "USD")
    off = await altered(api, on_project, projectId=None)
    assert (figures(off), off["financial"]["currency"]) == (("200.0000", "CLIENT", "200.00"), "USD")
    assert figures(await altered(api, off, projectId=project_id(project))) == ("180.0000", "PROJECT", "180.00")


async def test_a_price_means_the_same_where_it_goes(as_: As, org: Tenant) -> None:
    """What was said in one currency is said anew when it moves to a client of another; a rate of the rules is that client's anyway."""
    api, client = as_(org), await priced(org)
    dollar = client_id(await priced(org, "Dollar", hourly="50", currency="USD"))
    ruled = await register(api, clientId=client_id(client))
    moved = await altered(api, ruled, clientId=dollar)
    assert (figures(moved), moved["financial"]["amount"]["currency"]) == (("50.0000", "CLIENT", "50.00"), "USD")
    for work, patch in ((LUNCH, {"expense": {"unitPrice": "14"}}), (RATED, {"time": {"rate": None}})):
        made = await register(api, work, clientId=client_id(client))
        before = await everything(org)
        found = await refusal(api, "registrationUpdate", id=made["id"], expectedVersion=1, clientId=dollar)
        assert (found["code"], found["path"]) == ("INVALID", ["clientId"])
        assert await everything(org) == before
        assert (await altered(api, made, clientId=dollar, work=patch))["financial"]["currency"] == "USD"


async def test_an_amount_that_has_no_room_is_refused(as_: As, org: Tenant) -> None:
    """At what it comes of: a field, or the client that it moves to."""
    api, client = as_(org), await priced(org)
    dear = client_id(await priced(org, "Duur", mileage="999999999999999"))
    tries: list[tuple[dict[str, Any], list[str]]] = [
        ({"expense": {"quantity": "1000000000", "unitPrice": "100000000"}}, ["work", "expense", "quantity"]),
        ({"mileage": {"distanceKm": "99999999", "rate": "999999999999999"}}, ["work", "mileage", "distanceKm"]),
    ]
    for work, path in tries:
        found = await refusal(api, "registrationCreate", registeredOn=DAY, clientId=client_id(client), work=work)
        assert (found["code"], found["path"]) == ("INVALID", path)
    most = {"expense": {"quantity": "999999999.9999", "unitPrice": "100000000"}}
    assert figures(await register(api, most, clientId=client_id(client)))[2] == "99999999999990000.00"
    driven = await register(api, {"mileage": {"distanceKm": "1000"}}, clientId=client_id(client))
    found = await refusal(api, "registrationUpdate", id=driven["id"], expectedVersion=1, clientId=dear)
    assert (found["code"], found["path"]) == ("INVALID", ["clientId"])
    assert figures(await register(api, HOUR, clientId=dear)) == ("95.0000", "CLIENT", "95.00")
