"""A loader: the values of all keys of a level by one call, and what becomes of those who wait."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from aiodataloader import DataLoader
from aiodataloader import Loader as Asked

K = TypeVar("K")
V = TypeVar("V")


class BatchStoppedError(Exception):
    """A batch was cancelled: an error for its waiters, who would otherwise wait for ever."""


class Loader(DataLoader[K, V]):
    """The values of all keys of a level by one call. What happens to one waiter is no business of the others."""

    max_batch_size = 500

    def __init__(self, batch: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        self._batch = batch
        super().__init__()

    async def batch_load_fn(self, keys: Sequence[K]) -> list[V]:
        try:
            return list(await self._batch(keys))
        except BaseException as failed:
            self.loop.call_soon(_seen, [self._cache[key] for key in keys if key in self._cache])
            if isinstance(failed, asyncio.CancelledError):
                raise BatchStoppedError from failed
            raise

    def load(self, key: K) -> "asyncio.Future[V]":
        return asyncio.shield(self._asked(key))

    async def load_level(self, keys: Sequence[K]) -> list[V]:
        """The same as `load` for each key, with one wait for all of them."""
        known = self._cache
        new = [key for key in dict.fromkeys(keys) if (of := known.get(key)) is None or of.cancelled()]
        if new:
            first, *others = new
            self._asked(first)  # which has all that is in the queue by then loaded together
            futures = [self.loop.create_future() for _ in others]
            known.update(zip(others, futures, strict=True))
            self._queue.extend(map(Asked, others, futures))
        return [value.result() if value.done() else await asyncio.shield(value) for value in [known[key] for key in keys]]

    def _asked(self, key: K) -> "asyncio.Future[V]":
        known = self._cache.get(key)
        if known is not None and known.cancelled():
            self.clear(key)
        return super().load(key)


def _seen(futures: "Iterable[asyncio.Future[V]]") -> None:
    """Nobody may be waiting any more: asyncio need not log the failure of a batch for each of its keys."""
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()
