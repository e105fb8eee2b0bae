"""Normalize texts for storage: composed, trimmed, without characters that carry no meaning or only control display.

Every text from outside passes through `clean`, the only function that normalizes text. Unicode normalization sorts the combining marks of
each character, and CPython needs time quadratic in their number for that. `clean` limits the length and the marks first, so that its time
is linear.
"""

import re
import unicodedata

from db.tables.keys import IGNORABLE
from domain.standards.errors import TooLong, WrongValue

RAW_FACTOR = 4  # multiple of the limit: a decomposed letter with two marks takes three characters and is stored as one
MAX_MARKS = 30  # combining marks of one character, as in the Stream-Safe Text Format (Unicode Standard Annex 15)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL cannot store NUL, and half a surrogate pair is not a character
LINE_END = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
TAB_OR_LINE_END = re.compile("[\t\n]")
# Besides C0 and C1, these are the bidirectional embeddings, overrides and isolates. They also reorder the text that follows, so that one
# name can look like another. They are rarely typed, but are part of pasted text. The marks U+200E, U+200F and U+061C are kept: writers from
# right to left need them, and they order only their neighbours.
CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # categories: a text of only these is empty
MARKS = frozenset({"Mn", "Mc", "Me"})  # categories
LETTERS = MARKS | {"Lu", "Ll", "Lt", "Lm", "Lo"}  # categories: marks may follow a letter
NON_JOINER, JOINER, AS_TEXT, AS_EMOJI = "\u200c", "\u200d", "\ufe0e", "\ufe0f"
# The flag of a region is a black flag, the letters of its code as tags (`gbsct` for Scotland) and an end tag.
FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f"
FLAG_OR_IGNORABLE = re.compile(f"({FLAG})|(?:(?![\u061c\u200e\u200f])[{IGNORABLE}])+")
SPECIAL_CHARACTERS = re.compile(f"[{NON_JOINER}{JOINER}{AS_TEXT}{AS_EMOJI}]")
KEYCAP, KEYCAP_BASES = "\u20e3", frozenset("0123456789#*")
SYMBOLS = frozenset("\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d")  # emoji that `_is_emoji` misses otherwise


def upper_ascii(text: str) -> str:
    """Convert an ASCII code to upper case. Leave other text unchanged: a dotless i or a ligature would become ASCII and pass the check."""
    return text.upper() if text.isascii() else text


def clean(text: str, max_length: int, *, is_multiline: bool = False) -> str:
    """Return the text for storage, in NFC. It is empty if no character is visible. On a single line, line ends and tabs become blanks.

    `max_length` is the limit of the field in characters. Raises `TooLong` for a text that is more than four times as long, before
    processing it. A shorter text may be a longer form of a valid text, so the caller applies the limit to the result. Raises
    `WrongValue` for a text that cannot be stored.
    """
    if len(text) > RAW_FACTOR * max_length:
        raise TooLong(max_length, len(text))
    if UNSTORABLE.search(text):
        raise WrongValue("Text must not contain U+0000 or half a surrogate pair", "Café Zürich")
    text = LINE_END.sub("\n", text)
    text = CONTROL.sub("", text if is_multiline else TAB_OR_LINE_END.sub(" ", text))
    if not text.isascii():
        text = _compose(FLAG_OR_IGNORABLE.sub(_keep_meaningful, text))
    text = text.strip()
    return text if any(unicodedata.category(character) not in INVISIBLE for character in text) else ""


def _compose(text: str) -> str:
    """Return the NFC form. Limit the marks before and after decomposing, so that all forms of a text are treated alike."""
    _limit_marks(text)
    nfd_text = unicodedata.normalize("NFD", text)
    _limit_marks(nfd_text)
    return unicodedata.normalize("NFC", nfd_text)


def _limit_marks(text: str) -> None:
    mark_count = 0
    for character in text:
        mark_count = mark_count + 1 if unicodedata.category(character) in MARKS else 0
        if mark_count > MAX_MARKS:
            raise WrongValue(f"A character must have at most {MAX_MARKS} combining marks", "Café Zürich")


def _keep_meaningful(match: re.Match[str]) -> str:
    """Return the characters to keep from a run of ignorable characters: those that change their neighbours."""
    if match[1]:
        return match[1]
    special = "".join(SPECIAL_CHARACTERS.findall(match[0]))
    if not special:
        return ""
    text, (start, end) = match.string, match.span()
    # Look at the neighbours in NFD, so that composing the text afterwards does not change the decision.
    before = unicodedata.normalize("NFD", text[start - 1 : start])[-1:]
    after = unicodedata.normalize("NFD", text[end : end + 1])[:1]
    if _is_emoji(before):
        style = special[0] if special[0] in {AS_TEXT, AS_EMOJI} else ""
        is_joined = special[len(style) : len(style) + 1] == JOINER and _is_emoji(after)
        return style + (JOINER if is_joined else "")
    if before in KEYCAP_BASES and after == KEYCAP:
        return AS_EMOJI if special[0] == AS_EMOJI else ""
    return special[0] if special[0] in {NON_JOINER, JOINER} and _is_letter(before) and _is_letter(after) else ""


def _is_emoji(character: str) -> bool:
    """Return whether the character can be an emoji. Decide by Unicode block, so that emoji newer than Python's tables count."""
    return (
        character in SYMBOLS
        or "\U0001f000" <= character <= "\U0001faff"
        or (character >= "\u2190" and unicodedata.category(character) in {"So", "Sm"})
    )


def _is_letter(character: str) -> bool:
    return character != "" and unicodedata.category(character) in LETTERS
