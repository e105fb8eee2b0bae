"""Money in whole cents: rounding half up, exchange rates by month, and the decimals that are stored."""

from decimal import Decimal
from functools import lru_cache

from db.demo.dice import WORKDAYS, Dice

BASE = "EUR"
ONE = 1_000_000  # an exchange rate of 1, in millionths
STARTS = {"GBP": 1_155_000, "USD": 925_000}
STEP = 9_000  # how far a rate moves in a month, at most


def rounded(dividend: int, divisor: int) -> int:
    """A quotient of positive numbers, half up."""
    return (2 * dividend + divisor) // (2 * divisor)


def in_base(cents: int, rate: int) -> int:
    return rounded(cents * rate, ONE)


@lru_cache(maxsize=1 << 16)
def decimal(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


@lru_cache(maxsize=1 << 12)
def quantity(ten_thousandths: int) -> Decimal:
    return Decimal(ten_thousandths).scaleb(-4)


@lru_cache(maxsize=1 << 10)
def rate(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)


def _by_month() -> dict[tuple[str, int, int], int]:
    """Each currency wanders a little from month to month, and is drawn back to where it began."""
    dice = Dice("exchange rates")
    months = sorted({(day.year, day.month) for day in WORKDAYS})
    found: dict[tuple[str, int, int], int] = {}
    for currency, start in STARTS.items():
        now = start
        for year, month in months:
            now += dice.between(-STEP, STEP) + (start - now) // 10
            found[currency, year, month] = now
    return found


RATES = _by_month()


def exchange_rate(currency: str, day: int) -> int:
    """What one unit was worth in euros that month, in millionths."""
    on = WORKDAYS[day]
    return ONE if currency == BASE else RATES[currency, on.year, on.month]
