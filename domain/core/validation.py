"""Validate user input as a whole: report every error at once, each with its path, the rule and a valid example.

A text passes three steps: it is cleaned, then the rule for the field's name applies (the same in every field set), then the limits of
the field set.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from domain.core.errors import InvalidInput, RuleViolation
from domain.standards import contact_details, identifiers, iso_codes, number_formats
from domain.standards.errors import TooLong, WrongValue
from domain.standards.text import clean

M = TypeVar("M", bound=BaseModel)
FieldErrors = dict[str, str]  # messages by field name
RULES: dict[str, Callable[[str], str]] = {
    "base_currency": iso_codes.currency,
    "bic": identifiers.bic,
    "client_number_format": number_formats.number_format,
    "color": iso_codes.color,
    "country": iso_codes.country,
    "currency": iso_codes.currency,
    "email": contact_details.email,
    "iban": identifiers.iban,
    "invoice_number_format": number_formats.number_format,
    "kbo_number": identifiers.kbo_number,
    "kvk_branch_number": identifiers.kvk_branch_number,
    "kvk_number": identifiers.kvk_number,
    "language": iso_codes.language,
    "locale": iso_codes.locale,
    "timezone": iso_codes.timezone,
    "vat_number": identifiers.vat_number,
    "website": contact_details.website,
}
RULES_BY_COUNTRY: dict[str, Callable[[str, str], str]] = {
    "mobile": contact_details.phone,
    "phone": contact_details.phone,
    "postal_code": iso_codes.postal_code,
}
DEFAULT_MAX_LENGTH = 100  # characters, for values other than text: enums, numbers and dates
MULTILINE = frozenset({"note", "notes"})
PERSON_NAME_FIELDS = ("first_name", "last_name")  # a field set that has both requires one of them
MESSAGES = {
    "string_too_short": "must have at least {min_length} characters; this has {length}",
    "string_too_long": "must have at most {max_length} characters; this has {length}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "decimal_max_places": "must have at most {decimal_places} digits after the decimal point",
    "decimal_max_digits": "must have at most {max_digits} digits",
    "decimal_whole_digits": "must have at most {whole_digits} digits before the decimal point",
    "enum": "must be one of {expected}",
}
MESSAGES_BY_TYPE = {  # by the prefix of pydantic's error type
    "bool": "must be true or false",
    "datetime": "must be a date and time, for example `2026-01-31T09:00:00Z`",
    "date": "must be a date, for example `2026-01-31`",
    "decimal": "must be a number, for example `12.50`",
    "finite": "must be a number, for example `12.50`",
    "int": "must be a whole number, for example `30`",
    "string_type": "must be text",
}


@cache
def max_length(fields: type[BaseModel], name: str) -> int:
    """Return the maximum length of the field in characters."""
    limits = (getattr(rule, "max_length", None) for rule in fields.model_fields[name].metadata)
    return next((limit for limit in limits if limit), DEFAULT_MAX_LENGTH)


def validate(fields: type[M], values: Mapping[str, object], *, path: Sequence[str] = (), country: str = "NL") -> M:
    """Return the values as an instance of their field set; ignore names that it does not have.

    `path` is the path of the values in the input. `country` is the organization's country, for telephone numbers and for addresses
    without a country. Raises `RuleViolation` with every error.
    """
    model, errors = _build_model(fields, values, country)
    missing = [name for name, field in fields.model_fields.items() if field.is_required() and name not in values]
    errors |= {name: _format_message(name, "is required") for name in missing}
    errors |= _missing_name_errors(fields, vars(model), values, errors)
    _raise_errors(fields, errors, path)
    return model


def validate_patch(
    fields: type[BaseModel],
    current: Mapping[str, object],
    changes: Mapping[str, object],
    *,
    path: Sequence[str] = (),
    country: str = "NL",
) -> dict[str, object]:
    """Return the changes as they are stored: an absent value stays absent, null clears the field.

    Unchanged values are not validated again unless they depend on a change: a postal code depends on its country, and the two names of a
    person on each other. Raises `RuleViolation` with every error.
    """
    dependent_values = {name: current[name] for name in RULES_BY_COUNTRY if name in current and "country" in changes}
    default_country = country if "country" in changes else current.get("country") or country
    model, errors = _build_model(fields, {**dependent_values, **changes}, str(default_country))
    new_values = {name: getattr(model, name, None) for name in fields.model_fields if name in changes or name in dependent_values}
    if not changes.keys().isdisjoint(PERSON_NAME_FIELDS):
        errors |= _missing_name_errors(fields, {**current, **new_values}, changes, errors)
    _raise_errors(fields, {name if name in changes else "country": message for name, message in errors.items()}, path)
    return {name: value for name, value in new_values.items() if name in changes or value != current[name]}


def _build_model(fields: type[M], values: Mapping[str, object], country: str) -> tuple[M, FieldErrors]:
    """Return the field set with its valid values, and the errors of the others."""
    model, errors = fields.model_construct(), FieldErrors()
    for name in sorted(values.keys() & fields.model_fields.keys(), key=lambda name: name != "country"):
        try:
            if name not in RULES_BY_COUNTRY or "country" not in errors:
                model_country = values.get("country") and getattr(model, "country", None)
                _assign(model, name, _normalize(name, values[name], max_length(fields, name), str(model_country or country)))
        except TooLong as error:
            errors[name] = _format_message(name, str(error))
        except WrongValue as error:
            errors[name] = str(error)
        except ValidationError as error:
            errors[name] = _describe_error(name, error.errors()[0])
    return model, errors


def _normalize(name: str, value: object, limit: int, country: str) -> object:
    """Normalize a text by the rule of its field, and an empty text to None. Return any other value unchanged."""
    if type(value) is not str:
        return value
    text = clean(value, limit, is_multiline=name in MULTILINE)
    if not text:
        return None
    return RULES_BY_COUNTRY[name](text, country) if name in RULES_BY_COUNTRY else RULES.get(name, str)(text)


def _assign(model: BaseModel, name: str, value: object) -> None:
    """Assign a value. Raises `ValidationError` outside the field's limits."""
    model.__pydantic_validator__.validate_assignment(model, name, value)


