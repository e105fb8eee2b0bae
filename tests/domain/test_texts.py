"""Texts are kept as people write them, in whatever script, and without what only controls a screen."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import WrongValue
from domain.texts import clean

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.text(CHARACTERS)
CONTROLS = [chr(code) for code in range(1, 0xA0) if unicodedata.category(chr(code)) == "Cc"]
DISGUISES = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
EVERYWHERE = [
    "Zoë Kuipersma & Zn. BV",
    "Nguyễn Thị Ánh",
    "株式会社さくら",
    "👩🏽‍💻 Één Wereld 🏳️‍🌈",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿 England",
    "شركة النور للتجارة",
    "می‌خواهم",
    "חברת \u200fABC\u200f בע״מ",
    "a\u200eb\u061cc",
    "ক্ষি",
    "x̣̌",
]


@pytest.mark.parametrize("text", EVERYWHERE)
@pytest.mark.parametrize("is_multiline", [False, True])
def test_i3_every_script_comes_back_as_it_was_written(text: str, *, is_multiline: bool) -> None:
    """Joined emoji, combining marks, and right-to-left text with the marks that belong to it."""
    assert clean(unicodedata.normalize("NFC", text), is_multiline=is_multiline) == unicodedata.normalize("NFC", text)


@given(text=TEXTS, is_multiline=st.booleans())
@example(text="a\x01\u0301", is_multiline=False)
@example(text=" \u0301", is_multiline=False)
def test_cleaning_twice_is_cleaning_once(text: str, *, is_multiline: bool) -> None:
    """And what is clean is composed, trimmed, and free of controls."""
    once = clean(text, is_multiline=is_multiline)
    assert clean(once, is_multiline=is_multiline) == once == once.strip()
    assert unicodedata.is_normalized("NFC", once)
    assert not set(once) & ({*CONTROLS, *DISGUISES} - ({"\n", "\t"} if is_multiline else set()))


@given(letters=st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_is_visible_stays(letters: str) -> None:
    """No letter, digit or sign is lost."""
    assert clean(letters) == unicodedata.normalize("NFC", letters)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_lines_end_in_one_way_and_only_where_there_may_be_several(end: str) -> None:
    """A blank on a single line, so that words stay apart."""
    assert clean(f" Jan{end}Jansen{end}") == "Jan Jansen"
    assert clean(f"Jan{end}{end}Jansen\t1{end}", is_multiline=True) == "Jan\n\nJansen\t1"


@pytest.mark.parametrize("sign", [*DISGUISES, *(sign for sign in CONTROLS if not sign.isspace())])
def test_controls_go_and_the_letters_stay_in_their_order(sign: str) -> None:
    """An override cannot make one name look like another."""
    assert clean(f"{sign}gpj{sign}.exe") == "gpj.exe"


@pytest.mark.parametrize("text", ["", "  ", "\u00a0\u3000", "\u200b", "\u200d\u200f", "\t\n", "\u202e\u2069", "\ufeff \u00ad"])
def test_what_cannot_be_seen_is_empty(text: str) -> None:
    """Blanks, joiners and marks alone are no name."""
    assert clean(text) == clean(text, is_multiline=True) == ""


@pytest.mark.parametrize("code", [0, 0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_what_cannot_be_stored_is_refused(code: int) -> None:
    """With an example that is not."""
    with pytest.raises(WrongValue, match="A text has neither") as wrong:
        clean(f"a{chr(code)}b", is_multiline=True)
    assert clean(wrong.value.example) == wrong.value.example
