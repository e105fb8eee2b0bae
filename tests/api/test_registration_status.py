"""How far a registration is: every step from every status, and what is locked there."""

from typing import Any

import pytest

from db.tables import RegistrationStatus
from db.tables.keys import new_id
from domain.core.errors import UserErrorCode
from tests.ask import Api
from tests.builders import EARLY, Tenant, insert
from tests.changing import change, everything
from tests.registering import As, priced, registration_id

STEPS = {
    "OPEN": {"PENDING", "APPROVED", "WRITTEN_OFF"},
    "PENDING": {"OPEN", "APPROVED", "REJECTED", "WRITTEN_OFF"},
    "APPROVED": {"OPEN", "WRITTEN_OFF"},
    "INVOICED": set[str](),
    "WRITTEN_OFF": {"OPEN"},
    "REJECTED": {"OPEN", "PENDING"},
}
PAIRS = [(was, now) for was in STEPS for now in STEPS]
LOCKED = "... on RegistrationLockedError { status allowed }"


async def tried(api: Api, mutation: str, **input: object) -> list[dict[str, Any]]:
    """The refusals with what they allow."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    asked = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ userErrors {{ __typename code path message {LOCKED} }} }} }}"
    found: list[dict[str, Any]] = (await api.data(asked, input=input))[mutation]["userErrors"]
    return found


async def worked(org: Tenant, status: str) -> str:
    """A registration that is so far; on a line of an invoice where that is what it is."""
    client, line = await priced(org), None
    if status == "INVOICED":
        invoice, line = await org.add_invoice(client, EARLY.date(), "100.00"), new_id()
        of_vat = {"vat_percentage": 21, "vat_category": "S", "net": 100, "vat": 21}
        row = {
            "tenant_id": org.id,
            "id": line,
            "invoice_id": invoice,
            "position": 1,
            "description": "Uren",
            "quantity": 1,
            "unit_price": 100,
        }
        await insert(org.owner, "invoice_line", [{**row, **of_vat, "discount_percentage": 0}])
    return registration_id(await org.add_registration(client, status=status, invoice_line_id=line))


def test_every_status_is_tried() -> None:
    """A new one has its steps here."""
    assert STEPS.keys() == {*RegistrationStatus}


@pytest.mark.parametrize(("was", "now"), PAIRS)
async def test_a_status_is_reached_by_its_steps_alone(as_: As, org: Tenant, was: str, now: str) -> None:
    """Another is refused with what it can go to, and nothing changes; as it stands is no change."""
    key = await worked(org, was)
    before = await everything(org)
    refused = await tried(as_(org), "registrationStatusUpdate", id=key, expectedVersion=1, status=now)
    if now == was or now not in STEPS[was]:
        assert await everything(org) == before
    if now == was or now in STEPS[was]:
        assert refused == []
        assert await shown(as_(org), key) == (now, "OPEN", 1 if now == was else 2)
    else:
        (found,) = refused
        assert (found["__typename"], found["code"], found["path"]) == ("RegistrationLockedError", "REGISTRATION_LOCKED", ["status"])
        assert (found["status"], {*found["allowed"]}) == (was, STEPS[was])


async def shown(api: Api, key: str) -> tuple[str, str, int]:
    found = (await api.data("query ($id: ID!) { registration(id: $id) { status clientStatus version } }", id=key))["registration"]
    return found["status"], found["clientStatus"], found["version"]


@pytest.mark.parametrize("status", STEPS)
async def test_what_is_not_open_stays_as_it_is(as_: As, org: Tenant, status: str) -> None:
    """Changing and deleting are refused with the status to take it back to first, unless it is open, pending or rejected."""
    key, is_free = await worked(org, status), status in {"OPEN", "PENDING", "REJECTED"}
    before = await everything(org)
    for mutation, given in (("registrationUpdate", {"note": "X"}), ("registrationDelete", {})):
        refused = await tried(as_(org), mutation, id=key, expectedVersion=2 if is_free and not given else 1, **given)
        if is_free:
            assert refused == []
            continue
        (found,) = refused
        assert (found["__typename"], found["path"], found["status"]) == ("RegistrationLockedError", ["id"], status)
        assert {*found["allowed"]} == STEPS[status]
        assert ("OPEN" in found["message"]) is ("OPEN" in STEPS[status])
    assert ((await everything(org)) == before) is not is_free
    if "OPEN" in STEPS[status] and not is_free:
        await change(as_(org), "registrationStatusUpdate", "registration { id }", id=key, expectedVersion=1, status="OPEN")
        await change(as_(org), "registrationUpdate", "registration { id }", id=key, expectedVersion=2, note="X")


@pytest.mark.parametrize("was", ["OPEN", "PENDING", "APPROVED", "REJECTED"])
async def test_the_client_says_what_it_likes(as_: As, org: Tenant, was: str) -> None:
    """Whatever the organization's own status; invoicing and writing off are no client's to say."""
    client = await priced(org)
    for now in STEPS:
        key = registration_id(await org.add_registration(client, client_status=was, status="APPROVED"))
        refused = await tried(as_(org), "registrationStatusUpdate", id=key, expectedVersion=1, clientStatus=now)
        is_free = now not in {"INVOICED", "WRITTEN_OFF"}
        assert [(found["code"], found["path"]) for found in refused] == ([] if is_free else [(UserErrorCode.INVALID, ["clientStatus"])])
        assert (await shown(as_(org), key))[1] == (now if is_free else was)


async def test_both_are_one_change(as_: As, org: Tenant) -> None:
    """And of two that are wrong both are told."""
    key = registration_id(await org.add_registration(await priced(org)))
    refused = await tried(as_(org), "registrationStatusUpdate", id=key, expectedVersion=1, status="INVOICED", clientStatus="WRITTEN_OFF")
    assert [found["path"] for found in refused] == [["status"], ["clientStatus"]]
    await change(
        as_(org), "registrationStatusUpdate", "registration { id }", id=key, expectedVersion=1, status="PENDING", clientStatus="APPROVED"
    )
    assert await shown(as_(org), key) == ("PENDING", "APPROVED", 2)


async def test_a_refusal_is_the_same_when_it_comes_again(as_: As, org: Tenant) -> None:
    """With all that it says, under the key of the first time."""
    key = await worked(org, "APPROVED")
    errors = f"userErrors {{ __typename code path message {LOCKED} }}"
    query = f"""mutation ($input: RegistrationDeleteInput!) {{ registrationDelete(input: $input) @idempotent(key: "k") {{ {errors} }} }}"""
    one, other = [await as_(org).data(query, input={"id": key, "expectedVersion": 1}) for _ in range(2)]
    assert one == other
    assert one["registrationDelete"]["userErrors"][0]["allowed"] == ["OPEN", "WRITTEN_OFF"]
