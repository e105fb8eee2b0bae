"""Write a table as an XLSX file with XlsxWriter, a row at a time, so that its memory does not grow with the rows.

Texts are always written as texts, so numbers keep their leading zeros and nothing is a formula or a link.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from domain.exports.cells import Cell, CellKind, CellWarnings, Heading

MAX_ROWS = 1_048_575  # below the header
MAX_DIGITS = 15  # of a number that a double holds exactly in every spreadsheet
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = {
    CellKind.TEXT: 24,
    CellKind.LONG_TEXT: 50,
    CellKind.AMOUNT: 16,
    CellKind.RATE: 16,
    CellKind.NUMBER: 12,
    CellKind.FLAG: 12,
    CellKind.TIME: 20,
}
MAX_WIDTH = 60  # characters
NUMBER_FORMATS = {CellKind.AMOUNT: "#,##0.00", CellKind.RATE: "#,##0.00##", CellKind.NUMBER: "0", CellKind.TIME: "yyyy-mm-dd hh:mm:ss"}
RICH_TEXT = "<r>", "</r>"  # XlsxWriter takes a text between these for markup of its own, and would write it without escaping it


class XlsxFile:
    """Write rows to the first sheet of an XLSX file, and a description of the export to the second."""

    def __init__(self, path: Path, headings: Sequence[Heading]) -> None:
        self.warnings = CellWarnings(headings)
        self._workbook = Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
        self._bold, self._plain = self._workbook.add_format({"bold": True}), self._workbook.add_format()
        self._formats = {kind: self._workbook.add_format({"num_format": text}) for kind, text in NUMBER_FORMATS.items()}
        self._kinds = [heading.kind for heading in headings]
        self._sheet: Worksheet = self._workbook.add_worksheet("Clients")
        self._row_count = 0
        self._sheet.freeze_panes(1, 0)
        for column, heading in enumerate(headings):
            self._sheet.set_column(column, column, min(MAX_WIDTH, max(WIDTHS[heading.kind], len(heading.text) + 2)))
            self._sheet.write_string(0, column, heading.text, self._bold)

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        for row in rows:
            self._row_count += 1
            for column, cell in enumerate(row):
                if cell is not None:
                    self._write_cell(column, cell)

    def finish(self, about: Sequence[tuple[str, str]]) -> None:
        """Write the description of the export, and close the file."""
        sheet = self._workbook.add_worksheet("About this export")
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 80)
        for row, (name, text) in enumerate(about):
            sheet.write_string(row, 0, name, self._bold)
            self._write_text(sheet, row, 1, text)
        self._workbook.close()

    def discard(self) -> None:
        """Close what is open for an export that has ended early. Closing the workbook would compress all that was written."""
        for sheet in self._workbook.worksheets():
            row_file: Any = sheet.row_data_fh
            row_file.close()

    def _write_cell(self, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            self._write_text(self._sheet, self._row_count, column, self.warnings.limit_text(column, cell))
        elif isinstance(cell, bool):
            self._sheet.write_boolean(self._row_count, column, cell)
        elif isinstance(cell, datetime):
            self._sheet.write_datetime(self._row_count, column, cell, self._formats[CellKind.TIME])
        elif isinstance(cell, Decimal) and len(cell.normalize().as_tuple().digits) > MAX_DIGITS:
            self.warnings.long_numbers[column] += 1
            self._sheet.write_string(self._row_count, column, format(cell, "f"))
        elif cell is not None:
            self._sheet.write_number(self._row_count, column, float(cell), self._formats[self._kinds[column]])

    def _write_text(self, sheet: Worksheet, row: int, column: int, text: str) -> None:
        start, end = RICH_TEXT
        if text.startswith(start) and text.endswith(end):
            sheet.write_rich_string(row, column, text[:1], self._plain, text[1:])
        else:
            sheet.write_string(row, column, text)
