"""Registering work, and what is shown of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.ask import Api
from tests.builders import Tenant
from tests.changing import change
from tests.ids import global_id

SHOWN = """registration { id kind registeredOn isBillable status clientStatus note isEditable version client { name } project { name }
  member { name } labels { name } time { minutes startedAt endedAt } expense { quantity }
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
    """What was registered, on one day unless told otherwise."""
    found: dict[str, Any] = await change(api, "registrationCreate", SHOWN, **{"registeredOn": DAY, "work": work, **more})
    return found


async def altered(api: Api, was: dict[str, Any], **more: object) -> dict[str, Any]:
    """What it is after a change."""
    found: dict[str, Any] = await change(api, "registrationUpdate", SHOWN, id=was["id"], expectedVersion=was["version"], **more)
    return found


def figures(shown: dict[str, Any]) -> tuple[str, str, str]:
    """Rate, whose it is, and the amount."""
    found = shown["financial"]
    return found["rate"]["amount"], found["rateSource"], found["amount"]["amount"]


async def priced(org: Tenant, name: str = "Klant", hourly: str | None = "95.00", mileage: str | None = "0.23", **more: Any) -> UUID:  # noqa: ANN401
    """A client with rates of its own."""
    return await org.add_client(name, default_hourly_rate=hourly, default_mileage_rate=mileage, **more)


As = Callable[..., Api]
