"""GraphQL types whose fields are read from the rows that the domain returns. Rows are never converted.

`@row_type(ClientRow)` makes a class such a type. `attribute` declares a field that is an attribute of the row, `computed_field` one that a
function computes from the row alone. For Strawberry, both are basic fields: they take no arguments, do not await and do not use `info`.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar, cast

import strawberry
from pydantic import BaseModel
from strawberry.types.field import StrawberryField

from resolvers.execution.expressions import ObjectExpression, TextExpression
from resolvers.ids import GlobalId, make_row_id

T = TypeVar("T")


class _ComputedField(StrawberryField):
    """A field that calls a function with the row. The function is in the metadata, which copies of the field keep."""

    def get_result(self, source: object, *_: object, **__: object) -> object:
        return self.metadata["compute"](source)


def attribute(description: str, directives: Sequence[object] = ()) -> Any:
    """Declare a field that is read from the attribute of the same name."""
    return strawberry.field(description=description, directives=directives)


def computed_field(
    compute: Callable[[Any], object],
    description: str,
    *,
    directives: Sequence[object] = (),
    name: str | None = None,
    columns: Sequence[str] | None = None,
) -> Any:
    """Declare a field that `compute` returns for the row. `name` is its name in GraphQL, if that is reserved in Python.

    `columns` are the attributes that `compute` reads, if it does not show them itself. Without them, statements select all columns.
    """
    metadata: dict[str, object] = {
        "compute": compute,
        "columns": _attribute_names(compute) if columns is None else columns,
        "path": _attribute_path(compute),
    }
    metadata["expression"] = compute if isinstance(compute, ObjectExpression | TextExpression) else None
    return _ComputedField(metadata=metadata, description=description, directives=directives, graphql_name=name)


def _attribute_names(compute: Callable[[Any], object]) -> list[str] | None:
    """Return the attributes that an `attrgetter` or an `ObjectExpression` reads. Return None for any other function."""
    if isinstance(compute, attrgetter):
        _, paths = cast("tuple[object, tuple[str, ...]]", compute.__reduce__())
        return [name for path in paths for name in path.split(".")]
    if isinstance(compute, ObjectExpression):
        return [name for path in compute.paths.values() for name in path.split(".")]
    return None


def identity(row: T) -> T:
    return row


def _attribute_path(compute: Callable[[Any], object]) -> str | None:
    """Return the dotted path from the row to the value: empty for the row itself, None for a function."""
    if isinstance(compute, attrgetter):
        _, paths = cast("tuple[object, tuple[str, ...]]", compute.__reduce__())
        return paths[0] if len(paths) == 1 else None
    return "" if compute is identity else None


ID_DESCRIPTION = "Opaque id, unique among all types. It never changes; pass it to `node` to read the object again."


@strawberry.interface(description="An object that `node` finds by its id.")
class Node:
    id: GlobalId = attribute(ID_DESCRIPTION)


DESCRIBED_BY: dict[type[BaseModel], type] = {}
"""Map a field set to the type that shows its fields. Inputs with the same field set get the descriptions of that type."""


def row_type(
    *sources: type, description: str, fields: type[BaseModel] | None = None, matches: Callable[[Any], bool] | None = None
) -> Callable[[type[T]], type[T]]:
    """Make a class the GraphQL type of rows of these classes. A `Node` gets its id from the UUID of its row.

    With `matches`, it is the type of those rows only. graphql-core executes such a type, since the compiled executor decides by the class.
    """

    def decorate(cls: type[T]) -> type[T]:
        graphql_class = cast("Any", cls)
        if matches is None:
            graphql_class.is_type_of = staticmethod(lambda value, _info: isinstance(value, sources))
            graphql_class.sources = sources
        else:
            graphql_class.is_type_of = staticmethod(lambda value, _info: isinstance(value, sources) and matches(value))
        if issubclass(cls, Node):
            graphql_class.__annotations__ = {"id": GlobalId, **cls.__annotations__}
            graphql_class.id = computed_field(make_row_id(cls.__name__), ID_DESCRIPTION, columns=("id",))
        strawberry_type = strawberry.type(cls, description=description)
        if fields:
            DESCRIBED_BY[fields] = strawberry_type
        return strawberry_type

    return decorate
