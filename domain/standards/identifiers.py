"""Validate and normalize the numbers of registers, tax offices and banks.

python-stdnum implements the checks; a function that is stricter says so. Check digits detect most typing errors, but cannot show whether
a number was ever issued.
"""

import re
from types import ModuleType

from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.gb import vat as british
from stdnum.no import mva as norwegian
from stdnum.util import clean

from domain.standards.errors import WrongValue
from domain.standards.text import upper_ascii

SEPARATORS = " .-/"
KVK, BRANCH, KBO = re.compile("[0-9]{8}"), re.compile("[0-9]{12}"), re.compile("[01][0-9]{9}")
OLD_KBO_DIGITS = 9  # numbers issued before 2005 have no leading zero
VAT = re.compile("[A-Z]{2}[0-9A-Z+*]{2,18}")
# The check digits are 98 minus a remainder modulo 97, so they are never 00, 01 or 99.
IBAN = re.compile("[A-Z]{2}(?!00|01|99)[0-9]{2}[0-9A-Z]{8,30}")
BIC = re.compile("[0-9A-Z]{8}(?:[0-9A-Z]{3})?")
# A valid VAT number of each country whose numbers can be checked. EL is Greece, XI is Northern Ireland.
VAT_EXAMPLES = {
    "AT": "ATU13585627", "BE": "BE0403019261", "BG": "BG175074752", "CH": "CHE107787577MWST", "CY": "CY10259033P", "CZ": "CZ25123891",
    "DE": "DE136695976", "DK": "DK13585628", "EE": "EE100594102", "EL": "EL094259216", "ES": "ESB64717838", "FI": "FI20774740",
    "FR": "FR23334175221", "GB": "GB980780684", "HR": "HR33392005961", "HU": "HU12892312", "IE": "IE6433435F", "IT": "IT00743110157",
    "LT": "LT119511515", "LU": "LU15027442", "LV": "LV40003521600", "MT": "MT11679112", "NL": "NL004495445B01",
    "NO": "NO995525828MVA", "PL": "PL8567346215", "PT": "PT501964843", "RO": "RO18547290", "SE": "SE123456789701", "SI": "SI50223054",
    "SK": "SK2022749619", "XI": "XI980780684",
}  # fmt: skip


def compact(text: str) -> str:
    """Remove separators and convert letters to upper case. Convert dashes, blanks and digits of other alphabets to ASCII."""
    return upper_ascii(clean(text, SEPARATORS).strip())


def kvk_number(text: str) -> str:
    """Normalize a number of the Dutch trade register."""
    number = compact(text)
    if not KVK.fullmatch(number):
        raise WrongValue("A KvK number must have 8 digits", "68750110")
    return number


def kvk_branch_number(text: str) -> str:
    """Normalize the number of a branch ("vestiging") in the Dutch trade register."""
    number = compact(text)
    if not BRANCH.fullmatch(number):
        raise WrongValue("The KvK number of a branch must have 12 digits", "000037178598")
    return number


def kbo_number(text: str) -> str:
    """Normalize an enterprise number of the Belgian register. Stricter than stdnum, which also accepts the check digits 00, 98 and 99."""
    number = _pad_kbo_number(compact(text).removeprefix("BE"))
    if not _is_kbo(number):
        rule = "A KBO number must have 10 digits: the first is 0 or 1, and the last two are 97 minus the first eight modulo 97"
        raise WrongValue(rule, "0403019261")
    return number


def vat_number(text: str) -> str:
    """Normalize a VAT number with its country code. Dutch numbers are checked modulo 11 or, for sole traders since 2020, modulo 97-10."""
    number = compact(text)
    country, rest = number[:2].replace("GR", "EL"), number[2:]
    number = country + (_pad_kbo_number(rest) if country == "BE" else rest)
    if country not in VAT_EXAMPLES:
        raise WrongValue(f"A VAT number must begin with its country, one of {' '.join(VAT_EXAMPLES)}", VAT_EXAMPLES["NL"])
    if not (VAT.fullmatch(number) and _is_vat(number)):
        raise WrongValue(f"A VAT number of {country} must have the form of this country and correct check digits", VAT_EXAMPLES[country])
    return number


def iban(text: str) -> str:
    """Normalize an IBAN. Check its length and form for its country, and its check digits, but not those of the national account number."""
    number = compact(text)
    if not (IBAN.fullmatch(number) and ibans.is_valid(number, check_country=False)):
        raise WrongValue("An IBAN must have the length for its country and correct check digits", "NL91 ABNA 0417 1643 00")
    return number


def bic(text: str) -> str:
    """Normalize the BIC (SWIFT code) of a bank."""
    number = compact(text)
    if not (BIC.fullmatch(number) and bics.is_valid(number)):
        raise WrongValue("A BIC must have 8 or 11 characters, of which the fifth and sixth are the country", "ABNANL2A")
    return number


def _pad_kbo_number(digits: str) -> str:
    return f"0{digits}" if len(digits) == OLD_KBO_DIGITS else digits


def _is_kbo(number: str) -> bool:
    return bool(KBO.fullmatch(number)) and int(number[8:]) == 97 - int(number[:8]) % 97


def _is_vat(number: str) -> bool:
    match number[:2]:
        case "BE":
            return _is_kbo(number[2:])
        case "CH":
            return _is_valid_compact(swiss, number)
        case "GB":
            return _is_valid_compact(british, number[2:])
        case "NO":
            return _is_valid_compact(norwegian, number[2:])
        case _:
            return _is_valid_compact(european, number)


def _is_valid_compact(module: ModuleType, number: str) -> bool:
    """Return whether the number is valid exactly as written. stdnum alone would accept a doubled country code or missing zeros."""
    return bool(module.compact(number) == number and module.is_valid(number))
