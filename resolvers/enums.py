"""Describe enums, and each of their values, for the schema."""

from enum import StrEnum
from typing import Any

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition


def describe_enum(enum_type: type[StrEnum], description: str, *, name: str | None = None, **value_descriptions: str) -> None:
    """Describe an enum and each of its values. Inputs that use the enum may be declared before.

    Raises `TypeError` if a value has no description, or if a description belongs to no value.
    """
    if set(enum_type.__members__) != set(value_descriptions):
        differences = sorted(set(enum_type.__members__) ^ set(value_descriptions))
        raise TypeError(f"Describe exactly the values of `{enum_type.__name__}`. Missing or unknown: {differences}.")
    strawberry_enum: Any = enum_type
    if not hasattr(strawberry_enum, "__strawberry_definition__"):
        strawberry.enum(strawberry_enum)
    definition: StrawberryEnumDefinition = strawberry_enum.__strawberry_definition__
    definition.name, definition.description = name or enum_type.__name__, description
    for value in definition.values:
        value.description = value_descriptions[value.name]
