"""Classify errors of the database: which are retryable, and which mean that the connection is lost."""

from collections.abc import Awaitable, Callable
from decimal import InvalidOperation
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError, StatementError

T = TypeVar("T")

# Everything that the driver raises for a failed statement or connection. `TimeoutError` is an `OSError`.
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
# Foreign key violation, unique violation, serialization failure, deadlock: another transaction interfered.
RETRYABLE_STATES = {"23503", "23505", "40001", "40P01"}
# Shut down, crashed, starting up, idle session, idle in a transaction for too long: the server ended the connection or rejected it.
CONNECTION_ENDED_STATES = {"57P01", "57P02", "57P03", "57P05", "25P03"}
# The driver's messages for a connection that is lost, or that an abandoned statement still uses.
CONNECTION_LOST_MESSAGES = ("connection is closed", "released back to the pool", "another operation is cancelling")

# Python's errors for a value that it cannot convert. Any other exception during a conversion is a bug in our code.
CONVERSION_ERRORS = (ValueError, OverflowError, InvalidOperation)


class OperationEndedError(Exception):
    """A statement was sent after the operation had ended its transaction."""


class ConcurrentMoveError(Exception):
    """A row was moved to another parent while its former parent was being locked. Counts as a serialization failure."""

    sqlstate = "40001"


class PoolExhaustedError(Exception):
    """No connection of the pool became free in time."""


def driver_error(error: BaseException) -> BaseException:
    """Return the driver's error that SQLAlchemy's error wraps."""
    return error.orig.__cause__ or error.orig if isinstance(error, StatementError) and error.orig else error


def is_unbindable(error: BaseException) -> bool:
    """Return whether a value is too large for its SQL parameter, such as an integer of more than 32 bits.

    A value of the wrong type does not count, because it is a bug in our code: the cause of the driver's error is then a `TypeError`. An
    error that the server reports about data does not count either: it has no cause, and may be about a sum that grew too large.
    """
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):  # SQLAlchemy converts some values before the driver does
        return isinstance(error.orig, CONVERSION_ERRORS)
    cause = driver_error(error)
    return isinstance(cause, asyncpg.DataError) and isinstance(cause.__cause__, CONVERSION_ERRORS)


def is_retryable(error: BaseException) -> bool:
    """Return whether the unit of work may succeed if it is retried from the beginning."""
    return getattr(driver_error(error), "sqlstate", None) in RETRYABLE_STATES


def is_connection_lost(error: BaseException) -> bool:
    """Return whether the connection or the server is lost, so that a read can be retried once on a new connection.

    A timeout does not count, because the time for a retry is already spent.
    """
    cause = driver_error(error)
    state = getattr(cause, "sqlstate", None) or ""
    if isinstance(cause, asyncpg.InternalClientError):  # the server closed the connection while the driver expected another message
        return True
    if isinstance(cause, asyncpg.InterfaceError):
        return any(message in str(cause) for message in CONNECTION_LOST_MESSAGES)
    return state[:2] == "08" or state in CONNECTION_ENDED_STATES or (isinstance(cause, OSError) and not isinstance(cause, TimeoutError))


async def retry_on_disconnect(action: Callable[[], Awaitable[T]]) -> T:
    """Run the first action on a connection. If the connection was lost while it was idle, run the action once more on another one."""
    try:
        return await action()
    except Exception as error:
        if not is_connection_lost(error):
            raise
    return await action()
