"""Closed sets of words as they are shown: every word with what it means."""

from enum import StrEnum
from typing import Any

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition


def words(kind: type[StrEnum], description: str, *, name: str | None = None, **meanings: str) -> None:
    """Shows a closed set. Each of its words has a meaning, and nothing else has. An input that names the set may have been made before."""
    if set(kind.__members__) != set(meanings):
        raise TypeError(f"{kind.__name__}: describe {sorted(set(kind.__members__) ^ set(meanings))}")
    shown: Any = kind
    if not hasattr(shown, "__strawberry_definition__"):
        strawberry.enum(shown)
    definition: StrawberryEnumDefinition = shown.__strawberry_definition__
    definition.name, definition.description = name or kind.__name__, description
    for value in definition.values:
        value.description = meanings[value.name]
