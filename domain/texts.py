"""Texts as they are kept: composed, trimmed, and without characters that carry no meaning or only control how a screen shows them.

Every text from outside passes through `clean`, the only function that normalises one. Normalising sorts the marks of each character, which
takes CPython time quadratic in their number; so `clean` limits the length and the marks first, and its time is linear.
"""

import re
import unicodedata

from db.keys import IGNORABLE
from domain.errors import TooLong, WrongValue

RAW_FACTOR = 4  # of the limit: a letter with two marks, written apart, takes three characters where one is kept
MOST_MARKS = 30  # of one character, as in the Stream-Safe Text Format (Unicode Standard Annex 15)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps no nought, and half a surrogate pair is no character
LINE_END = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
TAB_OR_LINE_END = re.compile("[\t\n]")
# Beside C0 and C1 the embeddings, overrides and isolates: they order what follows them too, so that a name can pass for another. Whoever
# writes from right to left keeps the marks U+200E, U+200F and U+061C, which order only their neighbours; what is here is seldom typed,
# but comes along when text is pasted.
CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # categories: a joiner within an emoji is kept, a text of joiners alone is empty
MARKS = frozenset({"Mn", "Mc", "Me"})  # categories
LETTERS = MARKS | {"Lu", "Ll", "Lt", "Lm", "Lo"}  # categories: a letter may end in its marks
NON_JOINER, JOINER, AS_TEXT, AS_EMOJI = "\u200c", "\u200d", "\ufe0e", "\ufe0f"
# The flag of a region is a black flag, the letters of its code as tags, and a tag that ends it: Scotland's has `gbsct`.
FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f"
FLAG_OR_IGNORABLE = re.compile(f"({FLAG})|(?:(?![\u061c\u200e\u200f])[{IGNORABLE}])+")
SPECIAL = re.compile(f"[{NON_JOINER}{JOINER}{AS_TEXT}{AS_EMOJI}]")
KEYCAP, KEYS = "\u20e3", frozenset("0123456789#*")
SYMBOLS = frozenset(
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d"
)  # beside those of the category of symbols, which begin with the arrows


def capitals(text: str) -> str:
    """Of a code. Other than ASCII stays: the capital of a dotless or joined letter is ASCII, and a wrong code would pass."""
    return text.upper() if text.isascii() else text


def clean(text: str, longest: int, *, is_multiline: bool = False) -> str:
    """Return the text as it is kept, in NFC; empty when nothing of it can be seen. On a single line, ends of lines and tabs become blanks.

    `longest` is the limit of its field, in characters. Raises `TooLong` for a text that is more than four times as long, before anything
    else looks at it; up to there it may be a longer form of one that the field takes, and the caller applies the limit itself.
    """
    if len(text) > RAW_FACTOR * longest:
        raise TooLong(longest, len(text))
    if UNSTORABLE.search(text):
        raise WrongValue("A text has neither U+0000 nor half a surrogate pair", "Café Zürich")
    text = LINE_END.sub("\n", text)
    text = CONTROL.sub("", text if is_multiline else TAB_OR_LINE_END.sub(" ", text))
    if not text.isascii():
        text = _composed(FLAG_OR_IGNORABLE.sub(_meaning, text))
    text = text.strip()
    return text if any(unicodedata.category(sign) not in INVISIBLE for sign in text) else ""


def _composed(text: str) -> str:
    """Return NFC. The marks are counted as written and again apart, so that every form of a text is judged alike."""
    _limit_marks(text)
    apart = unicodedata.normalize("NFD", text)
    _limit_marks(apart)
    return unicodedata.normalize("NFC", apart)


def _limit_marks(text: str) -> None:
    run = 0
    for sign in text:
        run = run + 1 if unicodedata.category(sign) in MARKS else 0
        if run > MOST_MARKS:
            raise WrongValue(f"A character has at most {MOST_MARKS} combining marks", "Café Zürich")


def _meaning(found: re.Match[str]) -> str:
    """Return what is kept of a run of ignorable characters: the few that change what stands beside them."""
    if found[1]:
        return found[1]
    special = "".join(SPECIAL.findall(found[0]))
    if not special:
        return ""
    text, (start, end) = found.string, found.span()
    # As they stand in NFD, so that composing the text afterwards does not change the decision.
    before = unicodedata.normalize("NFD", text[start - 1 : start])[-1:]
    after = unicodedata.normalize("NFD", text[end : end + 1])[:1]
    if _is_emoji(before):
        style = special[0] if special[0] in {AS_TEXT, AS_EMOJI} else ""
        is_joined = special[len(style) : len(style) + 1] == JOINER and _is_emoji(after)
        return style + (JOINER if is_joined else "")
    if before in KEYS and after == KEYCAP:
        return AS_EMOJI if special[0] == AS_EMOJI else ""
    return special[0] if special[0] in {NON_JOINER, JOINER} and _is_letter(before) and _is_letter(after) else ""


def _is_emoji(sign: str) -> bool:
    """Whether the character can be an emoji, by where Unicode has them; what came after this Python's tables has a place among them too."""
    return sign in SYMBOLS or "\U0001f000" <= sign <= "\U0001faff" or (sign >= "\u2190" and unicodedata.category(sign) in {"So", "Sm"})


def _is_letter(sign: str) -> bool:
    return sign != "" and unicodedata.category(sign) in LETTERS
