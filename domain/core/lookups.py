"""Normalize texts to look up, so that they have the form of the stored fields that they are compared with."""

from pydantic import BaseModel

from domain.core.errors import BadInput
from domain.core.validation import RULES, max_length
from domain.standards.errors import TooLong, WrongValue
from domain.standards.text import clean

MAX_SEARCH_LENGTH = 200


def normalize_lookup(fields: type[BaseModel], name: str, text: str, argument: str) -> str:
    """Return the text in the form that the field of this name stores. It is empty if it has no visible character and the field has no rule.

    Raises `BadInput` with the name of the argument if the field would reject the text, since no stored value can be equal to it.
    """
    limit = max_length(fields, name)
    value = _clean_argument(text, limit, argument)
    try:
        value = RULES.get(name, str)(value)
    except WrongValue as error:
        raise BadInput(f"`{argument}`: {error}") from error
    return _limit_length(value, limit, argument)


def normalize_search(text: str | None) -> str | None:
    """Return a normalized search text, or None if it has no visible character. Raises `BadInput` if it is too long."""
    return None if text is None else _limit_length(_clean_argument(text, MAX_SEARCH_LENGTH, "search"), MAX_SEARCH_LENGTH, "search") or None


def _clean_argument(text: str, limit: int, argument: str) -> str:
    try:
        return clean(text, limit)
    except TooLong as error:
        raise BadInput(f"`{argument}` must have at most {limit} characters.") from error
    except WrongValue as error:
        raise BadInput(f"`{argument}`: {error}") from error


def _limit_length(text: str, limit: int, argument: str) -> str:
    if len(text) > limit:
        raise BadInput(f"`{argument}` must have at most {limit} characters.")
    return text
