"""Tell values that do not fit their type from internal errors, and word the former without Python's messages."""

from graphql import GraphQLError

from db.engine.errors import CONVERSION_ERRORS
from server.errors import ErrorCode


def rewrite_coercion_error(error: GraphQLError) -> GraphQLError | None:
    """Return the error of validation in words of ours, if a literal could not be converted; None if it is about anything else."""
    cause = root_cause(error)
    if not isinstance(cause, CONVERSION_ERRORS):
        return None
    return GraphQLError(remove_cause_text(cause, error.message), error.nodes, extensions={"code": ErrorCode.BAD_USER_INPUT})


def root_cause(error: GraphQLError) -> BaseException | None:
    """Return what graphql-core's error was raised for; None if for nothing but a value that does not fit."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def remove_cause_text(cause: BaseException | None, message: str) -> str:
    """Return graphql-core's message without Python's, which it quotes."""
    return message.replace(f", but encountered error '{cause}'; found", ", found") if cause else message
