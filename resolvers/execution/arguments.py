"""Convert the arguments of fields: those without a variable once per document, the others for each request."""

from collections.abc import Callable, Container, Mapping
from dataclasses import MISSING
from typing import Any, NamedTuple, TypeAlias

import strawberry
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    VariableValues,
)
from graphql import language as ast
from graphql.execution.values import get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryMaybe, StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

Converter: TypeAlias = Callable[[Any], Any]


class FieldCall:
    """One field of a document. It converts its arguments as Strawberry does, but computes once what is the same for all requests."""

    def __init__(self, schema: strawberry.Schema, definition: GraphQLField, node: FieldNode, strawberry_field: Any) -> None:  # noqa: ANN401
        value_nodes = {argument_node.name.value: argument_node.value for argument_node in node.arguments or ()}
        self._direct_variables = [
            direct
            for name, value in value_nodes.items()
            if (direct := _find_direct(schema, definition.args[name], strawberry_field, name, value))
        ]
        other_names = definition.args.keys() - {argument_node.graphql_name for argument_node in self._direct_variables}
        varying_names = {name for name, value in value_nodes.items() if name in other_names and _has_variable(value)}
        self._fixed_arguments = _Arguments(schema, definition, node, strawberry_field, other_names - varying_names)
        self._varying_arguments = _Arguments(schema, definition, node, strawberry_field, varying_names) if varying_names else None
        self._fixed_values: Mapping[str, Any] | None = None
        self.strawberry_field = strawberry_field
        self._info = schema.config.info_class
        self._resolver = strawberry_field.base_resolver

    def arguments(self, variables: VariableValues) -> Mapping[str, Any]:
        """Return the arguments as Python values. If none contains a variable, all requests get the same mapping: do not modify it."""
        if self._fixed_values is None:
            self._fixed_values = self._fixed_arguments.convert(variables)
        if not self._direct_variables and not self._varying_arguments:
            return self._fixed_values
        values = {**self._fixed_values}
        for direct in self._direct_variables:
            value = variables.coerced.get(direct.variable, Undefined)
            if direct.is_required and (value is None or value is Undefined):
                raise LookupError(direct.variable)  # graphql-core reports the error
            if value is not Undefined:
                values[direct.python_name] = direct.convert(value)
        if self._varying_arguments:
            values |= self._varying_arguments.convert(variables)
        return values

    def resolve(self, row: object, info: Any, variables: VariableValues) -> Any:  # noqa: ANN401 any row and value
        """Call the resolver for a row."""
        arguments = {**self.arguments(variables)}
        if parent_parameter := self._resolver.parent_parameter:
            arguments[parent_parameter.name] = row
        if info_parameter := self._resolver.info_parameter:
            arguments[info_parameter.name] = self._info(_raw_info=info, _field=self.strawberry_field)
        return self._resolver(**arguments)


class _DirectVariable(NamedTuple):
    """An argument that is a variable. graphql-core has coerced its value already, so only the conversion to Python remains."""

    graphql_name: str
    python_name: str
    variable: str
    is_required: bool
    convert: Converter


def _find_direct(
    schema: strawberry.Schema,
    argument: GraphQLArgument,
    strawberry_field: Any,  # noqa: ANN401
    graphql_name: str,
    value: ast.ValueNode,
) -> _DirectVariable | None:
    """Return the argument if its value is a variable that `_make_converter` can convert. Otherwise, return None.

    graphql-core and Strawberry then convert it: a literal, an argument with a default, or a type without a converter.
    """
    if not isinstance(value, ast.VariableNode) or argument.default is not None or argument.default_value is not Undefined:
        return None
    if (convert := _make_converter(argument.type, schema)) is None:
        return None
    graphql_name_of = schema.config.name_converter.from_argument
    (python_name,) = (each.python_name for each in strawberry_field.arguments if graphql_name_of(each) == graphql_name)
    return _DirectVariable(graphql_name, python_name, value.name.value, isinstance(argument.type, GraphQLNonNull), convert)


def _make_converter(input_type: GraphQLInputType, schema: strawberry.Schema) -> Converter | None:
    """Return a function that converts a coerced value of the type as Strawberry does. Return None if only Strawberry can convert it."""
    if isinstance(input_type, GraphQLNonNull):
        return _make_converter(input_type.of_type, schema)
    if isinstance(input_type, GraphQLList):
        convert_entry = _make_converter(input_type.of_type, schema)
        return convert_entry and (lambda values: None if values is None else [*map(convert_entry, values)])
    return _make_object_converter(input_type, schema) if isinstance(input_type, GraphQLInputObjectType) else _identity


def _identity(value: object) -> object:
    return value


def _make_object_converter(input_type: GraphQLInputObjectType, schema: strawberry.Schema) -> Converter | None:
    """Return the converter of an input object. A class with its own `from_input`, or with a `Maybe` field, has none."""
    definition: StrawberryObjectDefinition = input_type.extensions["strawberry-definition"]
    field_types = [field.resolve_type(type_definition=definition) for field in definition.fields]
    graphql_name_of = schema.config.name_converter.from_field
    fields = [
        (name := graphql_name_of(field), field.python_name, _make_converter(input_type.fields[name].type, schema))
        for field in definition.fields
    ]
    if (
        definition.from_input
        or any(isinstance(field_type, StrawberryMaybe) for field_type in field_types)
        or any(convert is None for *_, convert in fields)
    ):
        return None
    defaults = {
        field.python_name: None for field in definition.fields if field.default_value is MISSING and field.default_factory is MISSING
    }

    def convert_object(values: Mapping[str, Any] | None) -> object:
        if values is None:
            return None
        arguments = {**defaults}
        for graphql_name, python_name, convert in fields:
            if graphql_name in values and convert:
                arguments[python_name] = convert(values[graphql_name])
        return definition.origin(**arguments)

    return convert_object


class _Arguments:
    """A subset of the arguments of a field. graphql-core coerces their values, and then Strawberry converts those to Python."""

    def __init__(
        self, schema: strawberry.Schema, definition: GraphQLField, node: FieldNode, strawberry_field: StrawberryField, names: Container[str]
    ) -> None:
        graphql_name_of = schema.config.name_converter.from_argument
        self._definition = GraphQLField(definition.type, {name: each for name, each in definition.args.items() if name in names})
        self._node = FieldNode(name=node.name, arguments=tuple(each for each in node.arguments or () if each.name.value in names))
        self._strawberry_arguments = [each for each in strawberry_field.arguments if graphql_name_of(each) in names]
        self._scalars, self._config = schema.schema_converter.scalar_registry, schema.config

    def convert(self, variables: VariableValues) -> dict[str, Any]:
        graphql_values = get_argument_values(self._definition, self._node, variables, None)
        return convert_arguments(graphql_values, self._strawberry_arguments, self._scalars, self._config)


def _has_variable(value: ast.ValueNode) -> bool:
    if isinstance(value, ast.ListValueNode):
        return any(map(_has_variable, value.values))
    if isinstance(value, ast.ObjectValueNode):
        return any(_has_variable(field.value) for field in value.fields)
    return isinstance(value, ast.VariableNode)
