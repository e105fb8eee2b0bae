"""Coerce the variables of requests as graphql-core does, but look up their types only once for each operation.

graphql-core looks up the type of each variable by name with each request, which takes half of the time of coercion.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableValues,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value

from resolvers.execution.strictness import strict_ids


class _Variable(NamedTuple):
    """A declared variable. `coerce` takes a value that is not null. For an invalid value it returns `Undefined` or raises an error."""

    signature: GraphQLVariableSignature
    is_required: bool
    coerce: Callable[[Any], Any]


class Coercion:
    """Coerce the variables of one operation of a valid document."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._operation = operation

    @cached_property
    def _variables(self) -> list[_Variable]:
        signatures = (get_variable_signature(self._schema, node) for node in self._operation.variable_definitions or ())
        return [_build_variable(each) for each in signatures if isinstance(each, GraphQLVariableSignature)]

    def coerce(self, raw_values: Mapping[str, Any]) -> VariableValues | None:
        """Return the values with their defaults, or None if any value is invalid. graphql-core then finds the errors.

        No value is nested too deeply for graphql-core, because the JSON parser allows less depth.
        """
        try:
            with strict_ids(is_strict=self._operation.operation is not OperationType.MUTATION):
                return self._coerce(raw_values)
        except Exception:  # noqa: BLE001 graphql-core repeats the coercion and reports the error
            return None

    def _coerce(self, raw_values: Mapping[str, Any]) -> VariableValues | None:
        sources, values = dict[str, VariableValueSource](), dict[str, Any]()
        for variable in self._variables:
            name, value = variable.signature.name, raw_values.get(variable.signature.name, Undefined)
            sources[name] = VariableValueSource(variable.signature, value)
            if value is Undefined and variable.signature.default is not None:
                values[name] = coerce_default_value(variable.signature)
            elif value is not Undefined and value is not None:
                values[name] = variable.coerce(value)
                if values[name] is Undefined:
                    return None
            elif variable.is_required:
                return None
            elif value is None:
                values[name] = None
        return VariableValues(sources, values)


def _build_variable(signature: GraphQLVariableSignature) -> _Variable:
    inner: Any = get_nullable_type(signature.type)
    coerce = inner.coerce_input_value if is_leaf_type(inner) else lambda value: coerce_input_value(value, inner)
    return _Variable(signature, is_non_null_type(signature.type), coerce)
