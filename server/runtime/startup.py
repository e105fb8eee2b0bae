"""Speed up slow imports: pause the garbage collector, and import modules in the background."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the garbage collector while modules are imported, and exclude their objects, which stay, from later scans."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def import_in_background(module: str) -> Iterator[None]:
    """Import a module in a thread while the block runs. An import of it in the block waits for the thread, or raises its error."""
    thread = Thread(target=_import, args=(module,), name=f"import {module}")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _import(module: str) -> None:
    with gc_paused(), suppress(Exception):
        import_module(module)
