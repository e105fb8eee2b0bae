"""Fields that the compiled executor writes as expressions, instead of calling a function or making an object for each row.

They stand in the metadata of a field as `inlined`. An expression is written for the row that it reads, never replaced in a text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

Read: TypeAlias = Callable[[str], str]
"""Writes the expression for a path of attributes of a row; for the row itself where the path is empty."""


@dataclass(frozen=True)
class Text:
    """A function of a row whose value is always of the class `str`; the same as an expression, and the values of the names in it."""

    of: Callable[[Any], str]
    expression: Callable[[Read], str]
    names: Mapping[str, object]

    def __call__(self, row: object) -> str:
        return self.of(row)


class Parts:
    """A function of a row that makes an object, whose attributes are read off the row by these paths. None where the first of them is."""

    def __init__(self, make: Callable[[tuple[Any, ...]], Any], **paths: str) -> None:
        self.paths = paths
        self._make = make
        self._first, *self._others = map(attrgetter, paths.values())

    def __call__(self, row: object) -> Any:  # noqa: ANN401 whatever is made
        first = self._first(row)
        return None if first is None else self._make((first, *(other(row) for other in self._others)))

    def reader(self, read: Read) -> Read:
        return lambda path: read(self.paths[path])


@dataclass(frozen=True)
class Entries:
    """A list with an object for each of the rows at a path. `attributes` writes what an object has, for the names of parent and row."""

    rows: str
    attributes: Callable[[str, str], Mapping[str, str]]

    def reader(self, parent: str, row: str) -> Read:
        attributes = self.attributes(parent, row)

        def read(path: str) -> str:
            first, dot, rest = path.partition(".")
            return f"{attributes[first]}{dot}{rest}"

        return read
