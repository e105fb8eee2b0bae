"""Declare fields that a resolver or a batch function of the domain answers, rather than an attribute of a row."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import strawberry

from domain.core.pagination import DEFAULT_PAGE_SIZE
from domain.core.scope import Permission
from resolvers.context import Info
from schema.core.directives import Cost, ListSize, RequiresPermission, SemanticNonNull

V = TypeVar("V")
PAGE_LIST_SIZE = ListSize(
    assumed_size=DEFAULT_PAGE_SIZE, slicing_arguments=["first", "last"], sized_fields=["edges", "nodes"], require_one_slicing_argument=False
)


@dataclass(frozen=True)
class Relation(Generic[V]):
    """A relation: the batch function that loads it, the function that converts its arguments, and the parent's attribute with the key."""

    batch: Callable[..., Awaitable[Sequence[V]]]
    convert: Callable[..., Mapping[str, object]]
    key: str


@dataclass(frozen=True, kw_only=True)
class FieldOptions:
    """Options of a field: the permission that it needs, the length of its list, and its cost on top of 1 point for each object.

    With `always_exists`, the field is null only on failure: a foreign key guarantees the object, or objects of its type are never deleted.
    """

    permission: Permission | None = None
    always_exists: bool = False
    size: int | None = None
    size_argument: str | None = None  # the name of an argument with one entry for each entry of the list
    cost: int | None = None

    def directives(self, arguments: Mapping[str, object], value: Any) -> list[object]:  # noqa: ANN401 any annotation
        """Return the directives. `value` is the type that the resolver returns; if it excludes None, the field is null only on failure."""
        directives: list[object] = [Cost(weight=str(self.cost))] if self.cost else []
        if "first" in arguments:
            directives.append(PAGE_LIST_SIZE)
        if self.size:
            directives.append(list_size(self.size, self.size_argument))
        if self.permission:
            directives.append(RequiresPermission(any_of=[self.permission]))
        if self.always_exists or type(None) not in get_args(value):
            directives.append(SemanticNonNull())
        return directives


NO_OPTIONS = FieldOptions()
FINANCE_READ_OPTIONS = FieldOptions(permission=Permission.FINANCE_READ)
REFERENCE_OPTIONS = FieldOptions(always_exists=True)


def list_size(size: int, size_argument: str | None = None) -> ListSize:
    """Return the directive of a plain list, with its maximum or usual length."""
    if size_argument:
        return ListSize(assumed_size=size, slicing_arguments=[size_argument], require_one_slicing_argument=False)
    return ListSize(assumed_size=size)


def resolved_field(resolver: Callable[..., object], description: str, *, options: FieldOptions = NO_OPTIONS) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare a field whose resolver returns the source of the annotated type, for example a row or a page."""
    directives = options.directives(inspect.signature(resolver).parameters, get_type_hints(resolver)["return"])
    return strawberry.field(resolver=resolver, description=description, directives=directives)


def without_arguments() -> Mapping[str, object]:
    return {}


def relation(
    batch: Callable[..., Awaitable[Sequence[V]]],
    description: str,
    convert: Callable[..., Mapping[str, object]] = without_arguments,
    *,
    key: str = "id",
    options: FieldOptions = NO_OPTIONS,
) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare a relation that a batch function of the domain loads by an attribute of the parent, the key. Without a key it is null.

    The field takes the arguments of `convert`, which returns the arguments of the batch function besides the scope and the keys.
    """

    def resolve(root: object, info: Info, **arguments: object) -> "asyncio.Future[V] | None":
        parent_key = getattr(root, key)
        return None if parent_key is None else info.context.loaders.of(batch, **convert(**arguments)).load(parent_key)

    root, info, _ = inspect.signature(resolve).parameters.values()
    arguments = inspect.signature(convert).parameters
    resolve.__signature__ = inspect.Signature([root, info, *arguments.values()])  # type: ignore[attr-defined]
    null_hint = " Null without the permission." if options.permission else ""
    return strawberry.field(
        resolver=resolve,
        description=description + null_hint,
        metadata={"relation": Relation(batch, convert, key)},
        directives=options.directives(arguments, _value_type(batch)),
    )


def _value_type(batch: Any) -> Any:  # noqa: ANN401 any function or callable object, and any annotation
    """Return the type of one value that a batch function loads. A batch function may be an object with `__call__`."""
    call = batch if inspect.isroutine(batch) else type(batch).__call__
    parts = get_args(get_type_hints(call)["return"])
    return parts[0] if parts else _value_type(batch.__wrapped__)  # a permission check returns what the wrapped function returns
