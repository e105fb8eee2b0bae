"""Importing what is long: without the garbage collector, and while something else is waited for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread


@contextmanager
def resting() -> Iterator[None]:
    """The collector rests while modules are imported: what they are made of stays, and need never be looked through, then or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def meanwhile(module: str) -> Iterator[None]:
    """Has a module imported beside the block. Who imports it there waits until that is done; a failure of it is theirs."""
    reading = Thread(target=_read, args=(module,), name=f"import {module}")
    reading.start()
    try:
        yield
    finally:
        reading.join()


def _read(module: str) -> None:
    with resting(), suppress(Exception):
        import_module(module)
