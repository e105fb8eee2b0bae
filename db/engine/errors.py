"""Errors of the database: which are retryable, and which mean that the connection is lost."""

from collections.abc import Awaitable, Callable
from decimal import InvalidOperation
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError, StatementError

T = TypeVar("T")

RETRYABLE_STATES = {
    "23503",
    "23505",
    "40001",
    "40P01",
}  # foreign key, unique key, serialization failure, deadlock: another transaction interfered
# Shut down, crashed, starting up, idle in a transaction for too long: the server ended the connection or rejected it.
CONNECTION_ENDED_STATES = {"57P01", "57P02", "57P03", "57P05", "25P03"}
# The driver's messages for a connection that is lost or still used by an abandoned statement.
CONNECTION_LOST_MESSAGES = ("connection is closed", "released back to the pool", "another operation is cancelling")

# What Python raises for a value that it cannot convert; any other exception during conversion is a bug of ours.
CONVERSION_ERRORS = (ValueError, OverflowError, InvalidOperation)


class OperationEndedError(Exception):
    """A statement was sent after the operation had released its transaction."""


class ConcurrentMoveError(Exception):
    """A row was moved to another parent while its former parent was being locked: a serialization failure."""

    sqlstate = "40001"


class PoolExhaustedError(Exception):
    """No connection of the pool became free in time."""


def driver_error(error: BaseException) -> BaseException:
    """Return the driver's error that SQLAlchemy's error wraps."""
    return error.orig.__cause__ or error.orig if isinstance(error, StatementError) and error.orig else error


def is_unbindable(error: BaseException) -> bool:
    """Tell whether a value was beyond what its SQL parameter can hold, such as an int of more than 32 bits.

    A value of another type than the parameter's is a bug of ours: the driver's error then has a TypeError as its cause. So is what the
    server says of data, which has no cause: it may be a sum that grew too large.
    """
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):  # SQLAlchemy converts some values before the driver does
        return isinstance(error.orig, CONVERSION_ERRORS)
    cause = driver_error(error)
    return isinstance(cause, asyncpg.DataError) and isinstance(cause.__cause__, CONVERSION_ERRORS)


def is_retryable(error: BaseException) -> bool:
    """Return whether the unit of work can succeed if it is retried from the beginning."""
    return getattr(driver_error(error), "sqlstate", None) in RETRYABLE_STATES


def is_connection_lost(error: BaseException) -> bool:
    """Return whether the connection or the server is lost, so that a read can be retried once on a new connection.

    A timeout does not count: the time for a retry was spent on waiting.
    """
    cause = driver_error(error)
    state = getattr(cause, "sqlstate", None) or ""
    if isinstance(cause, asyncpg.InternalClientError):  # the server closed the connection while the driver expected another message
        return True
    if isinstance(cause, asyncpg.InterfaceError):
        return any(message in str(cause) for message in CONNECTION_LOST_MESSAGES)
    return state[:2] == "08" or state in CONNECTION_ENDED_STATES or (isinstance(cause, OSError) and not isinstance(cause, TimeoutError))


async def retry_on_disconnect(action: Callable[[], Awaitable[T]]) -> T:
    """Run the first action on a connection; if the idle connection turns out to be lost, run it once more on another."""
    try:
        return await action()
    except Exception as error:
        if not is_connection_lost(error):
            raise
    return await action()
