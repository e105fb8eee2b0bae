"""Texts as they are kept: composed, trimmed, and without characters that only control how a screen shows them."""

import re
import unicodedata

from domain.errors import WrongValue

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps no nought, and half a surrogate pair is no character
LINE_END = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
TAB_OR_LINE_END = re.compile("[\t\n]")
# Beside C0 and C1 the embeddings, overrides and isolates: they order what follows them too, so that a name can pass for another. Whoever
# writes from right to left keeps the marks U+200E, U+200F and U+061C, which order only their neighbours; what is here is seldom typed,
# but comes along when text is pasted.
CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # categories: a joiner within an emoji is kept, a text of joiners alone is empty


def capitals(text: str) -> str:
    """Of a code. Other than ASCII stays: the capital of a dotless or joined letter is ASCII, and a wrong code would pass."""
    return text.upper() if text.isascii() else text


def clean(text: str, *, is_multiline: bool = False) -> str:
    """The text as it is kept, in NFC; empty when nothing of it can be seen. On a single line, ends of lines and tabs become blanks."""
    if UNSTORABLE.search(text):
        raise WrongValue("A text has neither U+0000 nor half a surrogate pair", "Café Zürich")
    text = LINE_END.sub("\n", text)
    text = CONTROL.sub("", text if is_multiline else TAB_OR_LINE_END.sub(" ", text))
    text = unicodedata.normalize("NFC", text).strip()
    return text if any(unicodedata.category(sign) not in INVISIBLE for sign in text) else ""
