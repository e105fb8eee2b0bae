"""Invented identifiers with the check digits that real ones have. The bank codes exist at no bank."""

from dataclasses import dataclass

from db.demo.dice import Dice

DUTCH_BANKS = ("NOOR", "DEMO", "VLIE", "ZUID", "OOST")
BELGIAN_BANKS = {"901": "DEMOBE22", "902": "NOORBE2X", "903": "VLIEBE33", "904": "ZUIDBE44"}
ELEVEN_TEST = (9, 8, 7, 6, 5, 4, 3, 2)
TEN = 10


@dataclass(frozen=True, slots=True)
class Identity:
    """The numbers that registers and banks know a client by."""

    kvk: str | None = None
    branch: str | None = None
    kbo: str | None = None
    vat: str | None = None
    iban: str | None = None
    bic: str | None = None


def identity(dice: Dice, country: str, *, is_registered: bool) -> Identity:
    """What a register, for those who are in one, and a bank know them by; not every client told its account."""
    match country:
        case "NL":
            iban, bic = dutch_bank(dice) if dice.chance(80) else (None, None)
            registered = kvk(dice) if is_registered else None
            branch = kvk_branch(dice) if registered and dice.chance(50) else None
            return Identity(kvk=registered, branch=branch, vat=dutch_vat(dice) if is_registered else None, iban=iban, bic=bic)
        case "BE":
            iban, bic = belgian_bank(dice) if dice.chance(80) else (None, None)
            registered = kbo(dice) if is_registered else None
            return Identity(kbo=registered, vat=registered and f"BE{registered}", iban=iban, bic=bic)
        case "DE":
            return Identity(vat=german_vat(dice))
        case _:
            return Identity()


def kvk(dice: Dice) -> str:
    return str(dice.between(10_000_000, 99_999_999))


def kvk_branch(dice: Dice) -> str:
    return f"0000{dice.between(10_000_000, 99_999_999)}"


def kbo(dice: Dice) -> str:
    """The last two digits are 97 less the remainder of the first eight, so 01 to 97."""
    eight = dice.between(4_000_000, 10_999_999)
    return f"{eight:08d}{97 - eight % 97:02d}"


def dutch_vat(dice: Dice) -> str:
    """Nine digits that pass the eleven-test; a remainder of ten cannot be written, so another is drawn."""
    while True:
        eight = str(dice.between(10_000_000, 89_999_999))
        check = sum(weight * int(digit) for weight, digit in zip(ELEVEN_TEST, eight, strict=True)) % 11
        if check < TEN:
            return f"NL{eight}{check}B01"


def german_vat(dice: Dice) -> str:
    """ISO 7064 mod 11, 10."""
    eight, product = str(dice.between(10_000_000, 99_999_999)), TEN
    for digit in eight:
        product = ((int(digit) + product) % TEN or TEN) * 2 % 11
    return f"DE{eight}{(11 - product) % TEN}"


def iban(country: str, account: str) -> str:
    """The two check digits that make the rearranged whole 1 modulo 97."""
    rearranged = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(rearranged) % 97:02d}{account}"


def dutch_bank(dice: Dice) -> tuple[str, str]:
    """IBAN and BIC."""
    bank = dice.pick(DUTCH_BANKS)
    return iban("NL", f"{bank}0{dice.digits(9)}"), f"{bank}NL2A"


def belgian_bank(dice: Dice) -> tuple[str, str]:
    """IBAN and BIC; the account itself ends in a check as well."""
    bank = dice.pick(tuple(BELGIAN_BANKS))
    return iban("BE", modulo_97(f"{bank}{dice.digits(7)}")), BELGIAN_BANKS[bank]


def modulo_97(ten: str) -> str:
    """Ten digits with the check of a Belgian account or structured message: the remainder, 97 for none."""
    return f"{ten}{int(ten) % 97 or 97:02d}"


def structured_message(number: int) -> str:
    """The reference of a Belgian payment: `+++000/0002/02505+++`."""
    twelve = modulo_97(f"{number:010d}")
    return f"+++{twelve[:3]}/{twelve[3:7]}/{twelve[7:]}+++"
