"""The name of a downloaded file can do no harm: in the header, in the folder where it is saved, and to the person who reads it."""

import re
import unicodedata
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.http.content_disposition import MAX_BYTES, attachment, make_safe

HEADER = re.compile(r"attachment; filename=\"([^\"\\%]+)\"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)", re.ASCII)


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        ("clients.csv", "clients.csv", "clients.csv"),
        ("Jansen & Zonen (2026).xlsx", "Jansen & Zonen (2026).xlsx", "Jansen & Zonen (2026).xlsx"),
        ("Crédit €.csv", "Cre_dit _.csv", "Crédit €.csv"),
        ('a"b\\c/d:e*f?g<h>i|j.csv', "a_b_c_d_e_f_g_h_i_j.csv", "a_b_c_d_e_f_g_h_i_j.csv"),
        ("../../etc/passwd", "_.._etc_passwd", "_.._etc_passwd"),
        ("a\r\nSet-Cookie: b=c.csv", "aSet-Cookie_ b=c.csv", "aSet-Cookie_ b=c.csv"),
        ("invoice\u202ecod.exe", "invoicecod.exe", "invoicecod.exe"),
        ("a\u2066b\u200fc\u2028d\x00e\x7ff\ud800g\ufeffh.csv", "abcdefgh.csv", "abcdefgh.csv"),
        ("100%41.csv", "100_41.csv", "100%41.csv"),
        ("客户.xlsx", "__.xlsx", "客户.xlsx"),
        (" . hidden. ", "hidden", "hidden"),
        ("...", "download", "download"),
        ("", "download", "download"),
        ("\u202e\n", "download", "download"),
    ],
)
def test_name_is_made_safe(name: str, plain: str, full: str) -> None:
    match = HEADER.fullmatch(attachment(name))
    assert match
    assert (match[1], unquote(match[2])) == (plain, full)
    message = Message()
    message["Content-Disposition"] = f"attachment; filename*=UTF-8''{match[2]}"
    assert message.get_filename() == full


@pytest.mark.parametrize("letter", ["a", "é", "客", "😀"])
def test_long_name_keeps_its_suffix(letter: str) -> None:
    """It is shortened between two characters."""
    name = make_safe(letter * 300 + ".xlsx")
    assert len(name.encode()) <= MAX_BYTES < len(name.encode()) + 4
    assert name == letter * (len(name) - 5) + ".xlsx"


@given(st.text(st.characters(), max_size=400))
def test_every_name_is_safe(name: str) -> None:
    match = HEADER.fullmatch(attachment(name))
    assert match
    for text in (match[1], unquote(match[2])):
        assert not re.search(r'[/\\:*?"<>|\x00-\x1f\x7f]', text)
        assert {unicodedata.category(each)[0] for each in text if each != " "}.isdisjoint({"C", "Z"})
        assert text not in {"", ".", ".."}
    assert len(unquote(match[2]).encode()) <= MAX_BYTES
