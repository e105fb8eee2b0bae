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
    """One query per relation per operation: the keys of a level are fetched together."""

    def __init__(self, scope: ReadScope) -> None:
        self._scope = scope
        self._loaders: dict[tuple[object, ...], Loader[Any, Any]] = {}

    def of(
        self, batch: Callable[Concatenate[ReadScope, Sequence[K], P], Awaitable[Sequence[V]]], *_: P.args, **arguments: P.kwargs
    ) -> Loader[K, V]:
        """Return the loader of a batch function of the domain: one for each set of arguments, which are passed by keyword."""
        key = (batch, *arguments.items())
        loader = self._loaders.get(key)
        if loader is None:
            loader = self._loaders[key] = Loader(partial(batch, self._scope, **arguments))
        return loader

    def stop(self) -> None:
        """Stop the batches of an operation that was given up."""
        for loader in self._loaders.values():
            loader.stop()

    def forget(self) -> None:
        """Forget what was read, once the operation has ended: graphql-core holds its context in a ring, which would keep it all."""
        for loader in self._loaders.values():
            loader.forget()
