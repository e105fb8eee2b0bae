"""Test the status of registrations: every step from every status, and what each status locks."""

from typing import Any

import pytest

from db.tables import RegistrationStatus
from db.tables.keys import new_id
from domain.core.errors import UserErrorCode
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant, insert_rows
from tests.support.mutations import dump_rows, mutate
from tests.support.registrations import ApiFor, create_client_with_rates, registration_id

STEPS = {
    "OPEN": {"PENDING", "APPROVED", "WRITTEN_OFF"},
    "PENDING": {"OPEN", "APPROVED", "REJECTED", "WRITTEN_OFF"},
    "APPROVED": {"OPEN", "WRITTEN_OFF"},
    "INVOICED": set[str](),
    "WRITTEN_OFF": {"OPEN"},
    "REJECTED": {"OPEN", "PENDING"},
}
PAIRS = [(was, now) for was in STEPS for now in STEPS]
LOCKED_ERROR = "... on RegistrationLockedError { status allowed }"


async def fetch_user_errors(api: Api, mutation: str, **input: object) -> list[dict[str, Any]]:
    """Return the user errors, with the allowed statuses."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ userErrors {{ __typename code path message {LOCKED_ERROR} }} }} }}"
    errors: list[dict[str, Any]] = (await api.data(query, input=input))[mutation]["userErrors"]
    return errors


async def add_registration_with_status(org: Tenant, status: str) -> str:
    """Add a registration with that status, on an invoice line where the status requires one."""
    client, line = await create_client_with_rates(org), None
    if status == "INVOICED":
        invoice, line = await org.add_invoice(client, CREATED_AT.date(), "100.00"), new_id()
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
        await insert_rows(org.owner, "invoice_line", [{**row, **of_vat, "discount_percentage": 0}])
    return registration_id(await org.add_registration(client, status=status, invoice_line_id=line))


def test_every_status_has_its_allowed_steps() -> None:
    assert STEPS.keys() == {*RegistrationStatus}


@pytest.mark.parametrize(("was", "now"), PAIRS)
async def test_status_changes_only_by_allowed_steps(api_for: ApiFor, org: Tenant, was: str, now: str) -> None:
    """Any other step is rejected with the allowed ones, and nothing changes. Setting the current status changes nothing."""
    key = await add_registration_with_status(org, was)
    before = await dump_rows(org)
    errors = await fetch_user_errors(api_for(org), "registrationStatusUpdate", id=key, expectedVersion=1, status=now)
    if now == was or now not in STEPS[was]:
        assert await dump_rows(org) == before
    if now == was or now in STEPS[was]:
        assert errors == []
        assert await fetch_status(api_for(org), key) == (now, "OPEN", 1 if now == was else 2)
    else:
        (error,) = errors
        assert (error["__typename"], error["code"], error["path"]) == ("RegistrationLockedError", "REGISTRATION_LOCKED", ["status"])
        assert (error["status"], {*error["allowed"]}) == (was, STEPS[was])


async def fetch_status(api: Api, key: str) -> tuple[str, str, int]:
    registration = (await api.data("query ($id: ID!) { registration(id: $id) { status clientStatus version } }", id=key))["registration"]
    return registration["status"], registration["clientStatus"], registration["version"]


@pytest.mark.parametrize("status", STEPS)
async def test_locked_registration_cannot_be_changed_or_deleted(api_for: ApiFor, org: Tenant, status: str) -> None:
    """A registration is locked unless it is open, pending or rejected. The error contains the statuses to which it can go."""
    key, is_free = await add_registration_with_status(org, status), status in {"OPEN", "PENDING", "REJECTED"}
    before = await dump_rows(org)
    for mutation, arguments in (("registrationUpdate", {"note": "X"}), ("registrationDelete", {})):
        errors = await fetch_user_errors(api_for(org), mutation, id=key, expectedVersion=2 if is_free and not arguments else 1, **arguments)
        if is_free:
            assert errors == []
            continue
        (error,) = errors
        assert (error["__typename"], error["path"], error["status"]) == ("RegistrationLockedError", ["id"], status)
        assert {*error["allowed"]} == STEPS[status]
        assert ("OPEN" in error["message"]) is ("OPEN" in STEPS[status])
    assert ((await dump_rows(org)) == before) is not is_free
    if "OPEN" in STEPS[status] and not is_free:
        await mutate(api_for(org), "registrationStatusUpdate", "registration { id }", id=key, expectedVersion=1, status="OPEN")
        await mutate(api_for(org), "registrationUpdate", "registration { id }", id=key, expectedVersion=2, note="X")


@pytest.mark.parametrize("was", ["OPEN", "PENDING", "APPROVED", "REJECTED"])
async def test_client_status_is_independent(api_for: ApiFor, org: Tenant, was: str) -> None:
    """It may change in any status of the registration. Only `INVOICED` and `WRITTEN_OFF` are not allowed for it."""
    client = await create_client_with_rates(org)
    for now in STEPS:
        key = registration_id(await org.add_registration(client, client_status=was, status="APPROVED"))
        errors = await fetch_user_errors(api_for(org), "registrationStatusUpdate", id=key, expectedVersion=1, clientStatus=now)
        is_free = now not in {"INVOICED", "WRITTEN_OFF"}
        assert [(error["code"], error["path"]) for error in errors] == ([] if is_free else [(UserErrorCode.INVALID, ["clientStatus"])])
        assert (await fetch_status(api_for(org), key))[1] == (now if is_free else was)


async def test_both_statuses_change_in_one_request(api_for: ApiFor, org: Tenant) -> None:
    """If both are invalid, both errors are reported."""
    key = registration_id(await org.add_registration(await create_client_with_rates(org)))
    errors = await fetch_user_errors(
        api_for(org), "registrationStatusUpdate", id=key, expectedVersion=1, status="INVOICED", clientStatus="WRITTEN_OFF"
    )
    assert [error["path"] for error in errors] == [["status"], ["clientStatus"]]
    await mutate(
        api_for(org),
        "registrationStatusUpdate",
        "registration { id }",
        id=key,
        expectedVersion=1,
        status="PENDING",
        clientStatus="APPROVED",
    )
    assert await fetch_status(api_for(org), key) == ("PENDING", "APPROVED", 2)


async def test_repeated_request_with_key_returns_the_same_error(api_for: ApiFor, org: Tenant) -> None:
    """The stored error includes the allowed statuses."""
    key = await add_registration_with_status(org, "APPROVED")
    errors = f"userErrors {{ __typename code path message {LOCKED_ERROR} }}"
    query = f"""mutation ($input: RegistrationDeleteInput!) {{ registrationDelete(input: $input) @idempotent(key: "k") {{ {errors} }} }}"""
    one, other = [await api_for(org).data(query, input={"id": key, "expectedVersion": 1}) for _ in range(2)]
    assert one == other
    assert one["registrationDelete"]["userErrors"][0]["allowed"] == ["OPEN", "WRITTEN_OFF"]
