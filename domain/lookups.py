"""Texts to look something up by, in the form in which the fields that they are compared with are stored."""

from pydantic import BaseModel

from domain.checks import RULES, longest
from domain.errors import BadInput, TooLong, WrongValue
from domain.texts import clean

LONGEST_SEARCH = 200


def normalize_lookup(fields: type[BaseModel], name: str, text: str, argument: str) -> str:
    """Return the text as the field of this name stores it; empty when nothing of it can be seen and the field has no rule.

    Raises `BadInput`, which names the argument, where the field itself would refuse the text: nothing that is stored can be equal to it.
    """
    most = longest(fields, name)
    found = _cleaned(text, most, argument)
    try:
        found = RULES.get(name, str)(found)
    except WrongValue as wrong:
        raise BadInput(f"`{argument}`: {wrong}") from wrong
    return _within(found, most, argument)


def normalize_search(text: str | None) -> str | None:
    """Return the text of a search box. What cannot be seen searches for nothing. Raises `BadInput` for a text that is too long."""
    return None if text is None else _within(_cleaned(text, LONGEST_SEARCH, "search"), LONGEST_SEARCH, "search") or None


def _cleaned(text: str, most: int, argument: str) -> str:
    try:
        return clean(text, most)
    except TooLong as wrong:
        raise BadInput(f"`{argument}` has at most {most} characters.") from wrong
    except WrongValue as wrong:
        raise BadInput(f"`{argument}`: {wrong}") from wrong


def _within(text: str, most: int, argument: str) -> str:
    if len(text) > most:
        raise BadInput(f"`{argument}` has at most {most} characters.")
    return text
