"""Expressions that the compiled executor generates for a field, instead of calling a function or creating an object for each row.

A field declares its expression in its metadata, as `expression`. It is generated for the row that it reads; no generated text is replaced.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

Reader: TypeAlias = Callable[[str], str]
"""Returns the expression that reads a path of attributes from a row. An empty path stands for the row itself."""


@dataclass(frozen=True)
class TextExpression:
    """A function of a row that returns a `str` (no subclass), the equivalent expression, and the values of the names in it."""

    compute: Callable[[Any], str]
    expression: Callable[[Reader], str]
    names: Mapping[str, object]

    def __call__(self, row: object) -> str:
        return self.compute(row)


class ObjectExpression:
    """A function that creates an object from the values at these paths of a row. It returns None if the first value is None."""

    def __init__(self, make: Callable[[tuple[Any, ...]], Any], **paths: str) -> None:
        self.paths = paths
        self._make = make
        self._first, *self._others = map(attrgetter, paths.values())

    def __call__(self, row: object) -> Any:  # noqa: ANN401 whatever `make` returns
        first = self._first(row)
        return None if first is None else self._make((first, *(other(row) for other in self._others)))

    def attribute_reader(self, read: Reader) -> Reader:
        return lambda path: read(self.paths[path])


@dataclass(frozen=True)
class ListExpression:
    """A list that is made of the rows at the path `rows`, with an object for each row.

    `attributes` takes the variable names of the parent and of a row, and returns the expressions of the object's attributes.
    """

    rows: str
    attributes: Callable[[str, str], Mapping[str, str]]

    def entry_reader(self, parent: str, row: str) -> Reader:
        attributes = self.attributes(parent, row)

        def read(path: str) -> str:
            first, dot, rest = path.partition(".")
            return f"{attributes[first]}{dot}{rest}"

        return read
