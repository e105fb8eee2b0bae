"""Plan the invoices and credit notes of each client: their number, days and kinds. Number documents in order of date over all clients."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TypeVar

from db.demo.clients import DemoClient
from db.demo.rng import TODAY, WORKDAYS, Rng, split_by_weight

CREDIT_NOTE_PER_CENT = 3.1
VOID_PER_CENT = 1
DRAFT_PER_CENT, RECENT_DRAFT_PER_CENT = 0.8, 20
RECENT_FROM = TODAY - 45
CREDITABLE_INVOICES = 8  # a credit note is for one of the client's eight latest invoices that have none yet


class DocumentKind(Enum):
    INVOICE = auto()
    CREDIT_NOTE = auto()
    VOID = auto()
    DRAFT = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """A planned document or quote."""

    day: int
    number: str | None = field(default=None, kw_only=True)


S = TypeVar("S", bound=Slot)


@dataclass(frozen=True, slots=True)
class DocumentSlot(Slot):
    """A planned invoice or credit note."""

    kind: DocumentKind
    credited_index: int | None = None  # the index of the credited invoice among the client's slots


def plan_documents(clients: list[DemoClient], invoices: int) -> list[list[DocumentSlot]]:
    """Plan the documents of each client in order of date."""
    rng = Rng("plan")
    counts = split_by_weight(invoices, [client.weight for client in clients])
    slots_by_client = [_slots_of_client(rng, client, count) for client, count in zip(clients, counts, strict=True)]
    return assign_numbers(slots_by_client, "{0}-{1:05d}", lambda slot: slot.kind is DocumentKind.DRAFT)


def _slots_of_client(rng: Rng, client: DemoClient, count: int) -> list[DocumentSlot]:
    creditable_indexes: list[int] = []
    slots: list[DocumentSlot] = []
    for index, day in enumerate(sorted(rng.integer_between(client.first_day + 3, client.last_day) for _ in range(count))):
        kind = _draw_kind(rng, day, is_creditable=bool(creditable_indexes))
        credited_index = rng.pick(creditable_indexes[-CREDITABLE_INVOICES:]) if kind is DocumentKind.CREDIT_NOTE else None
        if credited_index is not None:
            creditable_indexes.remove(credited_index)
        if kind is DocumentKind.INVOICE:
            creditable_indexes.append(index)
        slots.append(DocumentSlot(day, kind, credited_index))
    return slots


def _draw_kind(rng: Rng, day: int, *, is_creditable: bool) -> DocumentKind:
    if rng.chance(RECENT_DRAFT_PER_CENT if day > RECENT_FROM else DRAFT_PER_CENT):
        return DocumentKind.DRAFT
    if rng.chance(VOID_PER_CENT):
        return DocumentKind.VOID
    if rng.chance(CREDIT_NOTE_PER_CENT) and is_creditable:
        return DocumentKind.CREDIT_NOTE
    return DocumentKind.INVOICE


def assign_numbers(slots_by_client: list[list[S]], number_format: str, is_draft: Callable[[S], bool]) -> list[list[S]]:
    """Give every slot that is not a draft the next number of its year. `number_format` takes the year and the number."""
    last_numbers: dict[int, int] = {}
    in_order = sorted((slot.day, client, index) for client, slots in enumerate(slots_by_client) for index, slot in enumerate(slots))
    for day, client, index in in_order:
        slot, year = slots_by_client[client][index], WORKDAYS[day].year
        if not is_draft(slot):
            last_numbers[year] = last_numbers.get(year, 0) + 1
            slots_by_client[client][index] = replace(slot, number=number_format.format(year, last_numbers[year]))
    return slots_by_client
