"""Describe the limits of a field set in sentences for its inputs, so that a limit stands only where it is declared."""

from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel

from domain.core.validation import max_length

# The descriptions of these texts show their form, and with it their length.
CODES = frozenset({"base_currency", "color", "country", "currency", "kbo_number", "kvk_branch_number", "kvk_number", "language"})
MAX_INT = 2**31 - 1  # of GraphQL


def limit_hint(fields: type[BaseModel], name: str) -> str:
    """Return a sentence with the limits of a text or a number, after a blank. Return "" for a field of another type."""
    annotation = fields.model_fields[name].annotation
    kinds = {annotation, *get_args(annotation)}
    if str in kinds:
        return "" if name in CODES else f" At most {max_length(fields, name)} characters."
    if int in kinds:
        limits = _limits(fields, name)
        return f" From {limits.get('ge', limits.get('gt', 0) + 1)} to {limits.get('le', MAX_INT)}."
    return _decimal_hint(_limits(fields, name)) if Decimal in kinds else ""


def _decimal_hint(limits: dict[str, Any]) -> str:
    places = limits["decimal_places"]
    if "le" in limits:
        return f" From {limits['ge']} to {limits['le']}, with at most {places} digits after the decimal point."
    start = "0 or more" if "ge" in limits else "More than 0"
    return f" {start}, with at most {limits['max_digits'] - places} digits before and {places} after the decimal point."


def _limits(fields: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the limits of a number by their names in pydantic."""
    rules = fields.model_fields[name].metadata
    names = ("ge", "gt", "le", "decimal_places", "max_digits")
    return {each: value for rule in rules for each in names if (value := getattr(rule, each, None)) is not None}
