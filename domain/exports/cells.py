"""The cells of an exported table: their values, and the limit of their texts."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from domain.core.errors import pluralize

Cell: TypeAlias = str | Decimal | int | bool | datetime | None
"""A text, an amount, a number, a truth value, or a time in the organization's time zone without its offset."""
MAX_CELL_UNITS = 32_767  # UTF-16 units of a text; longer ones make Excel repair an XLSX file, and break the rows of a CSV file

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML forbids them; no field of a client can have them


class CellKind(StrEnum):
    """Kind of the cells of a column, which decides their format and their width."""

    TEXT = "TEXT"
    LONG_TEXT = "LONG_TEXT"
    AMOUNT = "AMOUNT"
    RATE = "RATE"
    NUMBER = "NUMBER"
    FLAG = "FLAG"
    TIME = "TIME"


@dataclass(frozen=True)
class Heading:
    """The header of a column, and what its cells are."""

    text: str
    kind: CellKind = CellKind.TEXT


@dataclass
class CellWarnings:
    """Count the cells of each column that could not be written as they are."""

    headings: Sequence[Heading]
    cut_texts: Counter[int] = field(default_factory=Counter)
    long_numbers: Counter[int] = field(default_factory=Counter)

    def limit_text(self, column: int, text: str) -> str:
        """Return the text as a cell can hold it: cut to its limit, and without control characters."""
        text = UNWRITABLE.sub("\ufffd", text)
        if len(text) <= MAX_CELL_UNITS // 2:
            return text
        units = text.encode("utf-16-le")
        if len(units) <= 2 * MAX_CELL_UNITS:
            return text
        self.cut_texts[column] += 1
        return units[: 2 * MAX_CELL_UNITS].decode("utf-16-le", errors="ignore")  # without half a surrogate pair at the end

    @property
    def sentences(self) -> list[str]:
        cut = [
            f"The column `{self.headings[column].text}` has {pluralize(count, 'text')} of more than {MAX_CELL_UNITS:,} characters, which a "
            "cell cannot hold. The rest is cut off."
            for column, count in sorted(self.cut_texts.items())
        ]
        long = [
            f"The column `{self.headings[column].text}` has {pluralize(count, 'number')} of more than 15 digits, which XLSX cannot hold. "
            "They are written as text."
            for column, count in sorted(self.long_numbers.items())
        ]
        return cut + long
