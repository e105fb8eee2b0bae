"""Test that the compiled executor and that of graphql-core give the same answers to the byte, by the same statements."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
import orjson
import pytest
import strawberry
from graphql import parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine.database import Database, DatabaseLimits
from db.engine.query_stats import QueryStats
from db.tables import Role
from domain.core.errors import BadInput, ForbiddenError
from domain.core.scope import ALL_PERMISSIONS, Actor
from resolvers.context import Context
from resolvers.execution.executor import CompiledExecutor, SizedResult
from resolvers.execution.plan_cache import MAX_CACHED_FIELDS, PlanCache
from server.documents.cache import DocumentCache
from server.documents.execution import ExecutionRequest, Runner
from server.errors import GraphQLRequestError
from tests.support.api import HUGE_LIMIT, SECRET_KEYS, UNLIMITED, Api, connect_client
from tests.support.builders import create_tenant
from tests.support.compiled_queries import COMPILED_QUERIES, compile_plan, execution
from tests.support.databases import runtime_url
from tests.support.executor_pair import ExecutorPair
from tests.support.fault_injection import FaultInjector, inject_faults
from tests.support.full_client import create_full_client
from tests.support.ids import global_id
from tests.support.in_process import InProcessServer, YieldCounter
from tests.support.mutation_inputs import UNKNOWN_ID
from tests.support.queries import NESTED_QUERY
from tests.support.random_documents import Document, documents

ROLES = [Role.OWNER, Role.OWNER, Role.OWNER, Role.VIEWER]
CURSORS = "{ clients(first: 3) { edges { cursor } } contacts(first: 2) { edges { cursor } } registrations(first: 3) { edges { cursor } } }"
FALLBACK_QUERIES = {
    "introspection": "{ __schema { queryType { name } } }",
    "an error": '{ clients { nodes { contacts(after: "no") { nodes { id } } } } }',
}


@pytest.fixture(scope="module")
async def executors(owner: asyncpg.Connection, owner_url: str, schema: strawberry.Schema) -> AsyncIterator[ExecutorPair]:
    org = await create_tenant(owner, "Both")
    full_clients = [await create_full_client(org, "Een"), await create_full_client(org, "Twee", is_archived=False)]
    await org.add_client("Leeg")
    ids = [global_id("Client", key) for each in full_clients for key in (each.id, each.other)]
    ids += [global_id("Contact", each.shared_contact) for each in full_clients] + [
        global_id("Project", key) for each in full_clients for key in each.projects
    ]
    ids += [
        global_id("Invoice", full_clients[0].issued_invoice),
        global_id("ClientPortal", full_clients[1].portal),
        global_id("Organization", org.id),
    ]
    statements = list[str]()
    database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=2, read_pool_timeout=30, statement_timeout=30), on_statement=statements.append
    )
    settings_by_executor = {is_compiled: UNLIMITED.model_copy(update={"compiled_executor": is_compiled}) for is_compiled in (True, False)}
    async with (
        connect_client(schema, database, settings_by_executor[True]) as compiled_http,
        connect_client(schema, database, settings_by_executor[False]) as core,
    ):
        data = await Api(core, org.tokens[Role.OWNER]).data(CURSORS)
        cursors = [edge["cursor"] for connection in data.values() for edge in connection["edges"]]
        portals = [global_id("ClientPortal", each.portal) for each in full_clients]
        yield ExecutorPair(
            org, [*ids, global_id("Client", UNKNOWN_ID), "x"], portals, ["", "x", *cursors], {True: compiled_http, False: core}, statements
        )
    await database.close()


@pytest.fixture
def fallback_reasons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record why the compiled executor falls back to graphql-core's."""
    why = list[str]()
    monkeypatch.setattr(CompiledExecutor, "on_fallback", lambda _executor, reason: why.append(repr(reason)))
    return why


@pytest.mark.parametrize("name", COMPILED_QUERIES)
@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
async def test_common_queries_run_compiled(
    executors: ExecutorPair, fallback_reasons: list[str], schema: strawberry.Schema, name: str, role: Role
) -> None:
    """They never fall back to graphql-core, and their answers are equal to its answers."""
    assert validate(schema._schema, parse(COMPILED_QUERIES[name])) == []  # noqa: SLF001
    variables: dict[str, object] = {"first": 3} if name == "the nested query" else {}
    answer = await executors.check_equal(Document(COMPILED_QUERIES[name], variables), role)
    assert b'"errors"' not in answer
    assert fallback_reasons == []


async def test_previews_of_an_empty_page_need_no_statement_of_their_own(executors: ExecutorPair, fallback_reasons: list[str]) -> None:
    """They are asked before the rows of the page are known, and need several statements if there are any."""
    previews = "deletionPreview { contactsLeftAlone { id } } archivePreview { projectCount }"
    document = Document(f'{{ clients(search: "nobody has this name") {{ totalCount nodes {{ {previews} }} }} }}', {})
    await executors.check_equal(document, Role.OWNER)
    assert (await executors.ask(document, Role.OWNER, is_compiled=True))[2].total() == 2  # the page and its number of entries
    assert fallback_reasons == []


