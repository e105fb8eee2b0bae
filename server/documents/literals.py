"""Find invalid literals in a document: numbers with too many digits and strings that PostgreSQL cannot store."""

import re

from graphql import DocumentNode, GraphQLError, StringValueNode, TokenKind, Visitor, visit

from resolvers.execution.operation import MAX_VARIABLE_ERRORS
from server.errors import ErrorCode

MAX_DIGITS = 20  # of a number literal, in JSON and in a GraphQL document
NUL_ESCAPE = re.compile(r"\\u(0000|\{0+\})")  # the parser of the body rejects an unescaped NUL
NUMBER_TOKENS = (TokenKind.INT, TokenKind.FLOAT)
LONG_NUMBER = f"A number has at most {MAX_DIGITS} digits."
BAD_INPUT = {"code": ErrorCode.BAD_USER_INPUT}


def has_too_many_digits(number: str) -> bool:
    """Return whether a number literal has more than `MAX_DIGITS` digits. Digits of the exponent count, leading zeros do not.

    No 64-bit number needs more. Parsing a number with hundreds of digits takes microseconds, and a body may have thousands of them.
    """
    significant = number.lstrip("-0.")
    return len(significant) > MAX_DIGITS and len(significant) - sum(map(significant.count, ".eE+-")) > MAX_DIGITS


def find_long_numbers(ast: DocumentNode) -> list[GraphQLError]:
    """Return an error for each number literal with too many digits, before any code converts it.

    `int` rejects such literals, and `float` parses them slowly.
    """
    errors: list[GraphQLError] = []
    token = ast.loc.start_token if ast.loc else None
    while token and ast.loc and len(errors) < MAX_VARIABLE_ERRORS:
        if token.kind in NUMBER_TOKENS and has_too_many_digits(token.value or ""):
            errors.append(GraphQLError(LONG_NUMBER, source=ast.loc.source, positions=[token.start], extensions=BAD_INPUT))
        token = token.next
    return errors


class _NulTextFinder(Visitor):
    """Find strings that PostgreSQL cannot store."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[StringValueNode] = []

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\0" in node.value:
            self.nodes.append(node)


def find_nul_texts(text: str, ast: DocumentNode) -> list[GraphQLError]:
    if not NUL_ESCAPE.search(text):
        return []
    visit(ast, finder := _NulTextFinder())
    message = "A string cannot contain the character NUL."
    return [GraphQLError(message, node, extensions=BAD_INPUT) for node in finder.nodes[:MAX_VARIABLE_ERRORS]]
