"""Calls: what a field is called with. Arguments without a variable are converted once for a document, the others for each request."""

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

Convert: TypeAlias = Callable[[Any], Any]


class Call:
    """Call one field of a document: convert its arguments for its resolver or its relation's `convert`, without Strawberry's overhead."""

    def __init__(self, schema: strawberry.Schema, definition: GraphQLField, node: FieldNode, declared: Any) -> None:  # noqa: ANN401
        given = {each.name.value: each.value for each in node.arguments or ()}
        self._direct = [
            found for name, value in given.items() if (found := _find_direct(schema, definition.args[name], declared, name, value))
        ]
        rest = definition.args.keys() - {each.shown for each in self._direct}
        varying = {name for name, value in given.items() if name in rest and _has_variable(value)}
        self._fixed = _Arguments(schema, definition, node, declared, rest - varying)
        self._varying = _Arguments(schema, definition, node, declared, varying) if varying else None
        self._known: Mapping[str, Any] | None = None
        self._declared = declared
        self._info = schema.config.info_class
        self._resolver = declared.base_resolver

    def arguments(self, variables: VariableValues) -> Mapping[str, Any]:
        """As Python takes them; shared by all requests where nothing varies."""
        if self._known is None:
            self._known = self._fixed.of(variables)
        if not self._direct and not self._varying:
            return self._known
        found = {**self._known}
        for each in self._direct:
            value = variables.coerced.get(each.variable, each.default)
            if each.is_required and (value is None or value is Undefined):
                raise LookupError(each.variable)  # graphql-core has the error
            if value is not Undefined:
                found[each.name] = each.convert(value)
        if self._varying:
            found |= self._varying.of(variables)
        return found

    def of(self, row: object, info: Any, variables: VariableValues) -> Any:  # noqa: ANN401 whatever the resolver is told and gives
        """What the resolver gives for a row."""
        given = {**self.arguments(variables)}
        if parent := self._resolver.parent_parameter:
            given[parent.name] = row
        if asks := self._resolver.info_parameter:
            given[asks.name] = self._info(_raw_info=info, _field=self._declared)
        return self._resolver(**given)


class _Direct(NamedTuple):
    """An argument that is a variable: graphql-core has coerced its value, so that it is only converted to what Python takes."""

    shown: str
    name: str  # of the parameter
    variable: str
    default: Any
    is_required: bool
    convert: Convert


def _find_direct(schema: strawberry.Schema, argument: GraphQLArgument, declared: Any, shown: str, value: ast.ValueNode) -> _Direct | None:  # noqa: ANN401
    """None for what graphql-core and Strawberry have to look at: another value, a default, an input that makes itself."""
    default = argument.default_value  # Strawberry's way to say that null is one
    if not isinstance(value, ast.VariableNode) or argument.default is not None or not (default is None or default is Undefined):
        return None
    if (convert := _converter(argument.type, schema)) is None:
        return None
    named = schema.config.name_converter.from_argument
    (name,) = (each.python_name for each in declared.arguments if named(each) == shown)
    return _Direct(shown, name, value.name.value, default, isinstance(argument.type, GraphQLNonNull), convert)


def _converter(of: GraphQLInputType, schema: strawberry.Schema) -> Convert | None:
    """Return what Strawberry does with a value of the type; None where that depends on more than the type."""
    if isinstance(of, GraphQLNonNull):
        return _converter(of.of_type, schema)
    if isinstance(of, GraphQLList):
        each = _converter(of.of_type, schema)
        return each and (lambda values: None if values is None else [*map(each, values)])
    return _object_converter(of, schema) if isinstance(of, GraphQLInputObjectType) else _same


def _same(value: object) -> object:
    return value


def _object_converter(of: GraphQLInputObjectType, schema: strawberry.Schema) -> Convert | None:
    declared: StrawberryObjectDefinition = of.extensions["strawberry-definition"]
    kinds = [field.resolve_type(type_definition=declared) for field in declared.fields]
    named = schema.config.name_converter.from_field
    fields = [(name := named(field), field.python_name, _converter(of.fields[name].type, schema)) for field in declared.fields]
    if declared.from_input or any(isinstance(kind, StrawberryMaybe) for kind in kinds) or any(convert is None for *_, convert in fields):
        return None
    without = {field.python_name: None for field in declared.fields if field.default_value is MISSING and field.default_factory is MISSING}

    def convert_object(values: Mapping[str, Any] | None) -> object:
        if values is None:
            return None
        given = {**without}
        for shown, name, convert in fields:
            if shown in values and convert:
                given[name] = convert(values[shown])
        return declared.origin(**given)

    return convert_object


class _Arguments:
    """Some of a field's: by graphql-core from the document, then by Strawberry to what Python takes."""

    def __init__(
        self, schema: strawberry.Schema, definition: GraphQLField, node: FieldNode, declared: StrawberryField, names: Container[str]
    ) -> None:
        named = schema.config.name_converter.from_argument
        self._definition = GraphQLField(definition.type, {name: each for name, each in definition.args.items() if name in names})
        self._node = FieldNode(name=node.name, arguments=tuple(each for each in node.arguments or () if each.name.value in names))
        self._declared = [each for each in declared.arguments if named(each) in names]
        self._scalars, self._config = schema.schema_converter.scalar_registry, schema.config

    def of(self, variables: VariableValues) -> dict[str, Any]:
        raw = get_argument_values(self._definition, self._node, variables, None)
        return convert_arguments(raw, self._declared, self._scalars, self._config)


def _has_variable(value: ast.ValueNode) -> bool:
    if isinstance(value, ast.ListValueNode):
        return any(map(_has_variable, value.values))
    if isinstance(value, ast.ObjectValueNode):
        return any(_has_variable(field.value) for field in value.fields)
    return isinstance(value, ast.VariableNode)
