"""Serialize leaves: values of the expected class stay unchanged, and graphql-core's serializer converts all others."""

from typing import Any, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLString,
    get_named_type,
)

from resolvers.execution.plan import FallbackError, Getter

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
TEXT_SCALARS = {"ID", "Decimal", "CurrencyCode"}  # custom scalars that replace a built-in one, or whose text the database creates


def make_serializer(output_type: GraphQLOutputType) -> Getter:
    """Return graphql-core's serializer of the type.

    The serializer raises `FallbackError` for null in a non-null place, for an exception and for an awaitable.
    """
    if isinstance(get_named_type(output_type), GraphQLEnumType):
        return EnumNames(output_type).__getitem__
    return _make_coercion(output_type)


def _make_coercion(output_type: GraphQLOutputType) -> Getter:
    is_required, leaf_type = isinstance(output_type, GraphQLNonNull), cast("GraphQLLeafType", get_named_type(output_type))
    coerce: Getter = leaf_type.coerce_output_value

    def serialize(value: Any) -> Any:  # noqa: ANN401 any leaf
        if value is None and not is_required:
            return None
        result = None if value is None or isinstance(value, Exception) or hasattr(value, "__await__") else coerce(value)
        if result is None:
            raise FallbackError("null leaf")
        return result

    return serialize


class EnumNames(dict[Any, Any]):
    """Map the values of an enum to their names. Each name is looked up once."""

    def __init__(self, output_type: GraphQLOutputType) -> None:
        self._coerce = _make_coercion(output_type)

    def __missing__(self, value: Any) -> Any:  # noqa: ANN401 any leaf
        self[value] = name = self._coerce(value)
        return name


def build_expression(output_type: GraphQLOutputType, value: str, serializer: str) -> str:
    """Return the expression of a leaf. `value` is the expression of its value, `serializer` the name of its serializer."""
    leaf_type, fallback = get_named_type(output_type), f" else {serializer}(v)"
    null_check = "" if isinstance(output_type, GraphQLNonNull) else " or v is None"
    if leaf_type in {GraphQLString, GraphQLID} or leaf_type.name in TEXT_SCALARS:
        return f"v if (v:={value}).__class__ is str{null_check}{fallback}"
    if leaf_type is GraphQLBoolean:
        return f"v if (v:={value}) is True or v is False{null_check}{fallback}"
    if leaf_type is GraphQLInt:
        return f"v if (v:={value}).__class__ is int and {INT_MIN}<=v<={INT_MAX}{null_check}{fallback}"
    return f"{serializer}({value})" if isinstance(output_type, GraphQLNonNull) else f"None if (v:={value}) is None else {serializer}(v)"
