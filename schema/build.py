"""Build the schema."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLDirective,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from graphql.utilities.print_schema import print_schema_definition
from pydantic import BaseModel
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

from resolvers import inputs
from resolvers.limits import limit_hint
from resolvers.mutations import IDEMPOTENT
from schema.core.row_type import DESCRIBED_BY
from schema.core.scalars import SCALARS
from schema.description import SCHEMA_DESCRIPTION
from schema.mutation import Mutation
from schema.query import Query
from schema.user_errors import USER_ERROR_TYPES


class _Schema(strawberry.Schema):
    def _collect_graphql_directives(self, schema_directive_types: Iterable[type]) -> tuple[GraphQLDirective, ...]:
        """Add `@idempotent` as a directive of graphql-core. With any `strawberry.directive`, Strawberry runs all fields asynchronously."""
        return (*super()._collect_graphql_directives(schema_directive_types), IDEMPOTENT)

    def as_str(self) -> str:
        """Print the schema with its description, which Strawberry does not print."""
        return f"{print_schema_definition(self._schema)}\n\n{super().as_str()}"


camel_case = cache(to_camel_case)


class _CachedNameConverter(NameConverter):
    """Cache the converted names, because Strawberry converts the names of arguments and input fields again for each request."""

    def apply_naming_config(self, name: str) -> str:
        return camel_case(name)


def build() -> strawberry.Schema:
    """Build the schema. Call this only once per process, because it changes the input classes."""
    for input_type, fields in inputs.INPUT_TYPES:
        _describe_input(input_type, fields)
    schema = _Schema(
        Query,
        Mutation,
        types=USER_ERROR_TYPES,
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=_CachedNameConverter()),
    )
    core_schema = schema._schema  # noqa: SLF001 Strawberry has no public access to the graphql-core schema
    _mark_one_of_inputs(core_schema)
    _remove_null_defaults(core_schema)
    core_schema.description = SCHEMA_DESCRIPTION
    return schema


def _mark_one_of_inputs(schema: GraphQLSchema) -> None:
    """Let graphql-core check `@oneOf`, which reports violations with their position, in literals before anything runs.

    Strawberry checks it only in a conversion whose errors have neither a position nor a path.
    """
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            kind.is_one_of = (kind.extensions or {})["strawberry-definition"].is_one_of


def _remove_null_defaults(schema: GraphQLSchema) -> None:
    """Remove the defaults that are null, which Strawberry takes from Python's `None`.

    `= null` says nothing: an optional value that is omitted reaches the resolver as Python's default, which is `None` as well.
    """
    for value in _input_values(schema):
        if value.default_value is None:
            value.default_value = Undefined


def _input_values(schema: GraphQLSchema) -> Iterator[GraphQLArgument | GraphQLInputField]:
    """Yield each argument of a field and each field of an input."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            yield from kind.fields.values()
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field in kind.fields.values():
                yield from field.args.values()


def _describe_input(input_type: Any, fields: type[BaseModel]) -> None:  # noqa: ANN401 a class with attributes of Strawberry
    """Copy the missing descriptions of input fields from the output type with the same field set. Add the limits of texts and numbers."""
    described_by: Any = DESCRIBED_BY[fields]
    descriptions = {field.python_name: field.description for field in described_by.__strawberry_definition__.fields}
    for field in input_type.__strawberry_definition__.fields:
        name = field.python_name
        field.description = field.description or descriptions[name] + limit_hint(fields, name)