@pytest.mark.parametrize("name", FALLBACK_QUERIES)
async def test_unusual_queries_fall_back_to_graphql_core(executors: ExecutorPair, fallback_reasons: list[str], name: str) -> None:
    """There is one reason for the fallback, and the answers are equal, errors included."""
    await executors.check_equal(Document(FALLBACK_QUERIES[name], {}), Role.OWNER)
    assert len({*fallback_reasons}) == 1


def describe_field(info: strawberry.Info) -> str:
    return f"{info.field_name} {info.path.key} {info.context.actor.tenant}"


@strawberry.type
class DescribedType:
    field: str = strawberry.field(resolver=describe_field)


async def test_resolver_that_reads_more_than_the_context_runs_on_graphql_core(fallback_reasons: list[str], database: Database) -> None:
    schema, actor = strawberry.Schema(DescribedType)._schema, Actor.operator(uuid4())  # noqa: SLF001
    result = await CompiledExecutor(PlanCache()).execute(execution(schema, parse("{ a: field }"), Context(database, actor, SECRET_KEYS)))
    assert (result.data, result.errors) == ({"a": f"field a {actor.tenant}"}, None)
    assert fallback_reasons == ["AttributeError(\"'types.SimpleNamespace' object has no attribute 'field_name'\")"]


def test_plans_are_freed_with_their_document(schema: strawberry.Schema) -> None:
    """The reference count alone frees them, without a run of the garbage collector."""
    plan_cache, document = PlanCache(), parse("{ clients { nodes { name labels { name } } } }")
    assert compile_plan(schema, document, plan_cache) is compile_plan(schema, document, plan_cache) is not None
    assert plan_cache.size > 0
    del document
    assert plan_cache.size == 0


def test_plan_cache_is_bounded(schema: strawberry.Schema) -> None:
    """The least recently used plan is discarded first. Another value of a condition needs another plan."""
    fields = " ".join(f"a{number}: name" for number in range(300))
    # Together 27,000 fields, more than the cache holds.
    wide = [
        parse(f"query ($no: Boolean = false) {{ clients {{ nodes {{ {fields} b{index}: id @skip(if: $no) }} }} }}") for index in range(90)
    ]
    plan_cache = PlanCache()
    plans = [compile_plan(schema, each, plan_cache) for each in wide]
    assert plan_cache.size <= MAX_CACHED_FIELDS
    assert compile_plan(schema, wide[-1], plan_cache) is plans[-1]
    assert compile_plan(schema, wide[0], plan_cache) is not plans[0]
    assert compile_plan(schema, wide[-1], plan_cache, no=True) is not plans[-1]
    assert plan_cache.size <= MAX_CACHED_FIELDS


ComparisonMethod: TypeAlias = Callable[[ExecutorPair, strawberry.Schema, st.DataObject], Awaitable[None]]


async def compare_random_document(both: ExecutorPair, schema: strawberry.Schema, data: st.DataObject) -> None:
    """Compare a document with random aliases, fragments, conditions, arguments and variables, valid and invalid ones."""
    await both.check_equal(data.draw(documents(schema._schema, both.ids, both.cursors)), data.draw(st.sampled_from(ROLES)))  # noqa: SLF001


async def compare_with_faults(both: ExecutorPair, schema: strawberry.Schema, data: st.DataObject) -> None:
    """Compare a random document while batches, keys, columns and resolvers fail at random."""
    document, role = data.draw(documents(schema._schema, both.ids, both.cursors)), data.draw(st.sampled_from(ROLES))  # noqa: SLF001
    faults = FaultInjector(data.draw(st.integers(0, 2**32 - 1)), data.draw(st.sampled_from([3, 10, 40, 200])))
    with inject_faults(faults, schema._schema):  # noqa: SLF001
        await both.check_equal_failures(document, role)


