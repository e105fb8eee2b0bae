"""Queries that the compiled executor runs without a fallback, and a function that compiles a plan."""

import strawberry
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, VariableValues

from resolvers.execution.executor import CompiledExecutor
from resolvers.execution.operation import Execution, PreparedOperation
from resolvers.execution.plan import Plan
from resolvers.execution.plan_cache import PlanCache
from tests.support.queries import NESTED_QUERY

COMPILED_QUERIES = {
    "the nested query": NESTED_QUERY,
    "aliases": '{ a: clients(first: 9) { nodes { n: name name } } b: clients(first: 2, search: "") { nodes { id } } }',
    "fragments": "{ clients { ...A } } fragment A on ClientConnection { nodes { ...B } } fragment B on Client { name ... { id } }",
    "an interface": "{ clients { nodes { ... on Node { id } __typename } } }",
    "skip and include": "query ($no: Boolean = false) { clients { nodes { name @skip(if: true) number @include(if: $no) id } } }",
    "revenue and rates": """{ clients { nodes {
      revenue { since byCurrency { currency paid { amount } } } financial { defaultHourlyRate { amount } } } } }""",
    "counts below a list": """{ clients { nodes {
      contacts { totalCount } projects { totalCount nodes { registrations { totalCount } } } } } }""",
    "edges": """{ clients { totalCount edges { cursor node {
      contacts(first: 1) { edges { cursor } pageInfo { endCursor hasNextPage } } } } } }""",
    "the viewer": "{ viewer { permissions organization { id name baseCurrency } member { name role } } }",
    "objects of a client": """{ clients { nodes {
      quotes { nodes { lines { position } } } portals { name projects { name } } activity { nodes { id } } } } }""",
}


def compile_plan(schema: strawberry.Schema, document: DocumentNode, cache: PlanCache | None = None, /, **variables: object) -> Plan | None:
    executor = CompiledExecutor(cache or PlanCache())
    return executor.plan_cache.get_or_compile(execution(schema._schema, document, None, **variables), executor.on_fallback)  # noqa: SLF001


def execution(schema: GraphQLSchema, document: DocumentNode, context: object, **variables: object) -> Execution:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    (prepared_operation,) = PreparedOperation.prepare_all(schema, operations, {})
    values = prepared_operation.coerce_variables(schema, variables, hide_suggestions=True)
    assert isinstance(values, VariableValues)
    return Execution(schema, prepared_operation, values, context)
