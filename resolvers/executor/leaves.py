"""Leaves: the expression that shows a value as it is where its class says that it needs no conversion, and the exact way beside it."""

from collections.abc import Callable, Iterable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
    get_named_type,
)

from db.tables import text_lengths
from resolvers.executor.plans import Get, UnusualError

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
BYTES_PER_CHARACTER = 4  # in UTF-8; what JSON escapes takes two bytes for one
MOST_CHARACTERS = 10_000  # of a text that is of no column, or of one without a limit
MOST_SCALAR_BYTES = 100  # of a number, a date, an id, a word of an enum
MOST_SCALARS = 100  # in a list
CURSORS = dict.fromkeys(("cursor", "start_cursor", "end_cursor"), 1_000)  # characters: a signed sort value of at most a name
SHOWN_AS_TEXT = {"ID", "Decimal", "CurrencyCode"}  # scalars of ours by the name of the built-in, or whose text is made where the row is


def exact(of: GraphQLOutputType) -> Get:
    """As graphql-core has it. Null where a value is due, an exception and an awaitable end the compiled run."""
    if isinstance(_bare(of), GraphQLEnumType):
        return Words(of).__getitem__
    return _coercion(of)


def _coercion(of: GraphQLOutputType) -> Get:
    is_required = isinstance(of, GraphQLNonNull)
    coerce: Callable[[Any], Any] = _bare(of).coerce_output_value

    def shown(value: Any) -> Any:  # noqa: ANN401 any leaf
        if value is None and not is_required:
            return None
        found = None if value is None or isinstance(value, Exception) or hasattr(value, "__await__") else coerce(value)
        if found is None:
            raise UnusualError("null leaf")
        return found

    return shown


class Words(dict[Any, Any]):
    """The names of the values of an enum, each of which is looked up exactly once."""

    def __init__(self, of: GraphQLOutputType) -> None:
        self._coerce = _coercion(of)

    def __missing__(self, value: Any) -> Any:  # noqa: ANN401 any leaf
        self[value] = found = self._coerce(value)
        return found


def expression(of: GraphQLOutputType, value: str, exactly: str) -> str:
    """Python's text for a leaf: `value` is the expression of what is to be shown, `exactly` the name of what shows all else."""
    bare, otherwise = _bare(of), f" else {exactly}(v)"
    null = "" if isinstance(of, GraphQLNonNull) else " or v is None"
    if bare in {GraphQLString, GraphQLID} or bare.name in SHOWN_AS_TEXT:
        return f"v if (v:={value}).__class__ is str{null}{otherwise}"
    if bare is GraphQLBoolean:
        return f"v if (v:={value}) is True or v is False{null}{otherwise}"
    if bare is GraphQLInt:
        return f"v if (v:={value}).__class__ is int and {INT_MIN}<=v<={INT_MAX}{null}{otherwise}"
    return f"{exactly}({value})" if isinstance(of, GraphQLNonNull) else f"None if (v:={value}) is None else {exactly}(v)"


def _bare(of: GraphQLOutputType) -> GraphQLScalarType | GraphQLEnumType:
    bare = of.of_type if isinstance(of, GraphQLNonNull) else of
    if not isinstance(bare, GraphQLScalarType | GraphQLEnumType):
        raise TypeError(bare)
    return bare


def most_bytes(of: GraphQLOutputType, names: Iterable[str]) -> int:
    """Return the bytes that the value of a field takes at most as JSON; `names` are the attributes that it is made of.

    A text is as long as the columns of those names together. Where an attribute is no column it is as long as the longest text.
    """
    is_list = isinstance(of.of_type if isinstance(of, GraphQLNonNull) else of, GraphQLList)
    if get_named_type(of) is GraphQLString:
        each = BYTES_PER_CHARACTER * sum(CURSORS.get(name) or text_lengths().get(name, MOST_CHARACTERS) for name in names)
    else:
        each = MOST_SCALAR_BYTES
    return each * MOST_SCALARS if is_list else each
