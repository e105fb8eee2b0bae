"""Escape text so that a terminal only displays it.

Names, arguments, settings and messages of exceptions come from others. Characters that a terminal or a reader of lines would act on are
shown as Python escapes: control characters (C0 and C1), line breaks, bidirectional overrides, invisible characters and lone surrogates.
"""

import re

DELETE = "\x7f"
# The joiners U+200C and U+200D stay: words of some languages and emoji are written with them.
UNSAFE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\ud800-\\udfff\\U000e0001\\U000e0020-\\U000e007f]"
)


def escape(text: str) -> str:
    """Return the text as one line that is safe to print."""
    if text.isascii() and text.isprintable():
        return text
    return UNSAFE.sub(lambda match: ascii(match[0])[1:-1], text)


def escape_lines(text: str) -> str:
    """Return a text of several lines, such as a traceback, with each line safe to print."""
    return "\n".join(map(escape, text.split("\n")))


def escape_json(text: str) -> str:
    """Return JSON of the same value that is safe to print. The given JSON has no line breaks between its tokens."""
    if text.isascii() and DELETE not in text:  # true for nearly every line of the log; JSON escapes the other control characters
        return text
    return UNSAFE.sub(lambda match: _escape_as_json(match[0]), text)


def _escape_as_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
