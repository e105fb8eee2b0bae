"""Tell the scalar of ids whether it rejects a malformed id, or leaves it to a mutation, which finds no such object.

graphql-core does not tell a scalar which argument it parses. Queries are strict, and the execution is not: literals were checked before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_strict: ContextVar[bool] = ContextVar("is_strict", default=False)


@contextmanager
def strict_ids(*, is_strict: bool = True) -> Iterator[None]:
    """Reject malformed ids within the block, unless `is_strict` is false."""
    token = _is_strict.set(is_strict)
    try:
        yield
    finally:
        _is_strict.reset(token)


def are_ids_strict() -> bool:
    return _is_strict.get()
