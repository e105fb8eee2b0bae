"""Errors of the database have their own codes, and no response contains the driver's message."""

import asyncpg
import pytest
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from db.engine.errors import PoolExhaustedError, is_connection_lost
from server.http.error_masking import format_error

SECRET = "relation client of postgresql://relaties_server:word@db"
LOST_CONNECTION_ERRORS = [
    asyncpg.InterfaceError("cannot perform operation: connection is closed"),
    asyncpg.InterfaceError("cannot call Connection.fetch(): connection has been released back to the pool"),
    asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),  # 08003
    asyncpg.ConnectionFailureError(SECRET),  # 08006
    asyncpg.ProtocolViolationError(SECRET),  # 08P01; pgbouncer sends it when its server is gone
    asyncpg.AdminShutdownError(SECRET),  # 57P01
    asyncpg.CrashShutdownError(SECRET),  # 57P02
    asyncpg.CannotConnectNowError(SECRET),  # 57P03
    asyncpg.IdleInTransactionSessionTimeoutError(SECRET),  # 25P03
    ConnectionResetError(104, SECRET),
    ConnectionRefusedError(111, SECRET),
    BrokenPipeError(32, SECRET),
    asyncpg.InterfaceError("cannot perform operation: another operation is cancelling"),
    asyncpg.InternalClientError('cannot switch to "idle" state; protocol is in the "failed" state'),
    asyncpg.InternalClientError("got result for unknown protocol state 3"),
    OSError(113, "No route to host"),
]
UNAVAILABLE = [
    TimeoutError(),  # a statement without a response, or a connection that could not be opened in time
    PoolExhaustedError(),
    PoolTimeoutError(SECRET),
    asyncpg.LockNotAvailableError(SECRET),  # 55P03
    asyncpg.TooManyConnectionsError(SECRET),  # 53300
    asyncpg.DiskFullError(SECRET),  # 53100
    asyncpg.OutOfMemoryError(SECRET),  # 53200
    asyncpg.DeadlockDetectedError(SECRET),  # 40P01
    asyncpg.SerializationError(SECRET),  # 40001
    asyncpg.UniqueViolationError(SECRET),  # 23505, after all retries
]
OTHER_ERRORS = [(asyncpg.QueryCanceledError(SECRET), "TIMEOUT"), (ZeroDivisionError(SECRET), "INTERNAL_SERVER_ERROR")]
EXPECTED = [*((error, "UNAVAILABLE") for error in (*LOST_CONNECTION_ERRORS, *UNAVAILABLE)), *OTHER_ERRORS]


def in_sqlalchemy(cause: Exception) -> DBAPIError:
    """Wrap the error as in a unit of work: the driver's error in that of its adapter, in that of SQLAlchemy."""
    adapter_error = Exception(str(cause))
    adapter_error.__cause__ = cause
    return InterfaceError("SELECT 1", None, adapter_error)


@pytest.mark.parametrize(("failure", "code"), EXPECTED, ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value)
def test_every_database_error_has_its_code(failure: Exception, code: str) -> None:
    """This holds for reads and for units of work. The response contains no text of the database."""
    for cause in (failure, in_sqlalchemy(failure)):
        answer = format_error(GraphQLError(str(cause), original_error=cause))
        assert answer["extensions"]["code"] == code
        assert not any(
            word in str(answer) for word in ("relation", "postgresql:", "connection is closed", "released back", "another operation")
        )


@pytest.mark.parametrize("failure", LOST_CONNECTION_ERRORS, ids=lambda failed: type(failed).__name__)
def test_lost_connection_is_recognized(failure: Exception) -> None:
    """Reads can then be retried once."""
    assert is_connection_lost(failure)
    assert is_connection_lost(in_sqlalchemy(failure))


OF_OURS = asyncpg.InterfaceError("cannot perform operation: another operation is in progress")


@pytest.mark.parametrize(
    "failure", [*UNAVAILABLE, *(error for error, _ in OTHER_ERRORS), OF_OURS], ids=lambda failed: type(failed).__name__
)
def test_permanent_errors_are_not_retried(failure: Exception) -> None:
    """An operation that timed out has no time left for a retry."""
    assert not is_connection_lost(failure)
    assert not is_connection_lost(in_sqlalchemy(failure))
