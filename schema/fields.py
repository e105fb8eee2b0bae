"""Fields that are answered, rather than read off a row: by a resolver, or by the loader of a relation."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, get_args, get_type_hints

import strawberry

from domain.pages import USUAL
from domain.scope import Permission
from resolvers.batches import Loader
from resolvers.loaders import Loaders
from schema.directives import Cost, ListSize, RequiresPermission, SemanticNonNull

V = TypeVar("V")
PAGED = ListSize(
    assumed_size=USUAL, slicing_arguments=["first", "last"], sized_fields=["edges", "nodes"], require_one_slicing_argument=False
)


@dataclass(frozen=True)
class Relation(Generic[V]):
    """How a level-wise executor asks for a relation: the loader, and the parent's attribute that is its key."""

    loader: Callable[..., Loader[Any, V]]
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


class _HasLoaders(Protocol):
    @property
    def loaders(self) -> Loaders: ...


def by(loader: Callable[..., Loader[Any, V]], *, key: str = "id", description: str, terms: Terms = FREE) -> Any:  # noqa: ANN401
    """A relation. `loader` takes the loaders, then the field's arguments; a parent without a key has nothing."""

    def resolve(root: object, info: strawberry.Info[_HasLoaders, None], **arguments: object) -> "asyncio.Future[V] | None":
        wanted = getattr(root, key)
        return None if wanted is None else loader(info.context.loaders, **arguments).load(wanted)

    root, info, _ = inspect.signature(resolve).parameters.values()
    _, *arguments = inspect.signature(loader).parameters.values()
    resolve.__signature__ = inspect.Signature([root, info, *arguments])  # type: ignore[attr-defined]
    _, value = get_args(get_type_hints(loader)["return"])
    without = f" Null without {terms.needs}." if terms.needs else ""
    return strawberry.field(
        resolver=resolve,
        description=description + without,
        metadata={"by": Relation(loader, key)},
        directives=terms.directives(inspect.signature(loader).parameters, value),
    )
