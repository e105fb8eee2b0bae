"""Calls: what a field is called with. Arguments without a variable are converted once for a document, the others for each request."""

from collections.abc import Container, Mapping
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLField, VariableValues
from graphql import language as ast
from graphql.execution.values import get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField


class Call:
    """Of one field in one place of a document, as its resolver or its loader takes it; past what Strawberry does each time anew."""

    def __init__(self, schema: strawberry.Schema, definition: GraphQLField, node: FieldNode, declared: Any) -> None:  # noqa: ANN401
        varying = {each.name.value for each in node.arguments or () if _has_variable(each.value)}
        self._fixed = _Arguments(schema, definition, node, declared, definition.args.keys() - varying)
        self._varying = _Arguments(schema, definition, node, declared, varying) if varying else None
        self._known: Mapping[str, Any] | None = None
        self._declared = declared
        self._info = schema.config.info_class
        self._resolver = declared.base_resolver

    def arguments(self, variables: VariableValues) -> Mapping[str, Any]:
        """As Python takes them; shared by all requests where nothing varies."""
        if self._known is None:
            self._known = self._fixed.of(variables)
        return {**self._known, **self._varying.of(variables)} if self._varying else self._known

    def of(self, row: object, info: Any, variables: VariableValues) -> Any:  # noqa: ANN401 whatever the resolver is told and gives
        """What the resolver gives for a row."""
        given = {**self.arguments(variables)}
        if parent := self._resolver.parent_parameter:
            given[parent.name] = row
        if asks := self._resolver.info_parameter:
            given[asks.name] = self._info(_raw_info=info, _field=self._declared)
        return self._resolver(**given)


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