@pytest.mark.parametrize("how", [compare_random_document, compare_with_faults])
@settings(max_examples=150, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_random_documents_have_equal_answers(
    executors: ExecutorPair, schema: strawberry.Schema, how: ComparisonMethod, data: st.DataObject
) -> None:
    """The bytes, the statements and the errors are equal, with injected faults and without."""
    await how(executors, schema, data)


class FirstIdLast(FaultInjector):
    """Fail the batch of clients last, and that of portals at once."""

    async def load_batch(self, ask: "partial[Awaitable[Sequence[Any]]]", keys: Sequence[Any]) -> Sequence[Any]:
        assert keys
        if ask.func.__module__ == "domain.portals":
            raise BadInput("of the portal")
        for _ in range(50):
            await asyncio.sleep(0)
        raise ForbiddenError("of the client")


@pytest.mark.parametrize("is_compiled", [True, False])
async def test_first_error_in_document_order_is_reported(executors: ExecutorPair, schema: strawberry.Schema, *, is_compiled: bool) -> None:
    """Which batch fails first in time depends on the order in which the loaders run, so it must not matter."""
    client, portal = executors.ids[0], executors.portals[0]
    document = Document("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [client, portal]})
    with inject_faults(FirstIdLast(1, 10**9), schema._schema):  # noqa: SLF001
        _, answer, _ = await executors.ask(document, Role.OWNER, is_compiled=is_compiled)
    assert [(error["message"], error["path"]) for error in json.loads(answer)["errors"]] == [("of the client", ["nodes"])]


@settings(max_examples=60, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_response_is_no_larger_than_its_plan_estimates(
    executors: ExecutorPair, database: Database, schema: strawberry.Schema, data: st.DataObject
) -> None:
    """A response with a small enough estimate is sent without counting its bytes. A column without a length limit fails here."""
    document_cache = DocumentCache(schema._schema, UNLIMITED.document_limits, max_bytes=HUGE_LIMIT, shows_schema=True)  # noqa: SLF001
    runner = Runner(schema, CompiledExecutor(PlanCache()).execute, database, SECRET_KEYS, shows_schema=True)
    random_document = data.draw(documents(schema._schema, executors.ids, executors.cursors))  # noqa: SLF001
    nulls = Document("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [global_id("Client", UNKNOWN_ID)] * 25})
    for document in (random_document, nulls, *(Document(text, {}) for text in COMPILED_QUERIES.values() if text is not NESTED_QUERY)):
        cached_document = document_cache.get_or_parse(document.text)
        if not cached_document.errors and len(cached_document.operations) == 1:
            with suppress(GraphQLRequestError):
                values = cached_document.operations[0].coerce(document.variables)
                result = await runner.execute(
                    ExecutionRequest(
                        cached_document, cached_document.operations[0], values, Actor(executors.org.id, ALL_PERMISSIONS), None, QueryStats()
                    )
                )
                assert not isinstance(result, SizedResult) or len(orjson.dumps(result.data)) <= result.max_bytes, document.text


@pytest.fixture
def in_process(executors: ExecutorPair, database: Database, schema: strawberry.Schema) -> InProcessServer:
    document_cache = DocumentCache(schema._schema, UNLIMITED.document_limits, max_bytes=HUGE_LIMIT, shows_schema=True)  # noqa: SLF001
    return InProcessServer(
        Runner(schema, CompiledExecutor(PlanCache()).execute, database, SECRET_KEYS, shows_schema=True),
        document_cache,
        Actor(executors.org.id, ALL_PERMISSIONS),
    )


@pytest.mark.parametrize("name", [*COMPILED_QUERIES, *FALLBACK_QUERIES])
async def test_operation_leaves_no_garbage(in_process: InProcessServer, name: str) -> None:
    """All objects of an operation are freed with its answer, compiled or not, with errors or without."""
    text = (COMPILED_QUERIES | FALLBACK_QUERIES)[name]
    variables = {"first": 3} if name == "the nested query" else {}
    await in_process.execute(text, **variables)
    # A connection that the pool closes meanwhile, or a thread of the test runner, leaves garbage too, but not in all ten counts.
    counts = [await count_garbage(in_process, text, variables)]
    while counts[-1] and len(counts) < 10:
        counts.append(await count_garbage(in_process, text, variables))
    assert 0 in counts


async def count_garbage(in_process: InProcessServer, text: str, variables: dict[str, int]) -> int:
    """Return how many objects three operations leave to the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            await in_process.execute(text, **variables)
        return gc.collect()
    finally:
        gc.enable()


async def test_large_results_yield_to_other_tasks(in_process: InProcessServer, owner: asyncpg.Connection) -> None:
    """A result yields after every 50 clients with 13 objects each. Each operation yields once more to gather its loads."""
    org = await create_tenant(owner)
    for number in range(100):
        await org.add_client(f"Client {number}")
    of_org = replace(in_process, actor=Actor(org.id, ALL_PERMISSIONS))
    aliases = " ".join(f"a{index}: contacts {{ pageInfo {{ hasNextPage }} }}" for index in range(6))
    text = f"query ($size: Int!) {{ clients(first: $size) {{ nodes {{ {aliases} }} }} }}"
    runs = [YieldCounter(of_org.runner.execute(of_org.prepare(text, size=size))) for size in (30, 60, 100)]
    for each in runs:
        await each
    assert [each.count for each in runs] == [1, 2, 3]


@pytest.mark.proof
@pytest.mark.parametrize("how", [compare_random_document, compare_with_faults])
@settings(max_examples=2500, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_thousands_of_random_documents_have_equal_answers(
    executors: ExecutorPair, schema: strawberry.Schema, how: ComparisonMethod, data: st.DataObject
) -> None:
    await how(executors, schema, data)
