"""What a caller is told of a failure: what was expected as it is, the unexpected behind an id that the log explains."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

import asyncpg
from graphql import GraphQLError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from strawberry.exceptions import StrawberryInputCoercionError

from db.faults import CONVERSION_ERRORS, PoolExhaustedError, driver_error, is_connection_lost, is_retryable, is_unbindable
from domain.errors import BadInput, Forbidden, RuleViolation
from server.refusals import ErrorCode

log = logging.getLogger("relaties")
OURS = (Forbidden, BadInput, RuleViolation)
MAX_MESSAGE = 1000  # characters
NULL = "A part of the input is null that cannot be. Leave it out, so that it stays as it is."
BEYOND = "A value is beyond what can be stored. Send a smaller one."
UNREACHABLE = (ErrorCode.UNAVAILABLE, "The database cannot be reached. Try again.")
KNOWN: tuple[tuple[tuple[type[BaseException], ...], tuple[ErrorCode, str]], ...] = (
    ((PoolExhaustedError, PoolTimeoutError), (ErrorCode.UNAVAILABLE, "Too many operations at once. Try again in a moment.")),
    ((asyncpg.LockNotAvailableError,), (ErrorCode.UNAVAILABLE, "Somebody else is changing this. Try again in a moment.")),
    ((asyncpg.QueryCanceledError,), (ErrorCode.TIMEOUT, "This took too long. Ask for less at once.")),
    # Of the database's: it has no room, or is asked to stop. The system's: no route, a refusal, and silence, which is a TimeoutError.
    ((asyncpg.InsufficientResourcesError, asyncpg.OperatorInterventionError, OSError), UNREACHABLE),
)


def told(failed: BaseException) -> tuple[ErrorCode, str] | None:
    """Code and message of what the database can do to anybody; None for a fault of ours."""
    cause = driver_error(failed)
    if is_retryable(cause):
        return ErrorCode.UNAVAILABLE, "Others changed the same things at once. Try again in a moment."
    if is_connection_lost(failed):
        return UNREACHABLE
    return next((said for kinds, said in KNOWN if isinstance(cause, kinds)), None)


def problem(code: ErrorCode, message: str, **more: object) -> dict[str, object]:
    """An answer that is nothing but an error."""
    return {"errors": [{"message": message, "extensions": {"code": code, **more}}]}


def in_order(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """As the document has their fields, and the answer their rows: which of them failed first is chance."""
    return sorted(errors, key=_place)


def _place(error: GraphQLError) -> tuple[tuple[int, int], list[int]]:
    first = next(iter(error.locations or ()), None)
    return (first.line, first.column) if first else (0, 0), [step for step in error.path or () if isinstance(step, int)]


def shown(error: GraphQLError) -> Mapping[str, Any]:
    """Return the error as the caller sees it, with a message of bounded length: graphql-core quotes names of any length."""
    found = _shown(error)
    message = found["message"]
    return found if len(message) <= MAX_MESSAGE else {**found, "message": f"{message[:MAX_MESSAGE]}…"}


def _shown(error: GraphQLError) -> Mapping[str, Any]:
    failed = error.original_error
    cause = driver_error(failed) if failed else None
    if isinstance(cause or error, StrawberryInputCoercionError):  # its own words are of Python
        return _coded(error, ErrorCode.BAD_USER_INPUT, NULL)
    if isinstance(cause, OURS) or (cause is None and error.extensions and "code" in error.extensions):
        return error.formatted
    if cause is None or isinstance(cause, GraphQLError):
        return _of_input(error)
    if failed and is_unbindable(failed):
        return _coded(error, ErrorCode.BAD_USER_INPUT, BEYOND)
    if said := told(cause):
        return _coded(error, *said)
    return {**error.formatted, **masked(cause)}


def _of_input(error: GraphQLError) -> Mapping[str, Any]:
    """Show graphql-core's own error: a variable or an argument that is not of its type. What else failed within is a fault of ours."""
    cause = innermost(error)
    if cause is None or isinstance(cause, CONVERSION_ERRORS):
        return _coded(error, ErrorCode.BAD_USER_INPUT, _without(cause, error.message))
    return {**error.formatted, **masked(cause)}


def coercion_error(error: GraphQLError) -> GraphQLError | None:
    """Return the error of validation in words of ours, if a literal could not be converted; None if it is about anything else."""
    cause = innermost(error)
    if not isinstance(cause, CONVERSION_ERRORS):
        return None
    return GraphQLError(_without(cause, error.message), error.nodes, extensions={"code": ErrorCode.BAD_USER_INPUT})


def innermost(error: GraphQLError) -> BaseException | None:
    """Return what graphql-core's error was raised for; None if for nothing but a value that does not fit."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _without(cause: BaseException | None, message: str) -> str:
    """Return graphql-core's message without what Python said, which it quotes."""
    return message.replace(f", but encountered error '{cause}'; found", ", found") if cause else message


def masked(failed: BaseException) -> dict[str, object]:
    """The incident's id for the caller; the trace for the log."""
    incident = uuid4().hex
    log.error("incident %s", incident, exc_info=failed)
    return {"message": "Something went wrong.", "extensions": {"code": ErrorCode.INTERNAL_SERVER_ERROR, "incident": incident}}


def _coded(error: GraphQLError, code: ErrorCode, message: str) -> Mapping[str, Any]:
    return {**error.formatted, "message": message or error.message, "extensions": {"code": code}}
