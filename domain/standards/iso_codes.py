"""Validate codes against the lists of their standards, and postal codes by country."""

import re
from collections.abc import Callable
from functools import cache
from zoneinfo import available_timezones

import pycountry

from domain.standards.errors import WrongValue
from domain.standards.text import upper_ascii

# The currencies that several countries share. Other codes that begin with X are not currencies but metals, units of account and tests.
SHARED_CURRENCIES = frozenset({"XAF", "XCD", "XCG", "XOF", "XPF"})
EXCLUDED_TIMEZONES = frozenset({"Factory", "localtime"})  # they differ between machines
LOCALE = re.compile("([a-z]{2})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}))?", re.IGNORECASE | re.ASCII)
COLOR = re.compile("#[0-9A-F]{6}")
DUTCH_POSTAL_CODE = re.compile("([1-9][0-9]{3}) ?((?!S[ADS])[A-Z]{2})")
BELGIAN_POSTAL_CODE = re.compile("[1-9][0-9]{3}")
OTHER_POSTAL_CODE = re.compile("[0-9A-Z][0-9A-Z -]{0,18}[0-9A-Z]")
BLANKS = re.compile(" +")


@cache
def countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def languages() -> frozenset[str]:
    return frozenset(language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2"))


@cache
def currencies() -> frozenset[str]:
    """Return the currencies that are in use, without metals, units of account and test codes."""
    codes = (currency.alpha_3 for currency in pycountry.currencies)
    return frozenset(code for code in codes if not code.startswith("X") or code in SHARED_CURRENCIES)


@cache
def scripts() -> frozenset[str]:
    return frozenset(script.alpha_4 for script in pycountry.scripts)


@cache
def timezones() -> dict[str, str]:
    """Return a mapping from lower-case names to names."""
    return {name.casefold(): name for name in available_timezones() - EXCLUDED_TIMEZONES}


def country(text: str) -> str:
    return _require_member(upper_ascii(text), countries, "A country must be a two-letter code of ISO 3166-1", "NL")


def language(text: str) -> str:
    return _require_member(upper_ascii(text).lower(), languages, "A language must be a two-letter code of ISO 639-1", "nl")


def currency(text: str) -> str:
    return _require_member(upper_ascii(text), currencies, "A currency must be a three-letter code of ISO 4217 that is in use", "EUR")


def _require_member(code: str, list_codes: Callable[[], frozenset[str]], rule: str, example: str) -> str:
    if code not in list_codes():
        raise WrongValue(rule, example)
    return code


def locale(text: str) -> str:
    """Normalize a BCP 47 tag: a language, optionally with a script and a country."""
    match = LOCALE.fullmatch(text)
    language_code, script_code, country_code = match.groups(default="") if match else ("", "", "")
    language_code, script_code, country_code = language_code.lower(), script_code.title(), country_code.upper()
    if (
        language_code not in languages()
        or (script_code and script_code not in scripts())
        or (country_code and country_code not in countries())
    ):
        raise WrongValue("A locale must be a language code, optionally with a country code", "nl-NL")
    return "-".join(part for part in (language_code, script_code, country_code) if part)


def timezone(text: str) -> str:
    name = timezones().get(text.casefold())
    if name is None:
        raise WrongValue("A time zone must be a name of the IANA time zone database", "Europe/Amsterdam")
    return name


def color(text: str) -> str:
    code = upper_ascii(text)
    if not COLOR.fullmatch(code):
        raise WrongValue("A colour must be a # and six hexadecimal digits", "#1D4ED8")
    return code


def postal_code(text: str, country: str = "NL") -> str:
    code = BLANKS.sub(" ", upper_ascii(text)).strip()
    match country:
        case "NL":
            return _normalize_dutch_postal_code(code)
        case "BE":
            if not BELGIAN_POSTAL_CODE.fullmatch(code):
                raise WrongValue("A Belgian postal code must be a number from 1000 to 9999", "9000")
        case _:
            if not OTHER_POSTAL_CODE.fullmatch(code):
                raise WrongValue("A postal code must have 2 to 20 letters, digits, blanks and hyphens", "SW1A 1AA")
    return code


def _normalize_dutch_postal_code(code: str) -> str:
    match = DUTCH_POSTAL_CODE.fullmatch(code)
    if not match:
        raise WrongValue("A Dutch postal code must have four digits and two letters, which are never SA, SD or SS", "1012 AB")
    return " ".join(match.groups())
