"""The seam between what the domain returns and what is shown: types that read their fields off rows.

`@lens(ClientRow)` makes a class a Strawberry type; no row is ever converted. `read` is a field computed from its row alone.
Both stay what Strawberry calls basic fields: no arguments, no waiting, no `info`.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar, cast

import strawberry
from pydantic import BaseModel
from strawberry.types.field import StrawberryField

from resolvers.ids import GlobalId, id_of_row
from resolvers.inlined import Parts, Text

T = TypeVar("T")


class _Read(StrawberryField):
    """A function of the row instead of an attribute. It sits in the metadata, which copies of the field keep."""

    def get_result(self, source: object, *_: object, **__: object) -> object:
        return self.metadata["read"](source)


def read(
    of: Callable[[Any], object],
    *,
    description: str,
    directives: Sequence[object] = (),
    name: str | None = None,
    reads: Sequence[str] | None = None,
) -> Any:
    """A field that `of` computes from the row. `name` is for one that Python keeps for itself.

    `reads` are the attributes of the row that it needs, where `of` does not show them; who reads rows for it brings all of them otherwise.
    """
    metadata: dict[str, object] = {"read": of, "reads": _names(of) if reads is None else reads, "path": _path(of)}
    metadata["inlined"] = of if isinstance(of, Parts | Text) else None
    return _Read(metadata=metadata, description=description, directives=directives, graphql_name=name)


def _names(of: Callable[[Any], object]) -> list[str] | None:
    """The attributes that an `attrgetter`, or an object of several parts, reads."""
    if isinstance(of, attrgetter):
        _, paths = cast("tuple[object, tuple[str, ...]]", of.__reduce__())
        return [name for path in paths for name in path.split(".")]
    if isinstance(of, Parts):
        return [name for path in of.paths.values() for name in path.split(".")]
    return None


def itself(row: T) -> T:
    return row


def _path(of: Callable[[Any], object]) -> str | None:
    """Return the attributes that lead from the row to the value, with dots between them: empty for the row itself, None for a function."""
    if isinstance(of, attrgetter):
        _, paths = cast("tuple[object, tuple[str, ...]]", of.__reduce__())
        return paths[0] if len(paths) == 1 else None
    return "" if of is itself else None


ID = "Identifier, to ask for the object again: opaque, and the same for ever."


@strawberry.interface(description="An object that can be asked for again by its id.")
class Node:
    id: GlobalId = strawberry.field(description=ID)


SHOWN: dict[type[BaseModel], type] = {}
"""The type that shows a field set, and so says of inputs too what each field is."""


def lens(*sources: type, description: str, fields: type[BaseModel] | None = None) -> Callable[[type[T]], type[T]]:
    """A type whose values are of the given classes. A Node gets its id from the UUID of its row."""

    def shown(cls: type[T]) -> type[T]:
        shape = cast("Any", cls)
        shape.is_type_of = staticmethod(lambda value, _info: isinstance(value, sources))
        shape.sources = sources
        if issubclass(cls, Node):
            shape.__annotations__ = {"id": GlobalId, **cls.__annotations__}
            shape.id = read(id_of_row(cls.__name__), description=ID, reads=("id",))
        made = strawberry.type(cls, description=description)
        if fields:
            SHOWN[fields] = made
        return made

    return shown
