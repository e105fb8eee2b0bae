"""What a user fills in, checked as a whole: every fault at once, each with its path, the rule, and a value that would be right.

A text is cleaned first; then the rule of the field's name applies, the same in every field set; then the field set's own limits.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from domain import channels, codes, identifiers, numbers
from domain.errors import InvalidInput, Refused, TooLong, WrongValue
from domain.texts import clean

M = TypeVar("M", bound=BaseModel)
Faults = dict[str, str]  # by field, a sentence
RULES: dict[str, Callable[[str], str]] = {
    "base_currency": codes.currency,
    "bic": identifiers.bic,
    "client_number_format": numbers.number_format,
    "color": codes.color,
    "country": codes.country,
    "currency": codes.currency,
    "email": channels.email,
    "iban": identifiers.iban,
    "invoice_number_format": numbers.number_format,
    "kbo_number": identifiers.kbo_number,
    "kvk_branch_number": identifiers.kvk_branch_number,
    "kvk_number": identifiers.kvk_number,
    "language": codes.language,
    "locale": codes.locale,
    "timezone": codes.timezone,
    "vat_number": identifiers.vat_number,
    "website": channels.website,
}
OF_COUNTRY: dict[str, Callable[[str, str], str]] = {
    "mobile": channels.phone,
    "phone": channels.phone,
    "postal_code": codes.postal_code,
}
LONGEST_WORD = 100  # of what is no text to its field: a choice, a number or a day
MULTILINE = frozenset({"note", "notes"})
NAMES = ("first_name", "last_name")  # where a field set has both, one of them is filled in
WORDS = {
    "string_too_short": "has at least {min_length} characters; this has {length}",
    "string_too_long": "has at most {max_length} characters; this has {length}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "decimal_max_places": "has at most {decimal_places} digits after the decimal point",
    "decimal_max_digits": "has at most {max_digits} digits",
    "decimal_whole_digits": "has at most {whole_digits} digits before the decimal point",
    "enum": "must be one of {expected}",
}
KINDS = {  # by the beginning of pydantic's name of the fault
    "bool": "must be true or false",
    "datetime": "must be a moment, for example `2026-01-31T09:00:00Z`",
    "date": "must be a day, for example `2026-01-31`",
    "decimal": "must be a number, for example `12.50`",
    "finite": "must be a number, for example `12.50`",
    "int": "must be a whole number, for example `30`",
    "string_type": "must be a text",
}


@cache
def longest(fields: type[BaseModel], name: str) -> int:
    """Return how many characters the field takes."""
    limits = (getattr(rule, "max_length", None) for rule in fields.model_fields[name].metadata)
    return next((limit for limit in limits if limit), LONGEST_WORD)


def checked(fields: type[M], values: Mapping[str, object], *, at: Sequence[str] = (), country: str = "NL") -> M:
    """The values as their field set; names that it does not have are left alone.

    `at` is where in the input they are. `country` is the organization's: that of telephone numbers, and of an address without one.
    """
    model, faults = _filled(fields, values, country)
    absent = [name for name, field in fields.model_fields.items() if field.is_required() and name not in values]
    faults |= {name: _worded(name, "is missing") for name in absent}
    faults |= _nameless(fields, vars(model), values, faults)
    _refuse(fields, faults, at)
    return model


def checked_patch(
    fields: type[BaseModel],
    current: Mapping[str, object],
    changes: Mapping[str, object],
    *,
    at: Sequence[str] = (),
    country: str = "NL",
) -> dict[str, object]:
    """What changes, as it is stored: absent stays absent, and null clears.

    What stays as it is, is not checked again, unless it hangs together with a change: a postal code with its country, a person's names.
    """
    again = {name: current[name] for name in OF_COUNTRY if name in current and "country" in changes}
    home = country if "country" in changes else current.get("country") or country
    model, faults = _filled(fields, {**again, **changes}, str(home))
    after = {name: getattr(model, name, None) for name in fields.model_fields if name in changes or name in again}
    if not changes.keys().isdisjoint(NAMES):
        faults |= _nameless(fields, {**current, **after}, changes, faults)
    _refuse(fields, {name if name in changes else "country": fault for name, fault in faults.items()}, at)
    return {name: value for name, value in after.items() if name in changes or value != current[name]}


def _filled(fields: type[M], values: Mapping[str, object], country: str) -> tuple[M, Faults]:
    """The field set as far as its values are right, and what is wrong with the others."""
    model, faults = fields.model_construct(), Faults()
    for name in sorted(values.keys() & fields.model_fields.keys(), key=lambda name: name != "country"):
        try:
            if name not in OF_COUNTRY or "country" not in faults:
                where = values.get("country") and getattr(model, "country", None)
                _assign(model, name, _normalised(name, values[name], longest(fields, name), str(where or country)))
        except TooLong as wrong:
            faults[name] = _worded(name, str(wrong))
        except WrongValue as wrong:
            faults[name] = str(wrong)
        except ValidationError as wrong:
            faults[name] = _said(name, wrong.errors()[0])
    return model, faults


def _normalised(name: str, value: object, most: int, country: str) -> object:
    """A text as the rule of its field has it, null for an empty one; anything else as it is."""
    if type(value) is not str:
        return value
    text = clean(value, most, is_multiline=name in MULTILINE)
    if not text:
        return None
    return OF_COUNTRY[name](text, country) if name in OF_COUNTRY else RULES.get(name, str)(text)


def _assign(model: BaseModel, name: str, value: object) -> None:
    """Within the field's limits, or a ValidationError."""
    model.__pydantic_validator__.validate_assignment(model, name, value)


def _nameless(fields: type[BaseModel], values: Mapping[str, object], given: Mapping[str, object], faults: Faults) -> Faults:
    """Said of the last name, or of what was given of the two; nothing while one of them is wrong in itself."""
    if not fields.model_fields.keys() >= set(NAMES) or any(values.get(name) or name in faults for name in NAMES):
        return {}
    where = [name for name in NAMES if name in given] or [NAMES[-1]]
    return {where[-1]: "A person has a first name, a last name or both, for example `Jansen`."}


def _said(name: str, fault: ErrorDetails) -> str:
    """In our words: pydantic's are for programmers."""
    kind = fault["type"]
    if fault["input"] is None:
        return _worded(name, "cannot be empty")
    words = WORDS.get(kind) or next((words for start, words in KINDS.items() if kind.startswith(start)), None)
    length = len(fault["input"]) if isinstance(fault["input"], str) else 0
    return _worded(name, words.format(**fault.get("ctx", {}), length=length)) if words else f"{fault['msg']}."


def _worded(name: str, words: str) -> str:
    return f"`{to_camel(name)}` {words}."


def _refuse(fields: type[BaseModel], faults: Faults, at: Sequence[str]) -> None:
    """In the order of the fields."""
    if faults:
        raise Refused(*(InvalidInput([*at, to_camel(name)], faults[name]) for name in fields.model_fields if name in faults))