def _missing_name_errors(
    fields: type[BaseModel], values: Mapping[str, object], input_values: Mapping[str, object], errors: FieldErrors
) -> FieldErrors:
    """Report a person without a name at the last of the supplied name fields. Report nothing while one of them is invalid."""
    if not fields.model_fields.keys() >= set(PERSON_NAME_FIELDS) or any(values.get(name) or name in errors for name in PERSON_NAME_FIELDS):
        return {}
    candidates = [name for name in PERSON_NAME_FIELDS if name in input_values] or [PERSON_NAME_FIELDS[-1]]
    return {candidates[-1]: "A person needs `firstName`, `lastName` or both, for example `Jansen`."}


def _describe_error(name: str, error: ErrorDetails) -> str:
    """Describe a pydantic error for users."""
    kind = error["type"]
    if error["input"] is None:
        return _format_message(name, "cannot be empty")
    message = MESSAGES.get(kind) or next((message for start, message in MESSAGES_BY_TYPE.items() if kind.startswith(start)), None)
    length = len(error["input"]) if isinstance(error["input"], str) else 0
    return _format_message(name, message.format(**error.get("ctx", {}), length=length)) if message else f"{error['msg']}."


def _format_message(name: str, message: str) -> str:
    return f"`{to_camel(name)}` {message}."


def check_dates(values: Mapping[str, Any], changes: Mapping[str, object], start_name: str, end_name: str) -> None:
    """Reject an end before the start, at the date that was supplied."""
    start, end, start_field, end_field = values[start_name], values[end_name], to_camel(start_name), to_camel(end_name)
    if start and end and end < start:
        message = f"`{end_field}` ({end}) is before `{start_field}` ({start}). Choose a later `{end_field}` or an earlier `{start_field}`."
        raise RuleViolation(InvalidInput([end_field if end_name in changes else start_field], message))


def _raise_errors(fields: type[BaseModel], errors: FieldErrors, path: Sequence[str]) -> None:
    """Raise the errors in the order of the fields."""
    if errors:
        raise RuleViolation(*(InvalidInput([*path, to_camel(name)], errors[name]) for name in fields.model_fields if name in errors))
