"""Reproducible random numbers, the working days of the demo, and ids made from both.

It uses only basic arithmetic on `random()` and `getrandbits()`: logarithms and powers can differ in the last bit between machines.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")
SEED = "Noorderlicht"
START = date(2023, 1, 1)
END = date(2026, 10, 31)
SATURDAY = 5
# The demo identifies a day by its index here.
WORKDAYS = tuple(day for n in range((END - START).days + 1) if (day := START + timedelta(n)).weekday() < SATURDAY)
TODAY = len(WORKDAYS) - 1
MIDNIGHTS = tuple(datetime.combine(day, time(), UTC) for day in WORKDAYS)
MIDNIGHTS_MS = tuple(round(midnight.timestamp()) * 1000 for midnight in MIDNIGHTS)
OPENING_MS, OPENING_DURATION_MS = 8 * 3_600_000, 10 * 3_600_000  # a working day begins at eight and lasts ten hours


class Rng(Random):
    """A random number generator for one subject, so that a change of the draws for one subject does not affect other subjects."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{SEED}: {subject}")

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.random() * len(items))]

    def integer_between(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, per_cent: float) -> bool:
        return self.random() * 100 < per_cent

    def digits(self, count: int) -> str:
        return f"{self.integer_between(0, 10**count - 1):0{count}d}"

    def id_and_time(self, day: int) -> tuple[UUID, datetime]:
        """Return an id, and the time on that working day that the id contains."""
        moment_ms = OPENING_MS + int(self.random() * OPENING_DURATION_MS)
        return uuid7(MIDNIGHTS_MS[day] + moment_ms, self.getrandbits(74)), MIDNIGHTS[day] + timedelta(milliseconds=moment_ms)


def uuid7(unix_ms: int, random_bits: int) -> UUID:
    """Return a UUIDv7 of a time and 74 random bits: twelve before the variant, the other 62 after it."""
    return UUID(int=unix_ms << 80 | 7 << 76 | (random_bits >> 62) << 64 | 2 << 62 | random_bits & (1 << 62) - 1)


def split_by_weight(total: int, weights: Sequence[int]) -> list[int]:
    """Split a total by weight into integers that add up to the total."""
    weight_total = sum(weights)
    ends, running_total = [0], 0
    for weight in weights:
        running_total += weight
        ends.append(running_total * total // weight_total)
    return [end - start for start, end in pairwise(ends)]
