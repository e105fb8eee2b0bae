"""Variables are coerced to the values that graphql-core gives, and left to it where one is wrong."""

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
from server.settings import DocumentLimits
from tests.ids import global_id
from tests.inputs import NOBODYS

TYPES = {
    "int": "Int", "count": "Int!", "size": "Int = 25", "needed": "Int! = 3", "text": "String", "flag": "Boolean = true", "id": "ID!",
    "ids": "[ID!]", "texts": "[String]", "lists": "[[Int!]!]! = [[1], 2]", "status": "ClientStatus", "amount": "Decimal",
    "day": "Date", "moment": "DateTime", "filter": "ClientFilterInput", "period": 'PeriodInput = {since: "2026-01-01"}',
    "input": "ClientCreateInput",
}  # fmt: skip
DEFINED = "query (" + ", ".join(f"${name}: {type_}" for name, type_ in TYPES.items()) + ") { __typename }"
NOBODY = global_id("Client", NOBODYS)
RIGHT: dict[str, Any] = {
    "int": 1, "count": 2, "size": None, "text": "é", "id": NOBODY, "ids": NOBODY, "texts": [None, "a"], "status": "ACTIVE",
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
    """Right and wrong ones together, several requests with one operation."""
    sent = any_values | {name: RIGHT[name] for name in right}
    (operation,) = parse(DEFINED).definitions
    assert isinstance(operation, OperationDefinitionNode)
    coercion, (known,) = Coercion(core, operation), PreparedOperation.prepare_all(core, [operation], {})
    for _ in range(2):
        wanted, found = known.coerce_variables(core, sent, hide_suggestions=True), coercion.coerce(sent)
        if isinstance(wanted, VariableValues):
            assert found is not None
            assert repr(found.coerced) == repr(wanted.coerced)
            assert list(found.sources) == list(wanted.sources)
            assert [sources(each) for each in found.sources.values()] == [sources(each) for each in wanted.sources.values()]
        else:
            assert found is None


def sources(found: VariableValueSource) -> tuple[str, str, str]:
    return found.signature.name, repr(found.signature.type), repr(found.value)


def test_right_values_are_right(core: GraphQLSchema) -> None:
    """Else the comparison would compare refusals alone."""
    (operation,) = parse(DEFINED).definitions
    assert isinstance(operation, OperationDefinitionNode)
    found = Coercion(core, operation).coerce(RIGHT)
    assert found is not None
    assert found.coerced.keys() == TYPES.keys()
    assert (found.coerced["needed"], found.coerced["flag"], found.coerced["lists"]) == (3, True, [[1], [2]])


def test_operation_is_coerced_with_defaults_of_its_own(core: GraphQLSchema) -> None:
    """Not with those of another operation in the document, nor of an earlier request."""
    documents = DocumentCache(core, DocumentLimits(), max_bytes=10**6, shows_schema=True)
    text = "query A($n: Int = 1, $on: Boolean = true) { a: __typename @skip(if: $on) b: __typename } query B($n: Int = 2) { __typename }"
    a, b = documents.get_or_parse(text.replace("__typename }", "clients(first: $n) { totalCount } }")).operations
    assert [each.coerce({}).coerced for each in (a, b)] == [{"n": 1, "on": True}, {"n": 2}]
    assert [each.coerce({"n": 9, "on": None, "x": 1}).coerced for each in (b,)] == [{"n": 9}]
    assert [each.coerce({}).coerced for each in (a, b)] == [{"n": 1, "on": True}, {"n": 2}]
