"""A loader: the values of all keys of a level by one call, and what becomes of those who wait."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from aiodataloader import DataLoader, dispatch_queue_batch, get_chunks
from aiodataloader import Loader as Asked

K = TypeVar("K")
V = TypeVar("V")


class BatchStoppedError(Exception):
    """A batch was cancelled: an error for its waiters, who would otherwise wait for ever."""


class Loader(DataLoader[K, V]):
    """The values of all keys of a level by one call. What happens to one waiter is no business of the others."""

    max_batch_size: int = 500

    def __init__(self, batch: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        """Set what `DataLoader` sets: its own way checks for each loader that its method is a coroutine, which took 5 µs."""
        self._batch = batch
        self._tasks: list[asyncio.Task[None]] = []  # of batches that nobody else runs
        self._prefetching: asyncio.Task[None] | None = None
        self._level: tuple[Sequence[K], Sequence[V]] | None = None  # what was loaded alone
        self._cache = {}
        self._queue = []
        self.loop = asyncio.get_running_loop()

    def get_cache_key(self, key: K) -> K:
        return key

    async def batch_load_fn(self, keys: Sequence[K]) -> list[V]:
        try:
            return list(await self._batch(keys))
        except BaseException as failed:
            if isinstance(failed, asyncio.CancelledError) and is_given_up():
                raise
            self.loop.call_soon(_seen, [self._cache[key] for key in keys if key in self._cache])
            if isinstance(failed, asyncio.CancelledError):
                raise BatchStoppedError from failed
            raise

    def do_resolve_reject(self, key: K, future: "asyncio.Future[V]") -> None:
        """One task for a batch, which can be stopped, instead of two that nobody holds."""
        self._queue.append(Asked(key, future))
        if len(self._queue) == 1:
            self._tasks.append(self.loop.create_task(self._load_queue()))

    async def _load_queue(self) -> None:
        """Once those had their turn who are about to ask, too."""
        for _ in range(2):
            await asyncio.sleep(0)
        queue, self._queue = self._queue, []
        for chunk in get_chunks(queue, self.max_batch_size):
            await dispatch_queue_batch(self, chunk)

    def load(self, key: K) -> "asyncio.Future[V]":
        return asyncio.shield(self._asked(key))

    async def load_level(self, keys: Sequence[K], *, is_alone: bool = False) -> Sequence[V]:
        """The same as `load` for each key, with one wait for all of them.

        It is for an operation whose parts are given up together: who asks first also runs the batch, so that it costs no task. Where
        nothing else in the operation asks this loader, `is_alone`, there is nobody to wait for, and no key needs a future.
        """
        if self._prefetching:
            await self._prefetching
            if self._level and self._level[0] == keys:
                return self._level[1]
        if is_alone and not self._cache and self._level is None and len(keys) <= self.max_batch_size:
            return await self._load_alone(keys)
        self._share_level()
        known = self._cache
        new = [key for key in dict.fromkeys(keys) if (of := known.get(key)) is None or of.cancelled()]
        if new:
            is_first = not self._queue
            futures = [self.loop.create_future() for _ in new]
            known.update(zip(new, futures, strict=True))
            self._queue.extend(map(Asked, new, futures))
        waiting = [known[key] for key in keys]  # before a batch that fails forgets them
        if new and is_first:
            await self._load_queue()
        return [value.result() if value.done() else await asyncio.shield(value) for value in waiting]

    def prefetch(self, keys: Sequence[K]) -> None:
        """Ask for the keys of a level, which need not be known yet, before `load_level` does."""
        if not self._prefetching:  # the same relation may be shown twice
            self._prefetching = self.loop.create_task(self._prefetch(keys))
            self._tasks.append(self._prefetching)

    async def _prefetch(self, keys: Sequence[K]) -> None:
        with suppress(Exception):  # `load_level` asks by the keys that it has then, and meets the same error
            values = await self.batch_load_fn(keys)
            if len(values) == len(keys):
                self._level = [*keys], values

    async def _load_alone(self, keys: Sequence[K]) -> Sequence[V]:
        new = [*dict.fromkeys(keys)]
        values = await self.batch_load_fn(new)
        if len(values) != len(new):
            raise TypeError(f"{len(values)} values for {len(new)} keys")
        self._level = new, values
        if len(new) == len(keys):
            return values
        found = dict(zip(new, values, strict=True))
        return [found[key] for key in keys]

    def _share_level(self) -> None:
        """Make futures of what was loaded alone, for who asks after all: graphql-core, where the compiled run gave way to it."""
        for key, value in zip(*self._level, strict=True) if self._level else ():
            future = self._cache[key] = self.loop.create_future()
            if isinstance(value, Exception):
                future.set_exception(value)
                future.exception()  # asyncio need not log that nobody looked
            else:
                future.set_result(value)
        self._level = None

    def stop(self) -> None:
        """Nobody waits any more, and the database need not answer."""
        for task in self._tasks:
            task.cancel()

    def forget(self) -> None:
        self.clear_all()
        self._tasks.clear()
        self._prefetching = None
        self._level = None

    def _asked(self, key: K) -> "asyncio.Future[V]":
        self._share_level()
        known = self._cache.get(key)
        if known is not None and known.cancelled():
            self.clear(key)
        return super().load(key)


def is_given_up() -> bool:
    """Whether the running task itself was cancelled: a batch may raise the same without."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _seen(futures: "Iterable[asyncio.Future[V]]") -> None:
    """Nobody may be waiting any more: asyncio need not log the failure of a batch for each of its keys."""
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()
