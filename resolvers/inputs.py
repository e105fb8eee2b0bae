"""Inputs made of the field sets that the tables are made of. What a field is, the type that shows it says, for inputs too."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from resolvers.ids import GlobalId

T = TypeVar("T")
SEEN = "The `version` that you saw. Another is refused, so that nobody's change is lost."
ANY_SEEN = "The `version` that you saw; any, unless given."
MADE: list[tuple[type, type[BaseModel]]] = []
"""The inputs, each with its field set."""


def input_of(fields: type[BaseModel], *, description: str) -> Callable[[type[T]], type[T]]:
    """Puts the fields of a set before those that the class itself declares, which may be some of them otherwise."""

    def made(cls: type[T]) -> type[T]:
        for name, field in fields.model_fields.items():
            if not field.is_required() and name not in cls.__annotations__:
                setattr(cls, name, field.default)
        return _input(cls, fields, description, lambda field: field.annotation)

    return made


def patch_of(fields: type[BaseModel], *, description: str) -> Callable[[type[T]], type[T]]:
    """As `input_of`, but what is left out stays as it is; null empties a field that may be empty, and the rules refuse it of any other."""
    return lambda cls: _input(cls, fields, description, lambda field: strawberry.Maybe[field.annotation | None])  # type: ignore[name-defined,misc]


def _input(cls: type[T], fields: type[BaseModel], description: str, shown: Callable[[FieldInfo], Any]) -> type[T]:
    cls.__annotations__ = {**{name: shown(field) for name, field in fields.model_fields.items()}, **cls.__annotations__}
    made = strawberry.input(cls, description=description)
    MADE.append((made, fields))
    return made


def given(fields: type[BaseModel], input: object) -> dict[str, object]:
    """The values of an `input_of`."""
    return {name: getattr(input, name) for name in fields.model_fields}


def changed(fields: type[BaseModel], input: object) -> dict[str, object]:
    """The values of a `patch_of` that are there: absent is None, null is Some(None)."""
    return somes(given(fields, input))


def somes(values: Mapping[str, object]) -> dict[str, object]:
    return {name: some.value for name, some in values.items() if isinstance(some, strawberry.Some)}


def linked(links: Mapping[str, str], input: object) -> dict[str, UUID | None]:
    """The ids that are there, of the types that they are to be of; in a patch null takes a link away."""
    ids = {name: getattr(input, name) for name in links}
    there = {name: key.value if isinstance(key, strawberry.Some) else key for name, key in ids.items() if key is not None}
    return {name: id_of(key, links[name]) if isinstance(key, GlobalId) else None for name, key in there.items()}


def lists(**values: object) -> dict[str, Any]:
    """The lists that are there; null is an empty one."""
    return {name: given or [] for name, given in somes(values).items()}


NOTHING = UUID(int=0)


def id_of(given: GlobalId, what: str) -> UUID:
    """The id of a `what`; what is no id of one is an id that nothing has, so that the rule refuses it where it lies."""
    return given.of(what) or NOTHING


def ids_of(given: Sequence[GlobalId], what: str) -> list[UUID]:
    return [id_of(each, what) for each in given]
