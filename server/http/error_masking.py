"""Format errors for clients. Show expected errors, and mask unexpected ones with an incident id that is also in the log."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

import asyncpg
from graphql import GraphQLError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from strawberry.exceptions import StrawberryInputCoercionError

from db.engine.errors import CONVERSION_ERRORS, PoolExhaustedError, driver_error, is_connection_lost, is_retryable, is_unbindable
from domain.core.errors import BadInput, ForbiddenError, RuleViolation
from server.documents.coercion_errors import remove_cause_text, root_cause
from server.errors import ErrorCode

log = logging.getLogger("relaties")
USER_ERRORS = (ForbiddenError, BadInput, RuleViolation)
MAX_MESSAGE = 1000  # characters
NULL_INPUT = "A field of the input is null, which it cannot be. Omit the field to leave its value unchanged."
VALUE_OUT_OF_RANGE = "A value is too large to be stored. Send a smaller one."
INTERNAL_ERROR = "An internal error occurred. Report its `incident` to the operator."
DATABASE_UNREACHABLE = (ErrorCode.UNAVAILABLE, "The database cannot be reached. Try again in a moment.")
DATABASE_ERRORS: tuple[tuple[tuple[type[BaseException], ...], tuple[ErrorCode, str]], ...] = (
    ((PoolExhaustedError, PoolTimeoutError), (ErrorCode.UNAVAILABLE, "Too many operations at once. Try again in a moment.")),
    ((asyncpg.LockNotAvailableError,), (ErrorCode.UNAVAILABLE, "Another request is changing the same data. Try again in a moment.")),
    ((asyncpg.QueryCanceledError,), (ErrorCode.TIMEOUT, "A database query took too long. Request less at once.")),
    # The database is out of resources or shuts down. OSError: no route, connection refused, or no answer (a TimeoutError).
    ((asyncpg.InsufficientResourcesError, asyncpg.OperatorInterventionError, OSError), DATABASE_UNREACHABLE),
)


def database_error(error: BaseException) -> tuple[ErrorCode, str] | None:
    """Return the code and message of an expected database error; None for an internal error."""
    cause = driver_error(error)
    if is_retryable(cause):
        return ErrorCode.UNAVAILABLE, "Other requests changed the same data at the same time. Try again in a moment."
    if is_connection_lost(error):
        return DATABASE_UNREACHABLE
    return next((code_and_message for kinds, code_and_message in DATABASE_ERRORS if isinstance(cause, kinds)), None)


def error_body(code: ErrorCode, message: str, **more: object) -> dict[str, object]:
    """Return a response body with one error."""
    return {"errors": [{"message": message, "extensions": {"code": code, **more}}]}


def sort_errors(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """Sort errors by field in the document, then by row in the response, since their order in time is random."""
    return sorted(errors, key=_sort_key)


def _sort_key(error: GraphQLError) -> tuple[tuple[int, int], list[int]]:
    first = next(iter(error.locations or ()), None)
    return (first.line, first.column) if first else (0, 0), [step for step in error.path or () if isinstance(step, int)]


def format_error(error: GraphQLError) -> Mapping[str, Any]:
    """Return the error for the client. Truncate its message, because graphql-core quotes names of any length."""
    body = _format_error(error)
    message = body["message"]
    return body if len(message) <= MAX_MESSAGE else {**body, "message": f"{message[:MAX_MESSAGE]}…"}


def _format_error(error: GraphQLError) -> Mapping[str, Any]:
    original_error = error.original_error
    cause = driver_error(original_error) if original_error else None
    if isinstance(cause or error, StrawberryInputCoercionError):  # its own message is about Python types
        return _with_code(error, ErrorCode.BAD_USER_INPUT, NULL_INPUT)
    if isinstance(cause, USER_ERRORS) or (cause is None and error.extensions and "code" in error.extensions):
        return error.formatted
    if cause is None or isinstance(cause, GraphQLError):
        return _format_input_error(error)
    if original_error and is_unbindable(original_error):
        return _with_code(error, ErrorCode.BAD_USER_INPUT, VALUE_OUT_OF_RANGE)
    if code_and_message := database_error(cause):
        return _with_code(error, *code_and_message)
    return {**error.formatted, **mask(cause)}


def _format_input_error(error: GraphQLError) -> Mapping[str, Any]:
    """Format an error of graphql-core. A value of the wrong type is shown; any other cause is an internal error."""
    cause = root_cause(error)
    if cause is None or isinstance(cause, CONVERSION_ERRORS):
        return _with_code(error, ErrorCode.BAD_USER_INPUT, remove_cause_text(cause, error.message))
    return {**error.formatted, **mask(cause)}


def mask(error: BaseException) -> dict[str, object]:
    """Log the traceback, and return an error that has only the incident id."""
    incident_id = uuid4().hex
    log.error("incident %s", incident_id, exc_info=error)
    return {"message": INTERNAL_ERROR, "extensions": {"code": ErrorCode.INTERNAL_SERVER_ERROR, "incident": incident_id}}


def _with_code(error: GraphQLError, code: ErrorCode, message: str) -> Mapping[str, Any]:
    path = {"path": error.extensions["path"]} if error.extensions and "path" in error.extensions else {}
    return {**error.formatted, "message": message or error.message, "extensions": {"code": code, **path}}
