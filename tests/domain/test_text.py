"""Texts in every script are stored as written, without characters that carry no meaning or only control display."""

import unicodedata
from collections.abc import Iterator
from itertools import groupby

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.tables.keys import INVISIBLE, name_key, number_key
from domain.standards.errors import TooLong, WrongValue
from domain.standards.text import FLAG, MARKS, MAX_MARKS, clean
from tests.support.normalization import NormalizationMonitor

HUGE_LIMIT = 10_000  # characters; no text here reaches this limit
BIDI = "\u061c\u200e\u200f"
FILLERS = "\u115f\u1160\u3164\uffa0"  # letters in Unicode that are displayed as nothing
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SPECIAL = st.sampled_from(
    [
        *"aب1# =\u0301\u0338\u094d\u0dca\u0ddc\u20e3", *BIDI, *FILLERS, "\u00ad", "\u034f", "\u200b", "\u200c", "\u200d", "\ufe0e",
        "\ufe0f", "\ufeff", "👩", "🏽", "❤", "\U0001f3f4", "\U000e0067", "\U000e0062", "\U000e0073", "\U000e007f", "\u2adc", "\U0001d15e",
        "\u0344",
    ]
)  # fmt: skip
TEXTS = st.text(CHARACTERS) | st.text(SPECIAL)
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
EMOJI = [
    "👨\u200d👩\u200d👧\u200d👦",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "🇳🇱",
    "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "❤\ufe0f\u200d🔥",
    "☎\ufe0e ☎\ufe0f",
    "👩🏽\u200d🚀",
    "©\ufe0f ‼\ufe0f ™\ufe0f ℹ\ufe0f 〰\ufe0f ㊗\ufe0f",  # noqa: RUF001
    "\U0001faea\u200d👩",  # newer than the Unicode tables of the oldest supported Python
]
JOINED_WORDS = ["می\u200cخواهم", "Auf\u200clage", "ක්\u200dර", "ক্\u200dষ"]  # noqa: RUF001


@pytest.mark.parametrize("text", EVERYWHERE)
@pytest.mark.parametrize("is_multiline", [False, True])
def test_i3_every_script_round_trips(text: str, *, is_multiline: bool) -> None:
    """The texts include joined emoji, combining marks, and right-to-left text with its marks."""
    assert clean(unicodedata.normalize("NFC", text), HUGE_LIMIT, is_multiline=is_multiline) == unicodedata.normalize("NFC", text)


@given(text=TEXTS, is_multiline=st.booleans())
@example(text="a\x01\u0301", is_multiline=False)
@example(text=" \u0301", is_multiline=False)
@example(text="=\u200b\u0338\ufe0f", is_multiline=False)
@example(text="\u2adc\ufe0f", is_multiline=False)
@example(text="x\ufe0f\u200d👩", is_multiline=False)
def test_cleaning_is_idempotent(text: str, *, is_multiline: bool) -> None:
    """A cleaned text is also composed, trimmed and free of control characters."""
    try:
        once = clean(text, HUGE_LIMIT, is_multiline=is_multiline)
    except WrongValue:
        return
    assert clean(once, HUGE_LIMIT, is_multiline=is_multiline) == once == once.strip()
    assert unicodedata.is_normalized("NFC", once)
    assert not set(once) & ({*CONTROLS, *DISGUISES} - ({"\n", "\t"} if is_multiline else set()))


@given(letters=st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters=FILLERS)))
def test_all_letters_digits_and_symbols_stay(letters: str) -> None:
    assert clean(letters, HUGE_LIMIT) == unicodedata.normalize("NFC", letters)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_line_breaks_are_normalized_and_only_in_multiline_texts(end: str) -> None:
    """On a single line they become blanks, so that words stay separate."""
    assert clean(f" Jan{end}Jansen{end}", HUGE_LIMIT) == "Jan Jansen"
    assert clean(f"Jan{end}{end}Jansen\t1{end}", HUGE_LIMIT, is_multiline=True) == "Jan\n\nJansen\t1"


@pytest.mark.parametrize("sign", [*DISGUISES, *(sign for sign in CONTROLS if not sign.isspace())])
def test_control_characters_are_removed_in_place(sign: str) -> None:
    """A bidirectional override cannot make one name look like another."""
    assert clean(f"{sign}gpj{sign}.exe", HUGE_LIMIT) == "gpj.exe"


@pytest.mark.parametrize(
    "text", ["", "  ", "\u00a0\u3000", "\u200b", "\u200d\u200f", "\t\n", "\u202e\u2069", "\ufeff \u00ad", *FILLERS, "\u034f\ufe0f"]
)
def test_invisible_text_is_empty(text: str) -> None:
    """Blanks, joiners, direction marks and fillers alone are not a name."""
    assert clean(text, HUGE_LIMIT) == clean(text, HUGE_LIMIT, is_multiline=True) == ""


