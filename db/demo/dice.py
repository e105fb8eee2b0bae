"""Chance that is the same on every machine: seeded draws, the working days of the demo, and identifiers made of both.

Only basic arithmetic on `random()` and `getrandbits()`: logarithms and powers may differ in the last bit from one machine to another.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")
SEED = "Noorderlicht"
BEGIN = date(2023, 1, 1)
END = date(2026, 10, 31)
SATURDAY = 5
WORKDAYS = tuple(
    day for n in range((END - BEGIN).days + 1) if (day := BEGIN + timedelta(n)).weekday() < SATURDAY
)  # a day is told by its place in here
TODAY = len(WORKDAYS) - 1
MIDNIGHTS = tuple(datetime.combine(day, time(), UTC) for day in WORKDAYS)
MIDNIGHTS_MS = tuple(round(midnight.timestamp()) * 1000 for midnight in MIDNIGHTS)
OPENS_MS, OPEN_MS = 8 * 3_600_000, 10 * 3_600_000  # work begins at eight and lasts ten hours


class Dice(Random):
    """One stream of chance per subject, so that a change in one leaves the others as they were."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{SEED}: {subject}")

    def pick(self, things: Sequence[T]) -> T:
        return things[int(self.random() * len(things))]

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, per_cent: float) -> bool:
        return self.random() * 100 < per_cent

    def digits(self, count: int) -> str:
        return f"{self.between(0, 10**count - 1):0{count}d}"

    def born(self, day: int) -> tuple[UUID, datetime]:
        """An identifier and the moment of that working day that it is made of."""
        moment_ms = OPENS_MS + int(self.random() * OPEN_MS)
        return uuid7(MIDNIGHTS_MS[day] + moment_ms, self.getrandbits(74)), MIDNIGHTS[day] + timedelta(milliseconds=moment_ms)


def uuid7(unix_ms: int, chance: int) -> UUID:
    """A UUIDv7 of a moment and 74 bits of chance: twelve before the variant, the rest after it."""
    return UUID(int=unix_ms << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1)


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """A total split by weight into whole parts that add up to exactly that total."""
    whole = sum(weights)
    ends, so_far = [0], 0
    for weight in weights:
        so_far += weight
        ends.append(so_far * total // whole)
    return [after - before for before, after in pairwise(ends)]
