"""Fields that are answered, rather than read off a row: by a resolver, or by a batch function of the domain."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import strawberry

from domain.pages import DEFAULT_PAGE_SIZE
from domain.scope import Permission
from resolvers.context import Info
from schema.directives import Cost, ListSize, RequiresPermission, SemanticNonNull

V = TypeVar("V")
PAGED = ListSize(
    assumed_size=DEFAULT_PAGE_SIZE, slicing_arguments=["first", "last"], sized_fields=["edges", "nodes"], require_one_slicing_argument=False
)


@dataclass(frozen=True)
class Relation(Generic[V]):
    """A relation: the batch function that loads it, the function that converts its arguments, and the attribute that is the key."""

    batch: Callable[..., Awaitable[Sequence[V]]]
    convert: Callable[..., Mapping[str, object]]
    key: str


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a field takes: the right to see it, the length of its list, and more than an object usually costs."""

    needs: Permission | None = None
    size: int | None = None
    as_many_as: str | None = None  # the argument whose entries it has one for each
    cost: int | None = None

    def directives(self, arguments: Mapping[str, object], value: Any) -> list[object]:  # noqa: ANN401 any annotation
        """A field whose resolver has no None among what it returns is null only when it fails."""
        found: list[object] = [Cost(weight=str(self.cost))] if self.cost else []
        if "first" in arguments:
            found.append(PAGED)
        if self.size:
            found.append(listed(self.size, self.as_many_as))
        if self.needs:
            found.append(RequiresPermission(any_of=[self.needs]))
        if type(None) not in get_args(value):
            found.append(SemanticNonNull())
        return found


FREE = Terms()
FIGURES = Terms(needs=Permission.FINANCE_READ)


def listed(size: int, as_many_as: str | None = None) -> ListSize:
    """A plain list, of so many at most or usually."""
    if as_many_as:
        return ListSize(assumed_size=size, slicing_arguments=[as_many_as], require_one_slicing_argument=False)
    return ListSize(assumed_size=size)


def answered(resolver: Callable[..., object], *, description: str, terms: Terms = FREE) -> Any:  # noqa: ANN401 the annotation stands
    """A field that a resolver answers with something of another class than the annotation's: a row, a page."""
    directives = terms.directives(inspect.signature(resolver).parameters, get_type_hints(resolver)["return"])
    needs = f" Needs {terms.needs}." if terms.needs else ""
    return strawberry.field(resolver=resolver, description=description + needs, directives=directives)


def without_arguments() -> Mapping[str, object]:
    return {}


def by(
    batch: Callable[..., Awaitable[Sequence[V]]],
    convert: Callable[..., Mapping[str, object]] = without_arguments,
    *,
    key: str = "id",
    description: str,
    terms: Terms = FREE,
) -> Any:  # noqa: ANN401 the annotation stands
    """Declare a relation that the domain's batch function loads by an attribute of the parent. A parent without a key has nothing.

    The field takes the arguments of `convert`, which returns those that the batch function takes besides the scope and the keys.
    """

    def resolve(root: object, info: Info, **arguments: object) -> "asyncio.Future[V] | None":
        wanted = getattr(root, key)
        return None if wanted is None else info.context.loaders.of(batch, **convert(**arguments)).load(wanted)

    root, info, _ = inspect.signature(resolve).parameters.values()
    arguments = inspect.signature(convert).parameters
    resolve.__signature__ = inspect.Signature([root, info, *arguments.values()])  # type: ignore[attr-defined]
    without = f" Null without {terms.needs}." if terms.needs else ""
    return strawberry.field(
        resolver=resolve,
        description=description + without,
        metadata={"by": Relation(batch, convert, key)},
        directives=terms.directives(arguments, _value_type(batch)),
    )


def _value_type(batch: Any) -> Any:  # noqa: ANN401 any function or callable object, and any annotation
    """Return the type of a value of a batch function, or of a read that is declared as an object."""
    call = batch if inspect.isroutine(batch) else type(batch).__call__
    parts = get_args(get_type_hints(call)["return"])
    return parts[0] if parts else _value_type(batch.__wrapped__)  # what only asks for a right returns what it reads
