"""Distinguish values of the wrong type from internal errors, and remove Python's messages from their errors."""

from graphql import GraphQLError

from db.engine.errors import CONVERSION_ERRORS
from server.errors import ErrorCode


def rewrite_coercion_error(error: GraphQLError) -> GraphQLError | None:
    """Return a BAD_USER_INPUT error if the validation error is about a literal that cannot be converted, otherwise None."""
    cause = root_cause(error)
    if not isinstance(cause, CONVERSION_ERRORS):
        return None
    return GraphQLError(
        remove_cause_text(cause, error.message), error.nodes, extensions={**(error.extensions or {}), "code": ErrorCode.BAD_USER_INPUT}
    )


def root_cause(error: GraphQLError) -> BaseException | None:
    """Return the exception behind an error of graphql-core, or None if the only reason is a value of the wrong type."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def remove_cause_text(cause: BaseException | None, message: str) -> str:
    """Return graphql-core's message without the quoted message of the Python exception."""
    return message.replace(f", but encountered error '{cause}'; found", ", found") if cause else message
