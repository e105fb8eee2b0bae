"""Create registrations of work, and read their fields."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.mutations import mutate

REGISTRATION_FIELDS = """registration { id kind registeredOn isBillable status clientStatus note isEditable version
  client { name } project { name } member { name } labels { name } time { minutes startedAt endedAt } expense { quantity }
  mileage { distanceKm departure destination tripType }
  financial { currency rate { amount } rateSource unitPrice { amount } amount { amount currency } vatRate { name } warnings } }"""
HOUR: dict[str, Any] = {"time": {"minutes": 60}}
LUNCH: dict[str, Any] = {"expense": {"quantity": "2", "unitPrice": "12.5"}}
TRIP: dict[str, Any] = {"mileage": {"distanceKm": "40.5"}}
DAY = "2026-01-15"


def client_id(key: UUID) -> str:
    return global_id("Client", key)


def project_id(key: UUID) -> str:
    return global_id("Project", key)


def registration_id(key: UUID) -> str:
    return global_id("Registration", key)


async def register(api: Api, work: dict[str, Any] = HOUR, **more: object) -> dict[str, Any]:
    """Create a registration and return it. By default it is an hour of work on a fixed day."""
    registration: dict[str, Any] = await mutate(
        api, "registrationCreate", REGISTRATION_FIELDS, **{"registeredOn": DAY, "work": work, **more}
    )
    return registration


async def update_registration(api: Api, was: dict[str, Any], **more: object) -> dict[str, Any]:
    """Update the registration and return the new one."""
    registration: dict[str, Any] = await mutate(
        api, "registrationUpdate", REGISTRATION_FIELDS, id=was["id"], expectedVersion=was["version"], **more
    )
    return registration


def rate_and_amount(registration: dict[str, Any]) -> tuple[str, str, str]:
    """Return the rate, its source, and the amount."""
    financial = registration["financial"]
    return financial["rate"]["amount"], financial["rateSource"], financial["amount"]["amount"]


async def create_client_with_rates(
    org: Tenant,
    name: str = "Klant",
    hourly: str | None = "95.00",
    mileage: str | None = "0.23",
    **more: Any,  # noqa: ANN401
) -> UUID:
    """Create a client with rates of its own and return its id."""
    return await org.add_client(name, default_hourly_rate=hourly, default_mileage_rate=mileage, **more)


ApiFor = Callable[..., Api]
