"""Describe enums, and each of their values, for the schema."""

from enum import StrEnum
from typing import Any

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition


def describe_enum(enum_type: type[StrEnum], description: str, *, name: str | None = None, **value_descriptions: str) -> None:
    """Describe an enum: exactly its values, no others. An input that refers to it may exist before."""
    if set(enum_type.__members__) != set(value_descriptions):
        raise TypeError(f"{enum_type.__name__}: describe {sorted(set(enum_type.__members__) ^ set(value_descriptions))}")
    strawberry_enum: Any = enum_type
    if not hasattr(strawberry_enum, "__strawberry_definition__"):
        strawberry.enum(strawberry_enum)
    definition: StrawberryEnumDefinition = strawberry_enum.__strawberry_definition__
    definition.name, definition.description = name or enum_type.__name__, description
    for value in definition.values:
        value.description = value_descriptions[value.name]
