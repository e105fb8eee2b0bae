"""Compare offenders with their explained exceptions, whose number may only fall.

Each top-level package has a file in `exceptions/`. The key of an entry names the path, rule, kind and name, but no line, so it
survives edits elsewhere in the file. Its count is the number of places, and `maximum` is the sum of all counts.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from tests.style.offenders import Offender

FOLDER = Path(__file__).with_name("exceptions")
SHRINK = "`python -m tests.style.check --shrink` does it"
ENTRY_LINE = re.compile(r'^"(?P<key>[^"]+)" = \{ count = (?P<count>\d+), (?P<rest>.*)$')


@dataclass(frozen=True)
class Entry:
    """An explained exception: the number of places where it may occur, and the name of its reason."""

    count: int
    reason: str


@dataclass(frozen=True)
class ExceptionList:
    """The explained exceptions of one package."""

    path: Path
    maximum: int
    reasons: Mapping[str, str]
    entries: Mapping[str, Entry]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file; a package without one has no exceptions."""
        data: dict[str, Any] = tomllib.loads(path.read_text()) if path.exists() else {}
        entries = {key: Entry(**entry) for key, entry in data.get("exceptions", {}).items()}
        return cls(path, data.get("maximum", 0), data.get("reasons", {}), entries)

    def find_problems(self, offenders: Iterable[Offender]) -> Iterator[str]:
        """Yield unexplained offenders, and exceptions that are superfluous, unexplained or too many."""
        by_key = {
            key: list(group) for key, group in groupby(sorted(offenders, key=lambda each: (each.key, each.line)), lambda each: each.key)
        }
        for group in by_key.values():
            yield from self._find_unexplained(group)
        for key, entry in self.entries.items():
            places = len(by_key.get(key, ()))
            if places == 0:
                yield f'{self.path.name}: "{key}" no longer occurs: remove it ({SHRINK}).'
            elif places < entry.count:
                yield f'{self.path.name}: "{key}" occurs {places} times, not {entry.count}: lower its count ({SHRINK}).'
            if not self.reasons.get(entry.reason):
                yield f'{self.path.name}: "{key}" has no reason: add "{entry.reason}" to [reasons] with a sentence.'
        yield from self._find_growth()

    def _find_unexplained(self, group: list[Offender]) -> Iterator[str]:
        first, allowed = group[0], self.entries.get(group[0].key, Entry(0, "")).count
        if len(group) > allowed:
            lines = ", ".join(str(each.line) for each in group)
            explained = f" ({len(group)} places, {allowed} of them explained)" if allowed else ""
            yield f"{first.path}:{lines}: {first.rule} {first.kind} {first.name}{explained}: {first.advice}."

    def _find_growth(self) -> Iterator[str]:
        total = sum(entry.count for entry in self.entries.values())
        if total > self.maximum:
            excess = f"explains {total} places, more than its maximum of {self.maximum}"
            yield f"{self.path.name}: {excess}: rename instead of adding exceptions."
        elif total < self.maximum:
            yield f"{self.path.name}: explains {total} places: lower its maximum of {self.maximum} to that ({SHRINK})."

    def shrink(self, offenders: Iterable[Offender]) -> None:
        """Remove the entries that no longer occur, lower counts and the maximum; never add or raise anything."""
        places = Counter(offender.key for offender in offenders)
        counts = {key: min(entry.count, places[key]) for key, entry in self.entries.items()}
        lines = [line for old in self.path.read_text().splitlines(keepends=True) if (line := _shrink_line(old, counts))]
        maximum = min(self.maximum, sum(counts.values()))
        self.path.write_text(re.sub(r"^maximum = \d+$", f"maximum = {maximum}", "".join(lines), count=1, flags=re.MULTILINE))


def load_lists(packages: Iterable[str], folder: Path = FOLDER) -> dict[str, ExceptionList]:
    """Return the exceptions of each package, and of each file whose package no longer exists."""
    names = {*packages, *(path.stem for path in folder.glob("*.toml"))}
    return {name: ExceptionList.load(folder / f"{name}.toml") for name in sorted(names)}


def _shrink_line(line: str, counts: Mapping[str, int]) -> str:
    match = ENTRY_LINE.match(line)
    if match is None:
        return line
    count = counts[match["key"]]
    return f'"{match["key"]}" = {{ count = {count}, {match["rest"]}\n' if count else ""
