"""Leaves: the expression that shows a value as it is where its class says that it needs no conversion, and the exact way beside it."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
)

from resolvers.executor.plans import Get, UnusualError

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
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
