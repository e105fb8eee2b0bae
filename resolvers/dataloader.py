"""Dataloader: load the values of all keys of a level with one call, and isolate the waiters from each other."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from aiodataloader import DataLoader, dispatch_queue_batch, get_chunks
from aiodataloader import Loader as QueueEntry

K = TypeVar("K")
V = TypeVar("V")


class BatchStoppedError(Exception):
    """A batch was cancelled. Its waiters get this error, because they would otherwise wait forever."""


class Loader(DataLoader[K, V]):
    """Load the values of all keys of a level with one call. The failure or cancellation of one waiter does not affect the others."""

    max_batch_size: int = 500

    def __init__(self, batch: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        """Set the attributes of `DataLoader` without its constructor, which took 5 µs to check for a coroutine function."""
        self._batch = batch
        self._tasks: list[asyncio.Task[None]] = []  # run the batches that no caller runs itself
        self._prefetch_task: asyncio.Task[None] | None = None
        self._loaded_level: tuple[Sequence[K], Sequence[V]] | None = None  # keys and values, without futures
        self._cache = {}
        self._queue = []
        self.loop = asyncio.get_running_loop()

    def get_cache_key(self, key: K) -> K:
        return key

    async def batch_load_fn(self, keys: Sequence[K]) -> list[V]:
        try:
            return list(await self._batch(keys))
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_current_task_cancelled():
                raise
            self.loop.call_soon(_mark_retrieved, [self._cache[key] for key in keys if key in self._cache])
            if isinstance(error, asyncio.CancelledError):
                raise BatchStoppedError from error
            raise

    def do_resolve_reject(self, key: K, future: "asyncio.Future[V]") -> None:
        """Queue a key. A batch runs in one task that `stop` can cancel, where `DataLoader` starts two that nothing references."""
        self._queue.append(QueueEntry(key, future))
        if len(self._queue) == 1:
            self._tasks.append(self.loop.create_task(self._load_queue()))

    async def _load_queue(self) -> None:
        """Load the queue after the tasks that are about to add keys have run."""
        for _ in range(2):
            await asyncio.sleep(0)
        queue, self._queue = self._queue, []
        for chunk in get_chunks(queue, self.max_batch_size):
            await dispatch_queue_batch(self, chunk)

    def load(self, key: K) -> "asyncio.Future[V]":
        # graphql-core cancels the siblings of a failed non-null field. That must not cancel a future for which others wait.
        return asyncio.shield(self._load_through_cache(key))

    async def load_level(self, keys: Sequence[K], *, is_exclusive: bool = False) -> Sequence[V]:
        """Load the values of all keys, as `load` does for each key, but with one wait for all of them.

        The operation must be cancelled only as a whole, because the first caller runs the batch itself, without a task. Pass
        `is_exclusive` if nothing else in the operation uses this loader: then no key needs a future for which others could wait.
        """
        if self._prefetch_task:
            await self._prefetch_task
            if self._loaded_level and self._loaded_level[0] == keys:
                return self._loaded_level[1]
        if is_exclusive and not self._cache and self._loaded_level is None and len(keys) <= self.max_batch_size:
            return await self._load_exclusive(keys)
        self._share_loaded_level()
        cache = self._cache
        new_keys = [key for key in dict.fromkeys(keys) if (future := cache.get(key)) is None or future.cancelled()]
        if new_keys:
            starts_batch = not self._queue
            futures = [self.loop.create_future() for _ in new_keys]
            cache.update(zip(new_keys, futures, strict=True))
            self._queue.extend(map(QueueEntry, new_keys, futures))
        key_futures = [cache[key] for key in keys]  # taken now, since a failing batch clears the cache
        if new_keys and starts_batch:
            await self._load_queue()
        return [pending.result() if pending.done() else await asyncio.shield(pending) for pending in key_futures]

    def prefetch(self, keys: Sequence[K]) -> None:
        """Start loading the keys of a level before `load_level` is called with them."""
        if not self._prefetch_task:  # the same relation may be selected twice
            self._prefetch_task = self.loop.create_task(self._prefetch(keys))
            self._tasks.append(self._prefetch_task)

    async def _prefetch(self, keys: Sequence[K]) -> None:
        with suppress(Exception):  # `load_level` loads its keys again, and raises the same error
            values = await self.batch_load_fn(keys)
            if len(values) == len(keys):
                self._loaded_level = [*keys], values

    async def _load_exclusive(self, keys: Sequence[K]) -> Sequence[V]:
        unique_keys = [*dict.fromkeys(keys)]
        values = await self.batch_load_fn(unique_keys)
        if len(values) != len(unique_keys):
            raise TypeError(f"{len(values)} values for {len(unique_keys)} keys")
        self._loaded_level = unique_keys, values
        if len(unique_keys) == len(keys):
            return values
        values_by_key = dict(zip(unique_keys, values, strict=True))
        return [values_by_key[key] for key in keys]

    def _share_loaded_level(self) -> None:
        """Convert the values that were loaded without futures to futures, for graphql-core after a fallback."""
        for key, value in zip(*self._loaded_level, strict=True) if self._loaded_level else ():
            future = self._cache[key] = self.loop.create_future()
            if isinstance(value, Exception):
                future.set_exception(value)
                future.exception()  # otherwise asyncio logs an exception that was never retrieved
            else:
                future.set_result(value)
        self._loaded_level = None

    def stop(self) -> None:
        """Cancel all batches. Nothing waits for them any more."""
        for task in self._tasks:
            task.cancel()

    def forget(self) -> None:
        self.clear_all()
        self._tasks.clear()
        self._prefetch_task = None
        self._loaded_level = None

    def _load_through_cache(self, key: K) -> "asyncio.Future[V]":
        self._share_loaded_level()
        future = self._cache.get(key)
        if future is not None and future.cancelled():
            self.clear(key)
        return super().load(key)


def is_current_task_cancelled() -> bool:
    """Return whether the running task itself was cancelled. A batch can raise `CancelledError` without that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _mark_retrieved(futures: "Iterable[asyncio.Future[V]]") -> None:
    """Retrieve the exceptions. Otherwise asyncio logs the failure of a batch once for each key for which nothing waits."""
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()
