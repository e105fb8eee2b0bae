"""Plan the invoices: how many per client, on which days, of which kind, and numbered in order of date over all clients."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from db.demo.clients import DemoClient
from db.demo.rng import TODAY, WORKDAYS, Rng, split_by_weight

CREDIT_NOTE_PER_CENT = 3.1
VOID_PER_CENT = 1
DRAFT_PER_CENT, RECENT_DRAFT_PER_CENT = 0.8, 20
RECENT_FROM = TODAY - 45
CREDITABLE_INVOICES = 8  # a credit note is for one of the latest invoices, this many


class DocumentKind(Enum):
    INVOICE = auto()
    CREDIT_NOTE = auto()
    VOID = auto()
    DRAFT = auto()


@dataclass(frozen=True, slots=True)
class DocumentSlot:
    """A planned document."""

    day: int
    kind: DocumentKind
    credited_index: int | None = None  # the index of the credited invoice among the client's slots
    number: str | None = None


def plan_documents(clients: list[DemoClient], invoices: int) -> list[list[DocumentSlot]]:
    """Plan the documents of each client in order of date."""
    rng = Rng("plan")
    counts = split_by_weight(invoices, [client.weight for client in clients])
    return _assign_numbers([_slots_of_client(rng, client, count) for client, count in zip(clients, counts, strict=True)])


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


def _assign_numbers(slots_by_client: list[list[DocumentSlot]]) -> list[list[DocumentSlot]]:
    """Give every document that is not a draft the next number of its year."""
    last_numbers: dict[int, int] = {}
    in_order = sorted((slot.day, client, index) for client, slots in enumerate(slots_by_client) for index, slot in enumerate(slots))
    for day, client, index in in_order:
        slot, year = slots_by_client[client][index], WORKDAYS[day].year
        if slot.kind is not DocumentKind.DRAFT:
            last_numbers[year] = last_numbers.get(year, 0) + 1
            slots_by_client[client][index] = replace(slot, number=f"{year}-{last_numbers[year]:05d}")
    return slots_by_client
