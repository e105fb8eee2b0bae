"""What can go wrong between us and the database, and what it means: a race to run again, a connection that is lost."""

from collections.abc import Awaitable, Callable
from decimal import InvalidOperation
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError, StatementError

T = TypeVar("T")

RACES = {"23503", "23505", "40001", "40P01"}  # a link or a key that another made or took, a conflict, a deadlock
# Shut down, crashed, starting up, idle in a transaction for too long: the server itself ended the connection, or would not have it.
ENDED = {"57P01", "57P02", "57P03", "57P05", "25P03"}
# All that the driver says of it to one who uses a connection that went away, or that a statement given up still holds.
CLOSED = ("connection is closed", "released back to the pool", "another operation is cancelling")

# What Python raises for a value that it cannot convert; whatever else is raised while one is converted is a bug of ours.
UNCONVERTIBLE = (ValueError, OverflowError, InvalidOperation)


class OperationEndedError(Exception):
    """A statement asked for after the operation gave its transaction back."""


class MovedError(Exception):
    """What a row belongs to was held, and the row was moved elsewhere meanwhile: a conflict as the database has them."""

    sqlstate = "40001"


class BusyError(Exception):
    """No connection came free in time."""


def plain(failed: BaseException) -> BaseException:
    """The driver's own error within SQLAlchemy's."""
    return failed.orig.__cause__ or failed.orig if isinstance(failed, StatementError) and failed.orig else failed


def is_unbindable(failed: BaseException) -> bool:
    """Tell whether a value was beyond what its SQL parameter can hold, such as an int of more than 32 bits.

    A value of another type than the parameter's is a bug of ours: the driver's error then has a TypeError as its cause. So is what the
    server says of data, which has no cause: it may be a sum that grew too large.
    """
    if isinstance(failed, StatementError) and not isinstance(failed, DBAPIError):  # SQLAlchemy converts some values before the driver does
        return isinstance(failed.orig, UNCONVERTIBLE)
    cause = plain(failed)
    return isinstance(cause, asyncpg.DataError) and isinstance(cause.__cause__, UNCONVERTIBLE)


def is_race(failed: BaseException) -> bool:
    """Whether the same unit of work, begun anew, sees what stood in its way."""
    return getattr(plain(failed), "sqlstate", None) in RACES


def is_lost(failed: BaseException) -> bool:
    """Whether the connection or the server went away, so that what only reads may be asked once more, on a new connection.

    Silence is not among it: the time to ask again was spent on waiting for an answer.
    """
    cause = plain(failed)
    state = getattr(cause, "sqlstate", None) or ""
    if isinstance(cause, asyncpg.InternalClientError):  # it lost its way: the server's farewell came where it awaited something else
        return True
    if isinstance(cause, asyncpg.InterfaceError):
        return any(said in str(cause) for said in CLOSED)
    return state[:2] == "08" or state in ENDED or (isinstance(cause, OSError) and not isinstance(cause, TimeoutError))


async def once_more(ask: Callable[[], Awaitable[T]]) -> T:
    """What comes first on a connection, which may have been lost while it lay in the pool: then it is said on another."""
    try:
        return await ask()
    except Exception as failed:
        if not is_lost(failed):
            raise
    return await ask()
