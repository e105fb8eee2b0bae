"""Limit the values and the nesting of a JSON text before it is parsed, with methods of `bytes` that run in C.

Parsing creates a Python object for each value, which takes up to 90 ms for 1 MB of small values. Counting them takes a few milliseconds,
so a text that is too large is never parsed.
"""

from server.errors import ErrorCode, HttpError

MAX_NESTING = 32
MAX_VALUES = 20_000
WHITESPACE = b" \t\n\r"
# Map brackets and braces to parentheses, and every other character to `x`, which stands for a scalar.
STRUCTURE_TABLE = bytes(ord("(") if each in b"[{" else ord(")") if each in b"]}" else ord("x") for each in range(256))


def check_size(text: bytes) -> None:
    """Raise `HttpError` (BAD_REQUEST) if the text has more than `MAX_VALUES` values or is nested deeper than `MAX_NESTING`.

    The keys of objects count as values. Text that is not JSON may pass, as the parser rejects it.
    """
    openings = text.count(b"[") + text.count(b"{")
    # Each value but the first follows a comma, a colon or an opening bracket, so this is an upper bound. So is the number of bytes.
    if openings <= MAX_NESTING and (len(text) < MAX_VALUES or 1 + openings + text.count(b",") + text.count(b":") <= MAX_VALUES):
        return
    structure = _remove_strings(text)
    if _count_values(structure) > MAX_VALUES:
        raise _too_many_values_error()
    if _is_too_deep(structure):
        raise HttpError(ErrorCode.BAD_REQUEST, f"The JSON is nested more than {MAX_NESTING} levels deep. Send a flatter object.")


def _remove_strings(text: bytes) -> bytes:
    """Return the text without whitespace, with each string replaced by `"`."""
    plain = text.replace(rb"\\", b"").replace(rb"\"", b"")  # each remaining `"` begins or ends a string
    # Each string is a value. This check limits the number of pieces that `split` creates below.
    if plain.count(b'"') > 2 * MAX_VALUES:
        raise _too_many_values_error()
    return b'"'.join(plain.split(b'"')[::2]).translate(None, WHITESPACE)


def _count_values(structure: bytes) -> int:
    """Return the number of values and keys: the first, each after a comma or a colon, and the first in each nonempty bracket."""
    nonempty_brackets = structure.count(b"[") + structure.count(b"{") - structure.count(b"[]") - structure.count(b"{}")
    return 1 + structure.count(b",") + structure.count(b":") + nonempty_brackets


def _is_too_deep(structure: bytes) -> bool:
    """Remove the innermost level repeatedly. Return whether any level is left after the allowed number.

    The text itself is level 0, so `MAX_NESTING + 1` levels are allowed.
    """
    brackets = structure.translate(STRUCTURE_TABLE, b",:")
    if brackets.count(b"(") != brackets.count(b")"):
        return False  # not JSON
    brackets = brackets.replace(b"()", b"").translate(None, b"x")
    for _ in range(MAX_NESTING):
        if not brackets:
            return False
        brackets = brackets.replace(b"()", b"")
    return bool(brackets)


def _too_many_values_error() -> HttpError:
    return HttpError(ErrorCode.BAD_REQUEST, f"The JSON has more than {MAX_VALUES} values. Send several requests.")
