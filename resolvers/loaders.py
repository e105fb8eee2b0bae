"""The loaders of one operation."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from domain.core.scope import ReadScope
from resolvers.dataloader import Loader

K = TypeVar("K")
V = TypeVar("V")
P = ParamSpec("P")


class Loaders:
    """Loaders of one operation. Each relation needs one query for all keys of a level."""

    def __init__(self, scope: ReadScope) -> None:
        self._scope = scope
        self._loaders: dict[tuple[object, ...], Loader[Any, Any]] = {}

    def of(
        self, batch: Callable[Concatenate[ReadScope, Sequence[K], P], Awaitable[Sequence[V]]], *_: P.args, **arguments: P.kwargs
    ) -> Loader[K, V]:
        """Return the loader of a batch function of the domain. Each set of arguments, which are passed by keyword, has a loader."""
        key = (batch, *arguments.items())
        loader = self._loaders.get(key)
        if loader is None:
            loader = self._loaders[key] = Loader(partial(batch, self._scope, **arguments))
        return loader

    def stop(self) -> None:
        """Stop the batches of a cancelled operation."""
        for loader in self._loaders.values():
            loader.stop()

    def forget(self) -> None:
        """Free what was read, at the end of the operation. A reference cycle of graphql-core can hold the context for longer."""
        for loader in self._loaders.values():
            loader.forget()
