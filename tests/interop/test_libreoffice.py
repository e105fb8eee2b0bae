"""LibreOffice opens an exported XLSX file, and shows the same cells as the file was written with."""

import csv
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from domain.exports.xlsx_file import XlsxFile
from tests.domain.exports.test_files import HEADINGS, LOCAL_TIME, TEXTS

pytestmark = [pytest.mark.interop, pytest.mark.proof]
# Comma, quotation mark, UTF-8, from the first line. Texts are not quoted without need, and times are as they are shown.
CSV_FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"


def convert(path: Path, kind: str) -> Path:
    profile = f"-env:UserInstallation=file://{path.parent}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", str(path.parent), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603 our own arguments
    return path.with_suffix(f".{kind.partition(':')[0]}")


def test_libreoffice_shows_the_same_cells(tmp_path: Path) -> None:
    """Line breaks of all kinds are shown as one kind."""
    path = tmp_path / "clients.xlsx"
    file = XlsxFile(path, HEADINGS)
    file.write([[text, Decimal("-1234.50"), LOCAL_TIME, True] for text in TEXTS.values()])
    file.finish([("Search", "=1+1")])
    with convert(path, CSV_FILTER).open(encoding="utf-8-sig", newline="") as converted:
        header, *rows = csv.reader(converted)
    assert header == ["Text", "Amount", "Time", "Flag"]
    assert [row[0].replace("\r", "\n") for row in rows] == [text.replace("\r", "\n") for text in TEXTS.values()]
    assert {(Decimal(amount), *others) for _, amount, *others in rows} == {(Decimal("-1234.5"), "2026-01-31 09:30:15", "TRUE")}
