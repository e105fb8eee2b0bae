"""Codes of standards, from the lists themselves, and postal codes, whose form is that of their country."""

import re
from collections.abc import Callable
from functools import cache
from zoneinfo import available_timezones

import pycountry

from domain.errors import WrongValue
from domain.texts import capitals

SHARED = frozenset({"XAF", "XCD", "XCG", "XOF", "XPF"})  # money of several countries; the other codes with an X are no money
NOT_A_PLACE = frozenset({"Factory", "localtime"})  # a time zone that differs from machine to machine
LOCALE = re.compile("([a-z]{2})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}))?", re.IGNORECASE | re.ASCII)
COLOR = re.compile("#[0-9A-F]{6}")
DUTCH = re.compile("([1-9][0-9]{3}) ?((?!S[ADS])[A-Z]{2})")
BELGIAN = re.compile("[1-9][0-9]{3}")
ELSEWHERE = re.compile("[0-9A-Z][0-9A-Z -]{0,18}[0-9A-Z]")
BLANKS = re.compile(" +")


@cache
def countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def languages() -> frozenset[str]:
    return frozenset(language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2"))


@cache
def currencies() -> frozenset[str]:
    """Those in use: the list has no former ones; metals, units of account and codes for tests are left out."""
    codes = (currency.alpha_3 for currency in pycountry.currencies)
    return frozenset(code for code in codes if not code.startswith("X") or code in SHARED)


@cache
def scripts() -> frozenset[str]:
    return frozenset(script.alpha_4 for script in pycountry.scripts)


@cache
def timezones() -> dict[str, str]:
    """By the name in small letters."""
    return {name.casefold(): name for name in available_timezones() - NOT_A_PLACE}


def country(text: str) -> str:
    return _listed(capitals(text), countries, "A country is a code of two letters of ISO 3166-1", "NL")


def language(text: str) -> str:
    return _listed(capitals(text).lower(), languages, "A language is a code of two letters of ISO 639-1", "nl")


def currency(text: str) -> str:
    return _listed(capitals(text), currencies, "A currency is a code of three letters of ISO 4217 that is in use", "EUR")


def _listed(code: str, known: Callable[[], frozenset[str]], rule: str, example: str) -> str:
    if code not in known():
        raise WrongValue(rule, example)
    return code


def locale(text: str) -> str:
    """A tag of BCP 47: a language, and for some a script and a country."""
    found = LOCALE.fullmatch(text)
    tongue, script, place = found.groups(default="") if found else ("", "", "")
    tongue, script, place = tongue.lower(), script.title(), place.upper()
    if tongue not in languages() or (script and script not in scripts()) or (place and place not in countries()):
        raise WrongValue("A locale is a language and a country by their codes", "nl-NL")
    return "-".join(part for part in (tongue, script, place) if part)


def timezone(text: str) -> str:
    found = timezones().get(text.casefold())
    if found is None:
        raise WrongValue("A time zone is a name of the IANA list", "Europe/Amsterdam")
    return found


def color(text: str) -> str:
    code = capitals(text)
    if not COLOR.fullmatch(code):
        raise WrongValue("A colour is a # and six hexadecimal digits", "#1D4ED8")
    return code


def postal_code(text: str, country: str = "NL") -> str:
    code = BLANKS.sub(" ", capitals(text)).strip()
    match country:
        case "NL":
            return _dutch(code)
        case "BE":
            if not BELGIAN.fullmatch(code):
                raise WrongValue("A Belgian postal code is a number from 1000 to 9999", "9000")
        case _:
            if not ELSEWHERE.fullmatch(code):
                raise WrongValue("A postal code has 2 to 20 letters, digits, blanks and hyphens", "SW1A 1AA")
    return code


def _dutch(code: str) -> str:
    found = DUTCH.fullmatch(code)
    if not found:
        raise WrongValue("A Dutch postal code has four digits and two letters, never SA, SD or SS", "1012 AB")
    return " ".join(found.groups())
