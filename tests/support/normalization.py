"""Record the texts given to `unicodedata.normalize`. Its time is quadratic in the combining marks of one character."""

import unicodedata
from dataclasses import dataclass
from itertools import groupby
from typing import Self

import pytest

MARKS = {"Mn", "Mc", "Me"}


@dataclass
class NormalizationMonitor:
    """The longest text that was normalized, and the most combining marks of one character."""

    longest_text: int = 0
    most_marks: int = 0

    @classmethod
    def install(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Record every call from now on. Calls return the same results as before."""
        monitor, normalize = cls(), unicodedata.normalize

        def normalize_and_record(form: str, text: str) -> str:
            monitor.record(text)
            return normalize(form, text)  # type: ignore[arg-type]

        monkeypatch.setattr(unicodedata, "normalize", normalize_and_record)
        return monitor

    def record(self, text: str) -> None:
        runs = groupby(text, lambda sign: unicodedata.category(sign) in MARKS)
        self.longest_text = max(self.longest_text, len(text))
        self.most_marks = max([self.most_marks, *(len([*run]) for is_mark, run in runs if is_mark)])
