"""Keys that texts are matched and sorted by: texts that look the same have the same key, and folding a key does not change it."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.tables.keys import INVISIBLE, KEY_SEPARATOR, name_key, number_key

ALIKE = st.text(
    st.sampled_from(
        "eE\u00e9\u00c9\u0130\u0131\u00df\u1e9e\ufb01\u0390\u0345\u03ac\u0301\u0323\uff11 \uff21"
        "\u2060\u200b\u00ad\u115f\u3164\u03c2\u03a3\u13a0\uab70 \u00a0\u3000\u00a8"
    )
)
TEXTS = ALIKE | st.text(st.characters(exclude_categories=["Cs"]))
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}  # the full-width forms of ASCII


@given(text=TEXTS)
def test_folding_twice_is_folding_once(text: str) -> None:
    """Folding a key again does not change it, and keys have no invisible characters."""
    for fold in (name_key, number_key):
        once = fold(text)
        assert fold(once) == once == once.strip()
        assert INVISIBLE.search(once) is None


@given(text=TEXTS)
def test_every_form_of_a_text_has_one_key(text: str) -> None:
    """The Unicode normalization forms of a text have the same key."""
    for fold in (name_key, number_key):
        assert {fold(unicodedata.normalize(form, text)) for form in FORMS} == {fold(text)}


@pytest.mark.parametrize(
    "number",
    ["É77", "E\u030177", "é77", "\uff25\u030177", "É７７", " É77\u00a0", "\ufeffÉ\u00ad77", "É7\u200b7", "É77\u200d", "É\u20607\ufe0f7"],
)
def test_lookalike_numbers_have_one_key(number: str) -> None:
    """They differ in normalization form, width, case, outer spaces and invisible characters."""
    assert number_key(number) == "é77"


@pytest.mark.parametrize("number", ["0012", "12", "1 2", "K-12", "K12", "e77"])
def test_different_numbers_have_different_keys(number: str) -> None:
    """Leading zeros, inner spaces, hyphens and accents distinguish numbers."""
    others = {"0012", "12", "1 2", "K-12", "K12", "e77", "é77"} - {number}
    assert number_key(number) not in {number_key(other) for other in others}


@given(number=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_full_width_number_has_the_same_key(number: str) -> None:
    """East Asian keyboards type full-width digits and letters."""
    assert number_key(number.translate(FULL_WIDTH)) == number_key(number)


def test_name_is_folded_to_base_letters() -> None:
    """The key has no accents, capital letters, repeated spaces or invisible characters."""
    assert name_key("Café\u00a0 Zür\u00adich ") == "cafe zurich"
    assert name_key("\ufeff\uff23afe\u0301") == name_key("CAFÉ") == "cafe"


@given(text=TEXTS)
def test_separator_of_unique_keys_occurs_in_no_folded_text(text: str) -> None:
    """So a key with a suffix after the separator equals no folded text."""
    assert KEY_SEPARATOR not in name_key(text) + number_key(text)
