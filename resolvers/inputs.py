"""Derive inputs from the field sets of the tables. The output type of a field set also describes the fields of its inputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from resolvers.ids import MISSING_VERSION, GlobalId

T = TypeVar("T")
VERSION_DESCRIPTION = "The `version` that you read. The mutation fails with `VERSION_CONFLICT` if the object has changed since."
INPUT_TYPES: list[tuple[type, type[BaseModel]]] = []
"""The input types, each with its field set."""


@strawberry.input
class VersionedInput:
    """The fields of an input that names an object and the version that the caller read."""

    id: GlobalId = strawberry.field(description="Id of the object.")
    expected_version: int = strawberry.field(description=VERSION_DESCRIPTION)


OMITTED_HINT = " An omitted field gets its default, or stays empty without one."


def input_of(fields: type[BaseModel], *, description: str) -> Callable[[type[T]], type[T]]:
    """Declare an input with the fields of a set, followed by the fields of the class itself, which may override those of the set."""

    def decorate(cls: type[T]) -> type[T]:
        for name, field in fields.model_fields.items():
            if not field.is_required() and name not in cls.__annotations__:
                setattr(cls, name, field.default)
        input_type = _declare_input(cls, fields, description, lambda field: field.annotation)
        definition: Any = input_type.__strawberry_definition__  # type: ignore[attr-defined]
        definition.description += OMITTED_HINT if any(field.default is None for field in definition.fields) else ""
        return input_type

    return decorate


def patch_of(fields: type[BaseModel], *, description: str) -> Callable[[type[T]], type[T]]:
    """Declare an input like `input_of`, with optional fields: an absent one stays unchanged; null clears, unless a rule rejects that."""
    return lambda cls: _declare_input(cls, fields, description, lambda field: strawberry.Maybe[field.annotation | None])  # type: ignore[name-defined,misc]


def _declare_input(cls: type[T], fields: type[BaseModel], description: str, field_type: Callable[[FieldInfo], Any]) -> type[T]:
    cls.__annotations__ = {**{name: field_type(field) for name, field in fields.model_fields.items()}, **cls.__annotations__}
    input_type = strawberry.input(cls, description=description)
    INPUT_TYPES.append((input_type, fields))
    return input_type


def input_values(fields: type[BaseModel], input: object) -> dict[str, object]:
    """Return the values of an input that `input_of` declared."""
    return {name: getattr(input, name) for name in fields.model_fields}


def patch_values(fields: type[BaseModel], input: object) -> dict[str, object]:
    """Return the supplied values of an input that `patch_of` declared. There, None means absent, and `Some(None)` null."""
    return present_values(input_values(fields, input))


def present_values(values: Mapping[str, object]) -> dict[str, object]:
    return {name: maybe.value for name, maybe in values.items() if isinstance(maybe, strawberry.Some)}


def linked_ids(links: Mapping[str, str], input: object) -> dict[str, UUID | None]:
    """Return the UUIDs of the supplied ids. `links` has the type of each. Null in a patch removes the link."""
    global_ids = {name: getattr(input, name) for name in links}
    present_ids = {name: key.value if isinstance(key, strawberry.Some) else key for name, key in global_ids.items() if key is not None}
    return {name: to_uuid(key, links[name]) if isinstance(key, GlobalId) else None for name, key in present_ids.items()}


def present_lists(**values: object) -> dict[str, Any]:
    """Return the supplied lists, with an empty list for null."""
    return {name: entries or [] for name, entries in present_values(values).items()}


def to_uuid(global_id: GlobalId, type_name: str) -> UUID:
    """Return the UUID of an id of this type. For any other id, return one that no row has, so that the rule finds no object.

    Different ids keep different UUIDs, so that a rule reports each of them.
    """
    return global_id.key if global_id.type_name == type_name else UUID(int=global_id.key.int, version=MISSING_VERSION)


def to_uuids(global_ids: Sequence[GlobalId], type_name: str) -> list[UUID]:
    return [to_uuid(global_id, type_name) for global_id in global_ids]
