"""Coerce the variables of requests as graphql-core does, and keep what is the same for all requests of an operation.

With each request graphql-core looks up the type of every variable by the names in the document, which is half of the work.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from graphql import GraphQLSchema, OperationDefinitionNode, Undefined, VariableValues, get_nullable_type, is_leaf_type, is_non_null_type
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value


class _Variable(NamedTuple):
    """A declared variable; `coerce` takes a value that is not null, and gives `Undefined` or an exception for a wrong one."""

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
        """Return the values with the defaults; None if anything is wrong, for graphql-core to say what.

        Values that are nested too deeply for graphql-core do not come this far: JSON is read to a smaller depth.
        """
        sources, values = dict[str, VariableValueSource](), dict[str, Any]()
        try:
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
        except Exception:  # noqa: BLE001 graphql-core meets it again, and gives the exact error
            return None
        return VariableValues(sources, values)


def _build_variable(signature: GraphQLVariableSignature) -> _Variable:
    inner: Any = get_nullable_type(signature.type)
    coerce = inner.coerce_input_value if is_leaf_type(inner) else lambda value: coerce_input_value(value, inner)
    return _Variable(signature, is_non_null_type(signature.type), coerce)
