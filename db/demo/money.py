"""Compute with integers: money in cents, quantities in ten-thousandths, exchange rates in millionths. Convert them to stored decimals."""

from decimal import Decimal
from functools import lru_cache

from db.demo.rng import WORKDAYS, Rng

BASE_CURRENCY = "EUR"
QUANTITY_OF_ONE = 10_000  # a quantity of 1, in ten-thousandths
RATE_OF_ONE = 1_000_000  # an exchange rate of 1, in millionths
START_RATES = {"GBP": 1_155_000, "USD": 925_000}
MAX_MONTHLY_STEP = 9_000  # the maximum random change of a rate in a month, in millionths


def divide_half_up(dividend: int, divisor: int) -> int:
    """Divide positive numbers, rounding half up."""
    return (2 * dividend + divisor) // (2 * divisor)


def to_base(cents: int, rate: int) -> int:
    return divide_half_up(cents * rate, RATE_OF_ONE)


@lru_cache(maxsize=1 << 16)
def cents_to_decimal(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


@lru_cache(maxsize=1 << 12)
def quantity_to_decimal(ten_thousandths: int) -> Decimal:
    return Decimal(ten_thousandths).scaleb(-4)


@lru_cache(maxsize=1 << 10)
def rate_to_decimal(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)


def _monthly_rates() -> dict[tuple[str, int, int], int]:
    """Draw the exchange rates of each month. Each month, a rate changes randomly and moves a tenth of the way back to its start."""
    rng = Rng("exchange rates")
    months = sorted({(day.year, day.month) for day in WORKDAYS})
    rates: dict[tuple[str, int, int], int] = {}
    for currency, start in START_RATES.items():
        current = start
        for year, month in months:
            current += rng.integer_between(-MAX_MONTHLY_STEP, MAX_MONTHLY_STEP) + (start - current) // 10
            rates[currency, year, month] = current
    return rates


RATES = _monthly_rates()


def exchange_rate(currency: str, day: int) -> int:
    """Return the value of one unit of the currency in millionths of a euro, in the month of the day."""
    date_of_day = WORKDAYS[day]
    return RATE_OF_ONE if currency == BASE_CURRENCY else RATES[currency, date_of_day.year, date_of_day.month]
