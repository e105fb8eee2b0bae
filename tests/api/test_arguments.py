"""Test that variables and arguments are coerced exactly as graphql-core and Strawberry do it, whatever is sent."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableValues,
    Visitor,
    parse,
    visit,
)
from graphql.execution.values import get_argument_values, get_variable_values
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.types.arguments import convert_arguments

from resolvers.execution.arguments import FieldCall
from resolvers.execution.operation import MAX_VARIABLE_ERRORS, PreparedOperation
from resolvers.execution.strictness import strict_ids
from tests.support.random_documents import Document, documents

ID, CURSOR = "cli_AAAAAAAAAAAAAAAAAAAAAA", "a cursor"
WITH_DEFAULTS = """query ($first: Int = 2, $period: PeriodInput = {since: "2026-01-01"}, $status: ClientStatus = ACTIVE, $id: ID!) {
  clients(first: $first, filter: {status: $status}) { nodes { revenue(period: $period) { since } } }
  project(id: $id) { name }
}"""
WITHIN_LITERALS = """query ($status: ClientStatus, $id: ID!, $ids: [ID!], $first: Int = 5, $lookup: ClientLookupInput!) {
  clients(first: $first, filter: {status: $status, labels: {any: $ids, all: [$id]}}) {
    nodes { revenue(period: {since: "2026-01-01"}) { since } }
  }
  nodes(ids: [$id]) { id }
  client(by: $lookup) { name }
}"""
SENT_WITHIN: list[Mapping[str, object]] = [
    {"id": ID, "lookup": {"number": "12"}},
    {"id": ID, "lookup": {"id": ID}, "status": "ALL", "ids": [ID, ID], "first": None},
    {"id": ID, "lookup": {"id": ID}, "status": None, "ids": None},
    {"id": ID, "lookup": {"id": ID, "number": "12"}},
]
VARIABLE_SETS: list[Mapping[str, object]] = [
    {"id": ID},
    {"id": ID, "first": None, "period": None},
    {"id": ID, "first": 3, "period": {"until": None}, "more": 1},
    {"id": ID, "status": None},
    {"id": None},
    {},
    {"id": "x", "first": "1", "period": {"until": "2026"}},
    {"id": ID, "period": {"other": 1}},
    {"id": ID, "period": [[[]]]},
]


class ArgumentFieldCollector(Visitor):
    """Collect the fields of a document that take arguments."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.fields: list[tuple[GraphQLField, FieldNode]] = []
        self._types = types

    def enter_field(self, node: FieldNode, *_: object) -> None:
        definition = self._types.get_field_def()
        if definition and definition.args:
            self.fields.append((definition, node))


def compare_coercion(schema: strawberry.Schema, document: Document) -> None:
    """Compare the variables with those of graphql-core and, if they are valid, the arguments of each field."""
    core, parsed = schema._schema, parse(document.text)  # noqa: SLF001
    operations = [each for each in parsed.definitions if isinstance(each, OperationDefinitionNode)]
    fragments = {each.name.value: each for each in parsed.definitions if isinstance(each, FragmentDefinitionNode)}
    (prepared_operation,) = PreparedOperation.prepare_all(core, operations, fragments)
    with strict_ids():  # all documents are queries
        expected = get_variable_values(core, operations[0].variable_definitions or (), {**document.variables}, MAX_VARIABLE_ERRORS)
    # Twice, because a cached document serves many requests: one of them must not change the result of the next.
    results = [prepared_operation.coerce_variables(core, document.variables, hide_suggestions=False) for _ in range(2)]
    if not isinstance(expected, VariableValues):
        assert [[error.message for error in each] for each in results if isinstance(each, list)] == [
            [each.message for each in expected]
        ] * 2
        return
    for values in results:
        assert isinstance(values, VariableValues)
        assert values.coerced == expected.coerced
        assert [each.value for each in values.sources.values()] == [each.value for each in expected.sources.values()]
    visit(parsed, TypeInfoVisitor(types := TypeInfo(core), fields := ArgumentFieldCollector(types)))
    for definition, node in fields.fields:
        compare_arguments(schema, definition, node, expected)


def compare_arguments(schema: strawberry.Schema, definition: GraphQLField, node: FieldNode, values: VariableValues) -> None:
    strawberry_type: Any = definition.extensions["strawberry-definition"]
    try:
        raw = get_argument_values(definition, node, values)
    except GraphQLError:
        with pytest.raises((GraphQLError, LookupError)):
            FieldCall(schema, definition, node, strawberry_type).arguments(values)
        return
    scalars = schema.schema_converter.scalar_registry
    assert FieldCall(schema, definition, node, strawberry_type).arguments(values) == convert_arguments(
        raw, strawberry_type.arguments, scalars, schema.config
    )


@pytest.mark.parametrize("variables", VARIABLE_SETS, ids=str)
def test_defaults_and_invalid_variables_are_coerced_alike(schema: strawberry.Schema, variables: Mapping[str, object]) -> None:
    compare_coercion(schema, Document(WITH_DEFAULTS, {**variables}))


@pytest.mark.parametrize("variables", SENT_WITHIN, ids=str)
def test_variables_within_literals_and_one_of_inputs_are_coerced_alike(schema: strawberry.Schema, variables: Mapping[str, object]) -> None:
    compare_coercion(schema, Document(WITHIN_LITERALS, {**variables}))


@settings(max_examples=200)
@given(data=st.data())
def test_random_documents_are_coerced_alike(schema: strawberry.Schema, data: st.DataObject) -> None:
    compare_coercion(schema, data.draw(documents(schema._schema, [ID, "x"], [CURSOR])))  # noqa: SLF001


def test_default_is_not_shared_between_requests(schema: strawberry.Schema) -> None:
    """A resolver may change its input, so each request needs its own copy of a default."""
    (definition, node), values = next(revenue(schema)), VariableValues({}, {"period": {"since": None}})
    call = FieldCall(schema, definition, node, definition.extensions["strawberry-definition"])
    assert call.arguments(values)["period"] is not call.arguments(values)["period"]


def revenue(schema: strawberry.Schema) -> Iterator[tuple[GraphQLField, FieldNode]]:
    types = TypeInfo(schema._schema)  # noqa: SLF001
    visit(parse(WITH_DEFAULTS), TypeInfoVisitor(types, fields := ArgumentFieldCollector(types)))
    yield from ((definition, node) for definition, node in fields.fields if node.name.value == "revenue")
