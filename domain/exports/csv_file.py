"""Write a table as a CSV file: UTF-8 with a byte order mark, which Excel needs to recognize it.

A spreadsheet takes a text that begins like a formula for one. Such a text gets an apostrophe in front, also if it has apostrophes there
already: an import removes exactly one. Numbers and times are left alone, so -12.50 stays a number.
"""

import csv
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from domain.exports.cells import Cell, CellWarnings, Heading
from domain.exports.request import DecimalSeparator, Delimiter

DELIMITERS = {Delimiter.COMMA: ",", Delimiter.SEMICOLON: ";", Delimiter.TAB: "\t"}
DECIMAL_SIGNS = {DecimalSeparator.COMMA: ",", DecimalSeparator.POINT: "."}
FORMULA = re.compile(r"'*[=+\-@\t\r]")
MEDIA_TYPE = "text/csv; charset=utf-8"


def protect(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


class CsvFile:
    """Write rows to a CSV file."""

    def __init__(self, path: Path, headings: Sequence[Heading], delimiter: Delimiter, decimal_separator: DecimalSeparator) -> None:
        self.warnings = CellWarnings(headings)
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, delimiter=DELIMITERS[delimiter])
        self._decimal_sign = DECIMAL_SIGNS[decimal_separator]
        self._writer.writerow([heading.text for heading in headings])

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        self._writer.writerows([self._format(column, cell) for column, cell in enumerate(row)] for row in rows)

    def finish(self, _about: Sequence[tuple[str, str]]) -> None:
        """Close the file. A CSV file has only the table, so the description of the export is left out."""
        self._file.close()

    def discard(self) -> None:
        """Close the file of an export that has ended early."""
        self._file.close()

    def _format(self, column: int, cell: Cell) -> str | int | None:
        if isinstance(cell, str):
            return protect(self.warnings.limit_text(column, cell))
        if isinstance(cell, bool):
            return "TRUE" if cell else "FALSE"
        if isinstance(cell, Decimal):
            return format(cell, "f").replace(".", self._decimal_sign)
        return cell.isoformat(" ", "seconds") if isinstance(cell, datetime) else cell
