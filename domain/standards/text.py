"""Normalize texts for storage: composed, trimmed, without characters that carry no meaning or only control display.

Every text from outside passes through `clean`, the only function that normalizes text. Normalizing sorts the marks of each character, which
takes CPython time quadratic in their number; so `clean` limits the length and the marks first, and its time is linear.
"""

import re
import unicodedata

from db.tables.keys import IGNORABLE
from domain.standards.errors import TooLong, WrongValue

RAW_FACTOR = 4  # of the limit: a letter with two marks, decomposed, takes three characters where one is stored
MAX_MARKS = 30  # of one character, as in the Stream-Safe Text Format (Unicode Standard Annex 15)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL stores no NUL, and half a surrogate pair is no character
LINE_END = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
TAB_OR_LINE_END = re.compile("[\t\n]")
# Besides C0 and C1, the embeddings, overrides and isolates: they also order what follows, so that a name can pass for another. Writers
# from right to left keep the marks U+200E, U+200F and U+061C, which order only their neighbours; these are rarely typed,
# but comes along when text is pasted.
CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # categories: a joiner inside an emoji stays, a text of joiners only is empty
MARKS = frozenset({"Mn", "Mc", "Me"})  # categories
LETTERS = MARKS | {"Lu", "Ll", "Lt", "Lm", "Lo"}  # categories: a letter may end in its marks
NON_JOINER, JOINER, AS_TEXT, AS_EMOJI = "\u200c", "\u200d", "\ufe0e", "\ufe0f"
# The flag of a region is a black flag, the letters of its code as tags, and a tag that ends it: Scotland's has `gbsct`.
FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f"
FLAG_OR_IGNORABLE = re.compile(f"({FLAG})|(?:(?![\u061c\u200e\u200f])[{IGNORABLE}])+")
SPECIAL_CHARACTERS = re.compile(f"[{NON_JOINER}{JOINER}{AS_TEXT}{AS_EMOJI}]")
KEYCAP, KEYCAP_BASES = "\u20e3", frozenset("0123456789#*")
SYMBOLS = frozenset("\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d")  # besides the symbol categories, which begin with the arrows


def upper_ascii(text: str) -> str:
    """Convert a code to upper case. Leave other than ASCII: a dotless or joined letter would become ASCII and pass."""
    return text.upper() if text.isascii() else text


def clean(text: str, max_length: int, *, is_multiline: bool = False) -> str:
    """Return the text for storage, in NFC; empty if nothing of it is visible. On a single line, line ends and tabs become blanks.

    `max_length` is the limit of its field, in characters. Raises `TooLong` for a text that is more than four times as long, before anything
    else processes it; up to there it may be a longer form of a valid text, and the caller applies the limit itself.
    """
    if len(text) > RAW_FACTOR * max_length:
        raise TooLong(max_length, len(text))
    if UNSTORABLE.search(text):
        raise WrongValue("A text has neither U+0000 nor half a surrogate pair", "Café Zürich")
    text = LINE_END.sub("\n", text)
    text = CONTROL.sub("", text if is_multiline else TAB_OR_LINE_END.sub(" ", text))
    if not text.isascii():
        text = _compose(FLAG_OR_IGNORABLE.sub(_keep_meaningful, text))
    text = text.strip()
    return text if any(unicodedata.category(character) not in INVISIBLE for character in text) else ""


def _compose(text: str) -> str:
    """Return NFC. Limit the marks before and after decomposing, so that every form of a text is judged alike."""
    _limit_marks(text)
    nfd_text = unicodedata.normalize("NFD", text)
    _limit_marks(nfd_text)
    return unicodedata.normalize("NFC", nfd_text)


def _limit_marks(text: str) -> None:
    mark_count = 0
    for character in text:
        mark_count = mark_count + 1 if unicodedata.category(character) in MARKS else 0
        if mark_count > MAX_MARKS:
            raise WrongValue(f"A character has at most {MAX_MARKS} combining marks", "Café Zürich")


def _keep_meaningful(match: re.Match[str]) -> str:
    """Return the part of a run of ignorable characters to keep: the few that change their neighbours."""
    if match[1]:
        return match[1]
    special = "".join(SPECIAL_CHARACTERS.findall(match[0]))
    if not special:
        return ""
    text, (start, end) = match.string, match.span()
    # As they stand in NFD, so that composing the text afterwards does not change the decision.
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
    """Return whether the character can be an emoji, by Unicode block, so that characters newer than Python's tables count."""
    return (
        character in SYMBOLS
        or "\U0001f000" <= character <= "\U0001faff"
        or (character >= "\u2190" and unicodedata.category(character) in {"So", "Sm"})
    )


def _is_letter(character: str) -> bool:
    return character != "" and unicodedata.category(character) in LETTERS
