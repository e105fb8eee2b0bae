"""The coercion of variables gives the same values as graphql-core, and leaves wrong values to it."""

from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema, OperationDefinitionNode, VariableValues, parse
from graphql.execution.values import VariableValueSource
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resolvers.execution.operation import PreparedOperation
from server.documents.cache import DocumentCache
from server.documents.coercion import Coercion
from server.limit_settings import DocumentLimits
from tests.support.ids import global_id
from tests.support.mutation_inputs import UNKNOWN_ID

TYPES = {
    "int": "Int", "count": "Int!", "size": "Int = 25", "needed": "Int! = 3", "text": "String", "flag": "Boolean = true", "id": "ID!",
    "ids": "[ID!]", "texts": "[String]", "lists": "[[Int!]!]! = [[1], 2]", "status": "ClientStatus", "amount": "Decimal",
    "day": "Date", "moment": "DateTime", "filter": "ClientFilterInput", "period": 'PeriodInput = {since: "2026-01-01"}',
    "input": "ClientCreateInput",
}  # fmt: skip
VARIABLE_DEFINITIONS = "query (" + ", ".join(f"${name}: {type_}" for name, type_ in TYPES.items()) + ") { __typename }"
UNKNOWN_CLIENT = global_id("Client", UNKNOWN_ID)
RIGHT: dict[str, Any] = {
    "int": 1, "count": 2, "size": None, "text": "é", "id": UNKNOWN_CLIENT, "ids": UNKNOWN_CLIENT, "texts": [None, "a"], "status": "ACTIVE",
    "amount": "1.50", "day": "2026-01-31", "moment": "2026-01-31T00:00:00Z", "filter": {"status": "ALL", "country": "nl"},
    "period": {"until": "2026-01-31"}, "input": {"name": "x", "tradeName": None},
}  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**31) - 1, 2**31) | st.floats(-1e3, 1e3) | st.sampled_from(["", "x", "ACTIVE", "2026-01-31"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["status", "since", "name", "x"]), inner, max_size=3),
)


@pytest.fixture(scope="module")
def core(schema: strawberry.Schema) -> GraphQLSchema:
    return schema._schema  # noqa: SLF001


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from([*TYPES, "other"]), VALUES), st.sets(st.sampled_from(list(RIGHT))))
@example({}, set())
@example({}, set(RIGHT))
@example({"size": 1.0, "flag": None, "lists": 1}, {"count", "id"})
@example({"needed": None}, {"count", "id"})
@example({"lists": None}, {"count", "id"})
@example({"period": {}}, {"count", "id"})
def test_variables_are_coerced_as_graphql_core_does(core: GraphQLSchema, any_values: dict[str, Any], right: set[str]) -> None:
    """Each example mixes valid and invalid values, and coerces them twice with the same operation."""
    variables = any_values | {name: RIGHT[name] for name in right}
    (operation,) = parse(VARIABLE_DEFINITIONS).definitions
    assert isinstance(operation, OperationDefinitionNode)
    coercion, (prepared_operation,) = Coercion(core, operation), PreparedOperation.prepare_all(core, [operation], {})
    for _ in range(2):
        expected, actual = prepared_operation.coerce_variables(core, variables, hide_suggestions=True), coercion.coerce(variables)
        if isinstance(expected, VariableValues):
            assert actual is not None
            assert repr(actual.coerced) == repr(expected.coerced)
            assert list(actual.sources) == list(expected.sources)
            assert [describe_source(each) for each in actual.sources.values()] == [
                describe_source(each) for each in expected.sources.values()
            ]
        else:
            assert actual is None


def describe_source(source: VariableValueSource) -> tuple[str, str, str]:
    return source.signature.name, repr(source.signature.type), repr(source.value)


def test_valid_values_are_accepted(core: GraphQLSchema) -> None:
    """Otherwise the comparison above might compare only errors."""
    (operation,) = parse(VARIABLE_DEFINITIONS).definitions
    assert isinstance(operation, OperationDefinitionNode)
    coerced = Coercion(core, operation).coerce(RIGHT)
    assert coerced is not None
    assert coerced.coerced.keys() == TYPES.keys()
    assert (coerced.coerced["needed"], coerced.coerced["flag"], coerced.coerced["lists"]) == (3, True, [[1], [2]])


@pytest.mark.parametrize("value", ["x", "", "x" * 10**6, "\ud800"])
def test_malformed_id_is_accepted_in_mutations_only(core: GraphQLSchema, value: str) -> None:
    """The mutation reports it. Both ways of coercion agree, and an id that is not a text is always rejected."""
    for kind in ("query", "mutation"):
        (operation,) = parse(f"{kind} ($id: ID!, $ids: [ID!]!, $input: ClientArchiveInput!) {{ __typename }}").definitions
        assert isinstance(operation, OperationDefinitionNode)
        coercion, (prepared_operation,) = Coercion(core, operation), PreparedOperation.prepare_all(core, [operation], {})
        for id_ in (value, 5):
            variables = {"id": id_, "ids": [UNKNOWN_CLIENT, id_], "input": {"id": id_, "expectedVersion": 1}}
            expected, actual = prepared_operation.coerce_variables(core, variables, hide_suggestions=True), coercion.coerce(variables)
            if kind == "mutation" and id_ == value:
                assert isinstance(expected, VariableValues)
                assert actual is not None
                assert actual.coerced == expected.coerced
            else:
                assert isinstance(expected, list)
                assert len(expected) == len(variables)
                assert actual is None


def test_operation_uses_its_own_defaults(core: GraphQLSchema) -> None:
    """The defaults of another operation in the document, or the values of an earlier request, are not used."""
    documents = DocumentCache(core, DocumentLimits(), max_bytes=10**6, shows_schema=True)
    text = "query A($n: Int = 1, $on: Boolean = true) { a: __typename @skip(if: $on) b: __typename } query B($n: Int = 2) { __typename }"
    a, b = documents.get_or_parse(text.replace("__typename }", "clients(first: $n) { totalCount } }")).operations
    assert [each.coerce({}).coerced for each in (a, b)] == [{"n": 1, "on": True}, {"n": 2}]
    assert [each.coerce({"n": 9, "on": None, "x": 1}).coerced for each in (b,)] == [{"n": 9}]
    assert [each.coerce({}).coerced for each in (a, b)] == [{"n": 1, "on": True}, {"n": 2}]
