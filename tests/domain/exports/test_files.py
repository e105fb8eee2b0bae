"""The files of exports: the same cells in both formats, whatever the texts are, and numbers and times as such."""

import csv
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet

from domain.exports.cells import MAX_CELL_UNITS, Cell, CellKind, Heading
from domain.exports.csv_file import CsvFile
from domain.exports.request import DecimalSeparator, Delimiter
from domain.exports.xlsx_file import XlsxFile

TEXTS = {
    "quotes": 'Jansen "Bouw" \'t Gooi',
    "newline": "Regel 1\nRegel 2",
    "return": "Regel 1\rRegel 2",
    "emoji": "Familie 👨‍👩‍👧 & 🇳🇱",
    "right to left": "חברה \u200fבע״מ שלום",
    "leading zeros": "0012",
    "number": "1e5",
    "date": "2026-01-31",
    "truth value": "TRUE",
    "formula": "=1+1",
    "array formula": "{=1+1}",
    "telephone": "+31 20 123",
    "minus": "-1",
    "at": "@SUM(A1)",
    "tab": "\t=1",
    "leading return": "\r=1",
    "apostrophe": "'=x",
    "apostrophes": "''-1",
    "apostrophe of a word": "'s-Gravenhage",
    "link": "https://test.example",
    "blanks": "  with blanks  ",
    "delimiters": "a;b,c\td",
    "markup": "<b>&amp;</b>",
    "markup of the library": '<r><t>x</t></r></is></c><c r="Z9"><v>1</v></c><r></r>',
    "escape of XLSX": "_x0041_",
    "longest": "x" * MAX_CELL_UNITS,
    "longest of pairs": "😀" * (MAX_CELL_UNITS // 2),
}
CUT = {"too long": "y" * (MAX_CELL_UNITS + 1), "pair at the limit": "y" * (MAX_CELL_UNITS - 1) + "😀"}
FORMULA = re.compile(r"'+[=+\-@\t\r]")
HEADINGS = [Heading("Text"), Heading("Amount", CellKind.AMOUNT), Heading("Time", CellKind.TIME), Heading("Flag", CellKind.FLAG)]
LOCAL_TIME = datetime(2026, 1, 31, 9, 30, 15)  # noqa: DTZ001 in the time zone of the organization


def write_csv(path: Path, rows: Sequence[Sequence[Cell]]) -> list[str]:
    file = CsvFile(path, HEADINGS, Delimiter.SEMICOLON, DecimalSeparator.COMMA)
    file.write(rows)
    file.finish([])
    return file.warnings.sentences


def write_xlsx(path: Path, rows: Sequence[Sequence[Cell]], about: Sequence[tuple[str, str]] = ()) -> list[str]:
    file = XlsxFile(path, HEADINGS)
    file.write(rows)
    file.finish(about)
    return file.warnings.sentences


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [*csv.reader(file, delimiter=";")]


def read_sheet(path: Path, name: str = "Clients") -> Worksheet:
    sheet: Any = openpyxl.load_workbook(path)[name]
    assert isinstance(sheet, Worksheet)
    return sheet


def remove_apostrophe(text: str) -> str:
    """Return the text as an import reads it."""
    return text[1:] if FORMULA.match(text) else text


@pytest.mark.parametrize("what", TEXTS)
def test_s7_text_is_the_same_in_both_formats(tmp_path: Path, what: str) -> None:
    """In XLSX it is a text, never a formula, a number or a link. In CSV an apostrophe protects what looks like a formula."""
    text = TEXTS[what]
    assert write_csv(tmp_path / "a.csv", [[text]]) == write_xlsx(tmp_path / "a.xlsx", [[text]]) == []
    sheet = read_sheet(tmp_path / "a.xlsx")
    cell = sheet["A2"]
    assert (unescape(str(cell.value)), cell.data_type, cell.hyperlink) == (text, "s", None)
    assert sheet.max_row == 2
    _, (stored,) = read_csv(tmp_path / "a.csv")
    assert remove_apostrophe(stored) == text
    assert (stored != text) == (what in {"formula", "telephone", "minus", "at", "tab", "leading return", "apostrophe", "apostrophes"})
    assert not stored.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("what", CUT)
def test_s7_text_that_no_cell_can_hold_is_cut_with_a_warning(tmp_path: Path, what: str) -> None:
    """The same in both formats, and never within a character."""
    rows: list[list[Cell]] = [[CUT[what]], ["short"], [CUT[what]]]
    warning = "The column `Text` has 2 texts of more than 32,767 characters, which a cell cannot hold. The rest is cut off."
    assert write_csv(tmp_path / "a.csv", rows) == write_xlsx(tmp_path / "a.xlsx", rows) == [warning]
    expected = CUT[what][: MAX_CELL_UNITS if what == "too long" else -1]
    assert [row[0] for row in read_csv(tmp_path / "a.csv")] == ["Text", expected, "short", expected]
    assert [cell.value for cell in read_sheet(tmp_path / "a.xlsx")["A"]] == ["Text", expected, "short", expected]


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ufffe", "\uffff"])
def test_character_that_xml_forbids_is_replaced(tmp_path: Path, character: str) -> None:
    write_csv(tmp_path / "a.csv", [[f"a{character}b"]])
    write_xlsx(tmp_path / "a.xlsx", [[f"a{character}b"]])
    assert read_csv(tmp_path / "a.csv")[1] == ["a\ufffdb"]
    assert read_sheet(tmp_path / "a.xlsx")["A2"].value == "a\ufffdb"


def test_numbers_times_and_flags_are_written_as_such(tmp_path: Path) -> None:
    """A negative amount in CSV gets no apostrophe. Empty cells stay empty."""
    rows: list[list[Cell]] = [["-12.50", Decimal("-12.50"), LOCAL_TIME, True], [None, Decimal("0.00"), None, False]]
    write_csv(tmp_path / "a.csv", rows)
    write_xlsx(tmp_path / "a.xlsx", rows)
    assert read_csv(tmp_path / "a.csv")[1:] == [["'-12.50", "-12,50", "2026-01-31 09:30:15", "TRUE"], ["", "0,00", "", "FALSE"]]
    sheet = read_sheet(tmp_path / "a.xlsx")
    assert [*sheet.iter_rows(min_row=2, values_only=True)] == [("-12.50", -12.5, LOCAL_TIME, True), (None, 0, None, False)]
    assert [cell.data_type for cell in sheet[2]] == ["s", "n", "d", "b"]
    assert [cell.number_format for cell in sheet[2]] == ["General", "#,##0.00", "yyyy-mm-dd hh:mm:ss", "General"]


@pytest.mark.parametrize("amount", ["9999999999999.99", "-9999999999999.99", "0.01", "1234567890123.45", "123456789012345"])
def test_amount_is_exact_in_both_formats(tmp_path: Path, amount: str) -> None:
    write_csv(tmp_path / "a.csv", [[None, Decimal(amount)]])
    assert write_xlsx(tmp_path / "a.xlsx", [[None, Decimal(amount)]]) == []
    assert read_csv(tmp_path / "a.csv")[1][1] == amount.replace(".", ",")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    (stored,) = re.findall(r'<c r="B2"[^>]*><v>([^<]*)</v>', xml)
    assert Decimal(stored) == Decimal(amount)


def test_amount_with_more_digits_than_xlsx_can_hold_is_a_text_with_a_warning(tmp_path: Path) -> None:
    """Rounding it would be silent. CSV has no such limit."""
    amount = Decimal("12345678901234567.89")
    warning = "The column `Amount` has 1 number of more than 15 digits, which XLSX cannot hold. They are written as text."
    assert write_xlsx(tmp_path / "a.xlsx", [[None, amount]]) == [warning]
    assert read_sheet(tmp_path / "a.xlsx")["B2"].value == "12345678901234567.89"
    assert write_csv(tmp_path / "a.csv", [[None, amount]]) == []
    assert read_csv(tmp_path / "a.csv")[1][1] == "12345678901234567,89"


def test_sheet_has_a_frozen_header_and_widths(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [["x"]], [("Search", TEXTS["markup of the library"]), ("Formula", "=1+1")])
    sheet = read_sheet(tmp_path / "a.xlsx")
    assert (sheet.freeze_panes, sheet["A1"].font.b, sheet["A2"].font.b) == ("A2", True, False)
    assert [round(sheet.column_dimensions[name].width) for name in "ABCD"] == [25, 17, 21, 13]
    about = read_sheet(tmp_path / "a.xlsx", "About this export")
    assert [*about.iter_rows(values_only=True)] == [("Search", TEXTS["markup of the library"]), ("Formula", "=1+1")]
    assert about["B2"].data_type == "s"


def test_discarded_files_are_closed(tmp_path: Path) -> None:
    """An unclosed file would warn, which fails a test."""
    for file in (XlsxFile(tmp_path / "a.xlsx", HEADINGS), CsvFile(tmp_path / "a.csv", HEADINGS, Delimiter.TAB, DecimalSeparator.POINT)):
        file.write([["x"]])
        file.discard()
    assert not (tmp_path / "a.xlsx").exists()
