"""Which invoices there are: how many per client, on which days, in which role, and numbered in order of date over all clients."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from db.demo.clients import Client
from db.demo.dice import TODAY, WORKDAYS, Dice, shares

CREDITED_PER_CENT = 3.1
VOID_PER_CENT = 1
CONCEPT_PER_CENT, RECENT_CONCEPT_PER_CENT = 0.8, 20
RECENT = TODAY - 45
LATELY = 8  # a credit note is for one of the latest so many invoices


class Role(Enum):
    INVOICE = auto()
    CREDIT_NOTE = auto()
    VOID = auto()
    CONCEPT = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """A document to be made."""

    day: int
    role: Role
    credits: int | None = None  # the place of the credited invoice among the client's slots
    number: str | None = None


def plan(clients: list[Client], invoices: int) -> list[list[Slot]]:
    """The documents of each client in order of date."""
    dice = Dice("plan")
    counts = shares(invoices, [client.weight for client in clients])
    return _numbered([_of_client(dice, client, count) for client, count in zip(clients, counts, strict=True)])


def _of_client(dice: Dice, client: Client, count: int) -> list[Slot]:
    creditable: list[int] = []
    slots: list[Slot] = []
    for place, day in enumerate(sorted(dice.between(client.since + 3, client.until) for _ in range(count))):
        role = _role(dice, day, is_creditable=bool(creditable))
        credited = dice.pick(creditable[-LATELY:]) if role is Role.CREDIT_NOTE else None
        if credited is not None:
            creditable.remove(credited)
        if role is Role.INVOICE:
            creditable.append(place)
        slots.append(Slot(day, role, credited))
    return slots


def _role(dice: Dice, day: int, *, is_creditable: bool) -> Role:
    if dice.chance(RECENT_CONCEPT_PER_CENT if day > RECENT else CONCEPT_PER_CENT):
        return Role.CONCEPT
    if dice.chance(VOID_PER_CENT):
        return Role.VOID
    if dice.chance(CREDITED_PER_CENT) and is_creditable:
        return Role.CREDIT_NOTE
    return Role.INVOICE


def _numbered(planned: list[list[Slot]]) -> list[list[Slot]]:
    """What is no concept takes the next number of its year."""
    last: dict[int, int] = {}
    in_order = sorted((slot.day, client, place) for client, slots in enumerate(planned) for place, slot in enumerate(slots))
    for day, client, place in in_order:
        slot, year = planned[client][place], WORKDAYS[day].year
        if slot.role is not Role.CONCEPT:
            last[year] = last.get(year, 0) + 1
            planned[client][place] = replace(slot, number=f"{year}-{last[year]:05d}")
    return planned
