"""Formats of numbers with one placeholder: `K-####` gives K-0001, K-0002 and so on."""

import re

from domain.standards.errors import WrongValue

DEFAULT_FORMAT = "####"
PLACEHOLDER = re.compile("#+")


def format_number(number: int, pattern: str | None) -> str:
    """Format a number; by the default format without a pattern or with an invalid one."""
    template = pattern if pattern and is_number_format(pattern) else DEFAULT_FORMAT
    return PLACEHOLDER.sub(lambda match: str(number).zfill(len(match[0])), template)


def is_number_format(pattern: str) -> bool:
    """Return whether it has exactly one placeholder."""
    return len(PLACEHOLDER.findall(pattern)) == 1


def number_format(text: str) -> str:
    """Validate a format. Without one run of # all numbers would be the same."""
    if not is_number_format(text):
        raise WrongValue("A format of numbers has one run of #, where the number comes", "K-####")
    return text
