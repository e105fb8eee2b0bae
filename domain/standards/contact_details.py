"""Normalize contact details: e-mail addresses, telephone numbers and websites."""

import re
from urllib.parse import SplitResult, urlsplit

from idna import encode, uts46_remap
from stdnum.util import clean

from domain.standards.errors import WrongValue

MAX_EMAIL_LENGTH, MAX_WEBSITE_LENGTH = 254, 200
PHONE_CHARACTERS = re.compile(r"[0-9 ()./+-]+")
PHONE_WITH_EXTENSION = re.compile(rf"{PHONE_CHARACTERS.pattern}(?:(?:ext\.?|x|#) ?[0-9]{{1,7}})?", re.IGNORECASE)
PHONE_DIGIT_COUNTS = range(4, 16)  # digits of a number that is stored as typed; E.164 allows at most 15
SCHEME = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)
NOT_IN_URL = re.compile(r"[\s\x00-\x20\x7f-\x9f\\]")


def email(text: str) -> str:
    """Normalize an e-mail address: its domain becomes lower case. The domain is not looked up on the network."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 slow to import, and not needed at startup

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        rule = f"An e-mail address must have a name, an @ and a domain, and at most {MAX_EMAIL_LENGTH} characters"
        raise WrongValue(rule, "info@noorderlicht.example") from error


def phone(text: str, country: str = "NL") -> str:
    """Format a valid telephone number internationally, and keep any other number as typed.

    `country` applies to numbers without an international prefix.
    """
    raw_number = clean(text).strip()
    international = _format_international(raw_number, country) if PHONE_WITH_EXTENSION.fullmatch(raw_number) else None
    if international is None and not (
        PHONE_CHARACTERS.fullmatch(raw_number) and sum(character.isdigit() for character in raw_number) in PHONE_DIGIT_COUNTS
    ):
        raise WrongValue("A telephone number must have 4 to 15 digits, and besides them only blanks and ( ) . / - +", "+31 20 555 0123")
    return international or raw_number


def _format_international(raw_number: str, country: str) -> str | None:
    import phonenumbers  # noqa: PLC0415 slow to import, and not needed at startup

    try:
        number = phonenumbers.parse(raw_number, country)
    except phonenumbers.NumberParseException:
        return None
    number_format = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, number_format) if phonenumbers.is_valid_number(number) else None


def website(text: str) -> str:
    """Normalize a URL: convert its scheme and host to lower case, and add https if it has no scheme."""
    url = None if len(text) > MAX_WEBSITE_LENGTH or NOT_IN_URL.search(text) else _normalize_url(text)
    if url is None or len(url) > MAX_WEBSITE_LENGTH:
        rule = f"A website must be an http or https URL with a host name, without a user, of at most {MAX_WEBSITE_LENGTH} characters"
        raise WrongValue(rule, "https://www.noorderlicht.example")
    return url


def _normalize_url(text: str) -> str | None:
    try:
        parts = urlsplit(text if SCHEME.match(text) else f"https://{text}")
        host, port = _normalize_host(parts), parts.port
    except ValueError:  # also the base class of the errors of idna
        return None
    if host is None or parts.scheme not in {"http", "https"}:
        return None
    return parts._replace(netloc=host if port is None else f"{host}:{port}").geturl()


def _normalize_host(parts: SplitResult) -> str | None:
    """Return the host name, which has a dot and registrable labels. Return None for an IPv4 address and for a URL with a user."""
    if "@" in parts.netloc or not parts.hostname:
        return None
    host = uts46_remap(parts.hostname, std3_rules=True)
    encode(host, std3_rules=True)
    return host if "." in host.rstrip(".") and not host.rstrip(".").rpartition(".")[2].isdigit() else None
