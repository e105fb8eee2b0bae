"""Invented registration numbers and bank accounts with correct check digits. No bank has these bank codes."""

from dataclasses import dataclass

from db.demo.rng import Rng

DUTCH_BANKS = ("NOOR", "DEMO", "VLIE", "ZUID", "OOST")
BELGIAN_BANKS = {"901": "DEMOBE22", "902": "NOORBE2X", "903": "VLIEBE33", "904": "ZUIDBE44"}
ELEVEN_TEST = (9, 8, 7, 6, 5, 4, 3, 2)
MODULUS_TEN = 10


@dataclass(frozen=True, slots=True)
class RegistrationNumbers:
    """A client's registration numbers and bank account."""

    kvk: str | None = None
    branch: str | None = None
    kbo: str | None = None
    vat: str | None = None
    iban: str | None = None
    bic: str | None = None


def registration_numbers(rng: Rng, country: str, *, is_registered: bool) -> RegistrationNumbers:
    """Invent the registration numbers of a registered client, and the bank account of most clients."""
    match country:
        case "NL":
            iban, bic = dutch_account(rng) if rng.chance(80) else (None, None)
            number = kvk_number(rng) if is_registered else None
            branch = kvk_branch_number(rng) if number and rng.chance(50) else None
            return RegistrationNumbers(kvk=number, branch=branch, vat=dutch_vat_number(rng) if is_registered else None, iban=iban, bic=bic)
        case "BE":
            iban, bic = belgian_account(rng) if rng.chance(80) else (None, None)
            number = kbo_number(rng) if is_registered else None
            return RegistrationNumbers(kbo=number, vat=number and f"BE{number}", iban=iban, bic=bic)
        case "DE":
            return RegistrationNumbers(vat=german_vat_number(rng))
        case _:
            return RegistrationNumbers()


def kvk_number(rng: Rng) -> str:
    return str(rng.integer_between(10_000_000, 99_999_999))


def kvk_branch_number(rng: Rng) -> str:
    return f"0000{rng.integer_between(10_000_000, 99_999_999)}"


def kbo_number(rng: Rng) -> str:
    """Invent a KBO number. Its last two digits are 97 minus the remainder of the first eight modulo 97, so from 01 to 97."""
    eight = rng.integer_between(4_000_000, 10_999_999)
    return f"{eight:08d}{97 - eight % 97:02d}"


def dutch_vat_number(rng: Rng) -> str:
    """Invent a VAT number whose nine digits pass the Dutch eleven-test. No digit stands for a remainder of ten, so it draws again."""
    while True:
        eight = str(rng.integer_between(10_000_000, 89_999_999))
        check = sum(weight * int(digit) for weight, digit in zip(ELEVEN_TEST, eight, strict=True)) % 11
        if check < MODULUS_TEN:
            return f"NL{eight}{check}B01"


def german_vat_number(rng: Rng) -> str:
    """Invent a VAT number with the check digit of ISO 7064 MOD 11,10."""
    eight, product = str(rng.integer_between(10_000_000, 99_999_999)), MODULUS_TEN
    for digit in eight:
        product = ((int(digit) + product) % MODULUS_TEN or MODULUS_TEN) * 2 % 11
    return f"DE{eight}{(11 - product) % MODULUS_TEN}"


def iban_with_check_digits(country: str, account: str) -> str:
    """Return the IBAN of an account, with the check digits that make the rearranged number 1 modulo 97 (ISO 7064 MOD 97-10)."""
    digits = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def dutch_account(rng: Rng) -> tuple[str, str]:
    """Invent an IBAN and its BIC."""
    bank = rng.pick(DUTCH_BANKS)
    return iban_with_check_digits("NL", f"{bank}0{rng.digits(9)}"), f"{bank}NL2A"


def belgian_account(rng: Rng) -> tuple[str, str]:
    """Invent an IBAN and its BIC. The account number in the IBAN has check digits of its own at the end."""
    bank = rng.pick(tuple(BELGIAN_BANKS))
    return iban_with_check_digits("BE", modulo_97(f"{bank}{rng.digits(7)}")), BELGIAN_BANKS[bank]


def modulo_97(ten: str) -> str:
    """Append the check digits of a Belgian account or structured message to ten digits: the remainder modulo 97, or 97 for 0."""
    return f"{ten}{int(ten) % 97 or 97:02d}"


def structured_message(number: int) -> str:
    """Return a reference in the format of Belgian payments, such as `+++000/0002/02505+++`."""
    twelve = modulo_97(f"{number:010d}")
    return f"+++{twelve[:3]}/{twelve[3:7]}/{twelve[7:]}+++"
