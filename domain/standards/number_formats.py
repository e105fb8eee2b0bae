"""Format consecutive numbers by a pattern with one placeholder: `K-####` gives K-0001, K-0002 and so on."""

import re

from domain.standards.errors import WrongValue

DEFAULT_FORMAT = "####"
PLACEHOLDER = re.compile("#+")


def format_number(number: int, pattern: str | None) -> str:
    """Format a number. Use the default format if the pattern is None or invalid."""
    template = pattern if pattern and is_number_format(pattern) else DEFAULT_FORMAT
    return PLACEHOLDER.sub(lambda match: str(number).zfill(len(match[0])), template)


def is_number_format(pattern: str) -> bool:
    """Return whether the pattern has exactly one placeholder."""
    return len(PLACEHOLDER.findall(pattern)) == 1


def number_format(text: str) -> str:
    """Validate a format. Without a placeholder all numbers would be the same."""
    if not is_number_format(text):
        raise WrongValue("A number format must have exactly one run of #, which stands for the number", "K-####")
    return text
