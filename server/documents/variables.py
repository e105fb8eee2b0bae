"""Limit the size of variables and of literals in documents before they are coerced.

Coercion blocks the event loop for some microseconds per value. No list of the schema accepts more entries than a page has, so any longer
list is rejected before its entries are checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ListValueNode, Visitor, visit
from graphql.error import GraphQLError

from domain.core.pagination import MAX_PAGE_SIZE
from server.errors import ErrorCode, GraphQLRequestError

MAX_LIST_ITEMS = MAX_PAGE_SIZE
MAX_OBJECT_FIELDS = 50  # more than any input type has; a test checks this
MAX_NAME = 100  # characters of a field's name
LONG_TEXT = 200  # characters: suggestions for longer strings are useless, and their time grows with the square of the length
MANY_VALUES = 500  # coercing fewer takes about a millisecond
CONTAINERS = {dict, list}  # types of JSON values that contain others
VALUES_PER_POINT = 10  # coercing a value takes about 3 µs; a point is about 30


@dataclass
class VariablesSize:
    """Size of the variables of a request. `is_beyond_suggestions` is true if a string or a name is unfit for suggestions.

    graphql-core compares lower-case strings. The time grows with the square of the length, and the comparison fails if the lower-case
    string is longer than the original, as that of `İ` is.
    """

    values: int = 0
    is_beyond_suggestions: bool = False


def measure_variables(variables: Mapping[str, Any]) -> VariablesSize:
    """Count the values in the variables of a request, including those in objects and lists.

    Raises `GraphQLRequestError` (BAD_USER_INPUT) with the path of a list, an object or a name that is too long.
    """
    size, level = VariablesSize(), [(f"${name[:MAX_NAME]}", value) for name, value in variables.items()]
    while level:
        size.values += len(level)
        size.is_beyond_suggestions = size.is_beyond_suggestions or not all(map(_is_plain, level))
        level = [below for path, value in level if value.__class__ in CONTAINERS for below in _children(path, value)]
    return size


def _is_plain(entry: tuple[str, object]) -> bool:
    path, value = entry
    return path.isascii() and not (isinstance(value, str) and (len(value) > LONG_TEXT or not value.isascii()))


def _children(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        if len(value) > MAX_OBJECT_FIELDS:  # graphql-core reports each unknown field in an error that shows the whole object
            raise _input_error(path, f"`{path}` has {len(value)} fields; an object has at most {MAX_OBJECT_FIELDS}.")
        for name, inner in value.items():
            if len(name) > MAX_NAME:
                raise _input_error(path, f"`{path}` has a field with a name of {len(name)} characters. No field has a name that long.")
            yield f"{path}.{name}", inner
    elif isinstance(value, list):
        if len(value) > MAX_LIST_ITEMS:
            raise _input_error(path, _too_long_message(f"`{path}`", len(value)))
        for index, inner in enumerate(value):
            yield f"{path}.{index}", inner


def _input_error(path: str, message: str) -> GraphQLRequestError:
    extensions = {"code": ErrorCode.BAD_USER_INPUT, "path": path.removeprefix("$").split(".")}
    return GraphQLRequestError([GraphQLError(message, extensions=extensions)])


class _LongListFinder(Visitor):
    """Find list literals that are too long."""

    def __init__(self) -> None:
        super().__init__()
        self.errors = list[GraphQLError]()

    def enter_list_value(self, node: ListValueNode, *_: object) -> None:
        if len(node.values) > MAX_LIST_ITEMS:
            message = _too_long_message("A list", len(node.values))
            self.errors.append(GraphQLError(message, node, extensions={"code": ErrorCode.BAD_USER_INPUT}))


def find_long_lists(document: DocumentNode) -> list[GraphQLError]:
    """Return an error (BAD_USER_INPUT) with the position of each list literal that is too long."""
    visit(document, finder := _LongListFinder())
    return finder.errors


def _too_long_message(label: str, length: int) -> str:
    return f"{label} has {length} entries; a list has at most {MAX_LIST_ITEMS}. Send several requests."
