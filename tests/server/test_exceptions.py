"""What the database can do to anybody has a code of its own: never that of a fault of ours, and never the driver's words."""

import asyncpg
import pytest
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from db.engine.errors import PoolExhaustedError, is_connection_lost
from server.http.error_masking import format_error

SECRET = "relation client of postgresql://relaties_server:word@db"
LOST = [
    asyncpg.InterfaceError("cannot perform operation: connection is closed"),
    asyncpg.InterfaceError("cannot call Connection.fetch(): connection has been released back to the pool"),
    asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),  # 08003
    asyncpg.ConnectionFailureError(SECRET),  # 08006
    asyncpg.ProtocolViolationError(SECRET),  # 08P01, as pgbouncer says that its server is gone
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
    TimeoutError(),  # of a statement that nobody answered, or a connection that could not be made in time
    PoolExhaustedError(),
    PoolTimeoutError(SECRET),
    asyncpg.LockNotAvailableError(SECRET),  # 55P03
    asyncpg.TooManyConnectionsError(SECRET),  # 53300
    asyncpg.DiskFullError(SECRET),  # 53100
    asyncpg.OutOfMemoryError(SECRET),  # 53200
    asyncpg.DeadlockDetectedError(SECRET),  # 40P01
    asyncpg.SerializationError(SECRET),  # 40001
    asyncpg.UniqueViolationError(SECRET),  # 23505, after all tries
]
OTHERS = [(asyncpg.QueryCanceledError(SECRET), "TIMEOUT"), (ZeroDivisionError(SECRET), "INTERNAL_SERVER_ERROR")]
EXPECTED = [*((failed, "UNAVAILABLE") for failed in (*LOST, *UNAVAILABLE)), *OTHERS]


def in_sqlalchemy(failed: Exception) -> DBAPIError:
    """As a unit of work meets it: within the driver's adapter's within SQLAlchemy's own."""
    adapted = Exception(str(failed))
    adapted.__cause__ = failed
    return InterfaceError("SELECT 1", None, adapted)


@pytest.mark.parametrize(("failed", "code"), EXPECTED, ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value)
def test_every_failure_of_the_database_has_its_code(failed: Exception, code: str) -> None:
    """Of a reader and of a unit of work, with nothing in it that the database said."""
    for cause in (failed, in_sqlalchemy(failed)):
        answer = format_error(GraphQLError(str(cause), original_error=cause))
        assert answer["extensions"]["code"] == code
        assert not any(
            word in str(answer) for word in ("relation", "postgresql:", "connection is closed", "released back", "another operation")
        )


@pytest.mark.parametrize("failed", LOST, ids=lambda failed: type(failed).__name__)
def test_a_connection_that_went_away_is_known(failed: Exception) -> None:
    """What only reads may then be asked once more."""
    assert is_connection_lost(failed)
    assert is_connection_lost(in_sqlalchemy(failed))


OF_OURS = asyncpg.InterfaceError("cannot perform operation: another operation is in progress")


@pytest.mark.parametrize("failed", [*UNAVAILABLE, *(failed for failed, _ in OTHERS), OF_OURS], ids=lambda failed: type(failed).__name__)
def test_what_would_fail_again_is_not_asked_again(failed: Exception) -> None:
    """Nor what took so long that no time is left."""
    assert not is_connection_lost(failed)
    assert not is_connection_lost(in_sqlalchemy(failed))