@pytest.mark.parametrize("code", [0, 0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_unstorable_text_is_rejected(code: int) -> None:
    """The example in the error is accepted."""
    with pytest.raises(WrongValue, match="Text must not contain") as wrong:
        clean(f"a{chr(code)}b", HUGE_LIMIT, is_multiline=True)
    assert clean(wrong.value.example, HUGE_LIMIT) == wrong.value.example


def invisible_characters() -> Iterator[str]:
    """Yield every default-ignorable code point of Unicode, except the direction marks."""
    yield from (chr(code) for code in range(0xE1000) if INVISIBLE.match(chr(code)) and chr(code) not in BIDI)


def test_ignorable_characters_are_removed_everywhere() -> None:
    """Each of the more than 4,000 characters is removed at both ends, and beside characters that joiners do not affect."""
    signs = [*invisible_characters()]
    assert len(signs) > 4000
    assert {clean(f"{sign}K-{sign}1{sign}. B{sign}", HUGE_LIMIT) for sign in signs} == {"K-1. B"}
    visible_signs = {sign for sign in signs if clean(f"a{sign}b", HUGE_LIMIT) != "ab"}
    assert visible_signs == {"\u200c", "\u200d"}


@pytest.mark.parametrize("text", [*EMOJI, *JOINED_WORDS])
def test_invisible_characters_with_a_meaning_stay(text: str) -> None:
    """They stay in emoji sequences and between the letters of a word. Elsewhere, and if doubled, they are removed."""
    assert clean(text, HUGE_LIMIT) == text
    assert clean(f"\ufeff{text}\u200b", HUGE_LIMIT) == text
    assert clean(f"{text} a\ufe0f, \u200d👩 1\ufe0f \U000e0067", HUGE_LIMIT) == f"{text} a, 👩 1"


def test_flag_carries_no_hidden_text() -> None:
    """Tag characters can spell any ASCII text. Only the code of a region directly after a black flag is kept."""
    scotland = EMOJI[1]
    assert clean(f"{scotland}\U000e0068\U000e0069", HUGE_LIMIT) == scotland
    assert clean("🏴" + "\U000e0061" * 8 + "\U000e007f", HUGE_LIMIT) == "🏴"
    assert clean(scotland[:-1], HUGE_LIMIT) == "🏴"
    assert FLAG.count("🏴") == 1


@pytest.mark.parametrize("mark", ["\u0300", "\u0316", "\u0344", "\u20d0", "\u093e", "\u0488"])
def test_character_has_at_most_thirty_marks(mark: str) -> None:
    """Marks are counted in decomposed form, so that all forms of a text are treated alike. Removed characters do not split a run."""
    most = MAX_MARKS // len(unicodedata.normalize("NFD", mark))
    assert clean("z" + mark * most, HUGE_LIMIT) == unicodedata.normalize("NFC", "z" + mark * most)
    for text in ("z" + mark * (most + 1), mark * (most + 1), ("z" + mark * most + "\u200b" + mark), "z" + mark * most + "\u034f" + mark):
        with pytest.raises(WrongValue, match="A character must have at most 30 combining marks"):
            clean(text, HUGE_LIMIT)
    assert clean(("z" + mark * most) * 50, HUGE_LIMIT).count("z") == 50


@given(text=st.text(st.sampled_from("e\u00e9\u1ec7\u0323\u0301\u0300\u0344x")))
def test_composed_and_decomposed_texts_are_stored_or_rejected_equally(text: str) -> None:
    composed, apart = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    try:
        cleaned = clean(composed, HUGE_LIMIT)
    except WrongValue:
        with pytest.raises(WrongValue):
            clean(apart, HUGE_LIMIT)
    else:
        assert clean(apart, HUGE_LIMIT) == cleaned


@pytest.mark.parametrize("text", ["é" * 200, "ệ" * 200, "한" * 200])
def test_decomposed_text_may_be_longer_than_its_limit(text: str) -> None:
    """The length of the composed text counts."""
    apart = unicodedata.normalize("NFD", text)
    assert len(apart) > 200
    assert clean(apart, 200) == text


def test_text_is_limited_before_normalization(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython needs time quadratic in the marks of a character to sort them, so the arguments of `unicodedata.normalize` are recorded."""
    monitor = NormalizationMonitor.install(monkeypatch)
    with pytest.raises(TooLong):
        clean("x" * 801, 200)
    with pytest.raises(TooLong):
        clean("a" + "\u0300" * 400 + "\u0316" * 400, 200)
    for hostile in ("a" + "\u0300" * 399 + "\u0316" * 400, "\u0344" * 800, "a\u0300\u200b" * 50 + "\u0300\u200b" * 300):
        with pytest.raises(WrongValue):
            clean(hostile, 200)
    assert clean("e\u0301" * 100, 200) == "é" * 100
    assert (monitor.longest_text, monitor.most_marks) == (200, 1)


@given(text=TEXTS)
def test_no_character_of_a_cleaned_text_has_too_many_marks_in_any_form(text: str) -> None:
    try:
        cleaned = clean(text * 20, HUGE_LIMIT)
    except WrongValue:
        return
    runs = groupby(unicodedata.normalize("NFD", cleaned), lambda sign: unicodedata.category(sign) in MARKS)
    assert max((len([*run]) for is_mark, run in runs if is_mark), default=0) <= MAX_MARKS


@given(text=st.text(SPECIAL, max_size=9))
def test_text_has_the_key_of_its_stored_form(text: str) -> None:
    """So a client is found by the text that was typed when it was created."""
    stored = clean(text, 50)
    assert stored == "" or (name_key(stored), number_key(stored)) == (name_key(text), number_key(text))
