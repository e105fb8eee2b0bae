"""The ways to reach somebody: e-mail, telephone, website."""

import re
from urllib.parse import SplitResult, urlsplit

from idna import encode, uts46_remap
from stdnum.util import clean

from domain.errors import WrongValue

EMAIL_LONGEST, WEBSITE_LONGEST = 254, 200
DIALLED = re.compile(r"[0-9 ()./+-]+")
WITH_EXTENSION = re.compile(rf"{DIALLED.pattern}(?:(?:ext\.?|x|#) ?[0-9]{{1,7}})?", re.IGNORECASE)
DIGITS = range(4, 16)  # of a number that is kept as typed; E.164 ends at fifteen
SCHEME = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)
NOT_IN_URL = re.compile(r"[\s\x00-\x20\x7f-\x9f\\]")


def email(text: str) -> str:
    """Its domain in small letters. Whether anybody reads it is not asked of the network."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 long to import, and no start needs it

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as wrong:
        rule = f"An e-mail address has a name, an @ and a domain, and at most {EMAIL_LONGEST} characters"
        raise WrongValue(rule, "info@noorderlicht.example") from wrong


def phone(text: str, country: str = "NL") -> str:
    """In international form when it is a number that is given out, there or, without a +, in the country; else as typed."""
    typed = clean(text).strip()
    known = _international(typed, country) if WITH_EXTENSION.fullmatch(typed) else None
    if known is None and not (DIALLED.fullmatch(typed) and sum(sign.isdigit() for sign in typed) in DIGITS):
        raise WrongValue("A telephone number has 4 to 15 digits, blanks and ( ) . / - +", "+31 20 555 0123")
    return known or typed


def _international(typed: str, country: str) -> str | None:
    import phonenumbers  # noqa: PLC0415 long to import, and no start needs it

    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        return None
    form = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form) if phonenumbers.is_valid_number(number) else None


def website(text: str) -> str:
    """With its scheme, https unless given; scheme and host in small letters."""
    found = None if len(text) > WEBSITE_LONGEST or NOT_IN_URL.search(text) else _url(text)
    if found is None or len(found) > WEBSITE_LONGEST:
        rule = f"A website has the name of a host, http or https, no user, and at most {WEBSITE_LONGEST} characters"
        raise WrongValue(rule, "https://www.noorderlicht.example")
    return found


def _url(text: str) -> str | None:
    try:
        parts = urlsplit(text if SCHEME.match(text) else f"https://{text}")
        host, port = _host(parts), parts.port
    except ValueError:  # idna's own errors are among them
        return None
    if host is None or parts.scheme not in {"http", "https"}:
        return None
    return parts._replace(netloc=host if port is None else f"{host}:{port}").geturl()


def _host(parts: SplitResult) -> str | None:
    """A name with a dot, whose labels can be registered; no address of four numbers, and nobody's password."""
    if "@" in parts.netloc or not parts.hostname:
        return None
    host = uts46_remap(parts.hostname, std3_rules=True)
    encode(host, std3_rules=True)
    return host if "." in host.rstrip(".") and not host.rstrip(".").rpartition(".")[2].isdigit() else None
