"""Check how much a JSON text holds before it is parsed, with C routines only.

The parser makes Python objects of everything it reads, which takes up to 90 ms for 1 MB of small values. Counting the
same text takes a few milliseconds, so a text that is refused for its size is never parsed.
"""

from server.errors import ErrorCode, HttpError

MAX_NESTING = 32
MAX_VALUES = 20_000
WHITESPACE = b" \t\n\r"
# Brackets of both kinds become round ones, and every other character the `x` of a scalar.
STRUCTURE_TABLE = bytes(ord("(") if each in b"[{" else ord(")") if each in b"]}" else ord("x") for each in range(256))


def check_size(text: bytes) -> None:
    """Raise `HttpError` (BAD_REQUEST) if the text has more than `MAX_VALUES` values or is nested deeper than `MAX_NESTING`.

    The keys of objects count as values. Text that is not JSON may pass, for the parser to refuse.
    """
    openings = text.count(b"[") + text.count(b"{")
    # Every value but the first follows a comma, a colon or an opening bracket, so there cannot be more of them than bytes, or than this.
    if openings <= MAX_NESTING and (len(text) < MAX_VALUES or 1 + openings + text.count(b",") + text.count(b":") <= MAX_VALUES):
        return
    structure = _remove_strings(text)
    if _count_values(structure) > MAX_VALUES:
        raise _too_many_values_error()
    if _is_too_deep(structure):
        raise HttpError(ErrorCode.BAD_REQUEST, f"The body is more than {MAX_NESTING} levels deep.")


def _remove_strings(text: bytes) -> bytes:
    """Return the text with `"` in place of every string, and without whitespace."""
    plain = text.replace(rb"\\", b"").replace(rb"\"", b"")  # what is left of `"` begins or ends a string
    # Each string is a value. Refusing here bounds the number of pieces below.
    if plain.count(b'"') > 2 * MAX_VALUES:
        raise _too_many_values_error()
    return b'"'.join(plain.split(b'"')[::2]).translate(None, WHITESPACE)


def _count_values(structure: bytes) -> int:
    """Return the number of values and keys: the first, those after a comma or a colon, and the first of each bracket that is not empty."""
    nonempty_brackets = structure.count(b"[") + structure.count(b"{") - structure.count(b"[]") - structure.count(b"{}")
    return 1 + structure.count(b",") + structure.count(b":") + nonempty_brackets


def _is_too_deep(structure: bytes) -> bool:
    """Remove the innermost level again and again, and tell whether anything is left after as many as there may be.

    The text itself is level 0, so there may be `MAX_NESTING + 1` levels.
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
    return HttpError(ErrorCode.BAD_REQUEST, f"A request has at most {MAX_VALUES} values.")
