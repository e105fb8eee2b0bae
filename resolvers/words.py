"""Closed sets of words as they are shown: every word with what it means."""

from enum import StrEnum
from typing import Any, cast

import strawberry


def words(kind: type[StrEnum], description: str, *, name: str | None = None, **meanings: str) -> None:
    """Shows a closed set. Each of its words has a meaning, and nothing else has."""
    if set(kind.__members__) != set(meanings):
        raise TypeError(f"{kind.__name__}: describe {sorted(set(kind.__members__) ^ set(meanings))}")
    shown = strawberry.enum(cast("Any", kind), name=name, description=description)
    for value in shown.__strawberry_definition__.values:
        value.description = meanings[value.name]
