"""Bound the variables of a request and the literals of a document before anything is coerced.

Coercion blocks the event loop and takes some microseconds a value. No list of the schema takes more entries than a page has, so a longer
one is refused wherever it lies, before its entries are looked at.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import DocumentNode, ListValueNode, Visitor, visit
from graphql.error import GraphQLError

from domain.pages import LARGEST
from server.refusals import ErrorCode, RequestError, coded

MAX_LIST_ITEMS = LARGEST
MAX_OBJECT_FIELDS = 50  # no input has as many; a test compares
MANY_VALUES = 500  # coercing fewer takes about a millisecond
VALUES_PER_POINT = 10  # coercing a value takes about 3 µs; a point is about 30


def count_values(variables: Mapping[str, Any]) -> int:
    """Count the values of a request's variables, each of an object and each of a list.

    Raises `RequestError` (BAD_USER_INPUT) with the path of a list or an object that is too long.
    """
    count, level = 0, [(f"${name}", value) for name, value in variables.items()]
    while level:
        count += len(level)
        level = [below for path, value in level for below in _parts(path, value)]
    return count


def _parts(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        if len(value) > MAX_OBJECT_FIELDS:  # each unknown field would be an error that shows the whole object
            message = f"`{path[:100]}` has {len(value)} fields; an object has at most {MAX_OBJECT_FIELDS}."
            raise RequestError([coded(ErrorCode.BAD_USER_INPUT, message)])
        for name, inner in value.items():
            yield f"{path}.{name}", inner
    elif isinstance(value, list):
        if len(value) > MAX_LIST_ITEMS:
            raise RequestError([coded(ErrorCode.BAD_USER_INPUT, _message(f"`{path[:100]}`", len(value)))])
        for place, inner in enumerate(value):
            yield f"{path}.{place}", inner


class _LongLists(Visitor):
    """Find the literal lists that are too long."""

    def __init__(self) -> None:
        super().__init__()
        self.found = list[GraphQLError]()

    def enter_list_value(self, node: ListValueNode, *_: object) -> None:
        if len(node.values) > MAX_LIST_ITEMS:
            message = _message("A list", len(node.values))
            self.found.append(GraphQLError(message, node, extensions={"code": ErrorCode.BAD_USER_INPUT}))


def find_long_lists(document: DocumentNode) -> list[GraphQLError]:
    """Return an error (BAD_USER_INPUT) for each literal list that is too long, with its place in the document."""
    visit(document, lists := _LongLists())
    return lists.found


def _message(what: str, length: int) -> str:
    return f"{what} has {length} entries; a list has at most {MAX_LIST_ITEMS}. Send several requests."
