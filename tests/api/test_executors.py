"""The compiled executor and graphql-core's give the same answers to the byte, by the same statements, one by one or several as one."""

import asyncio
import gc
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest
import strawberry
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, VariableValues, parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine.database import Database, DatabaseLimits
from db.engine.query_stats import QueryStats
from db.tables import Role
from domain.core.errors import BadInput, ForbiddenError
from domain.core.scope import ALL_PERMISSIONS, Actor
from resolvers.context import Context
from resolvers.execution.executor import CompiledExecutor, SizedResult
from resolvers.execution.operation import Execution, PreparedOperation
from resolvers.execution.plan import Plan
from resolvers.execution.plan_cache import MAX_CACHED_FIELDS, plan_cache
from server.documents.cache import DocumentCache
from server.documents.execution import ExecutionRequest, Runner
from server.errors import GraphQLRequestError
from tests.api.test_nested_query import NESTED
from tests.ask import MUCH, SECRETS, UNLIMITED, Api, connected
from tests.asking import Document, documents
from tests.builders import Tenant, tenant
from tests.conftest import runtime_url
from tests.full_clients import full_client
from tests.ids import global_id
from tests.in_process import InProcess, Turns
from tests.injected import Faults, injected
from tests.inputs import NOBODYS

ROLES = [Role.OWNER, Role.OWNER, Role.OWNER, Role.VIEWER]
CURSORS = "{ clients(first: 3) { edges { cursor } } contacts(first: 2) { edges { cursor } } registrations(first: 3) { edges { cursor } } }"
AVAILABLE = re.compile(rb',"throttle":\{[^}]*\}')  # of the moment
OURS = "FROM relaties."  # the driver asks for types on a new connection
VALUE = re.compile(r"\(ARRAY\(SELECT id FROM leader LIMIT (\$\d+|NULL)::integer - 1\)\)|\$\d+")
COMPILED = {
    "the nested query": NESTED,
    "aliases": '{ a: clients(first: 9) { nodes { n: name name } } b: clients(first: 2, search: "") { nodes { id } } }',
    "fragments": "{ clients { ...A } } fragment A on ClientConnection { nodes { ...B } } fragment B on Client { name ... { id } }",
    "an interface": "{ clients { nodes { ... on Node { id } __typename } } }",
    "skip and include": "query ($no: Boolean = false) { clients { nodes { name @skip(if: true) number @include(if: $no) id } } }",
    "figures": """{ clients { nodes {
      revenue { since byCurrency { currency paid { amount } } } financial { defaultHourlyRate { amount } } } } }""",
    "counts below a list": """{ clients { nodes {
      contacts { totalCount } projects { totalCount nodes { registrations { totalCount } } } } } }""",
    "edges": """{ clients { totalCount edges { cursor node {
      contacts(first: 1) { edges { cursor } pageInfo { endCursor hasNextPage } } } } } }""",
    "who asks": "{ viewer { permissions organization { id name baseCurrency } member { name role } } }",
    "what hangs on a client": """{ clients { nodes {
      quotes { nodes { lines { position } } } portals { name projects { name } } activity { nodes { id } } } } }""",
}
GIVES_WAY = {
    "introspection": "{ __schema { queryType { name } } }",
    "an error": '{ clients { nodes { contacts(after: "no") { nodes { id } } } } }',
}


@dataclass
class Both:
    """The same server twice but for the executor, and what each of them sent to the database."""

    org: Tenant
    ids: list[str]
    portals: list[str]
    cursors: list[str]
    servers: dict[bool, httpx.AsyncClient]
    sent: list[str]

    async def asked(self, document: Document, role: Role, *, is_compiled: bool) -> tuple[int, bytes, Counter[str]]:
        self.sent.clear()
        api = Api(self.servers[is_compiled], self.org.tokens[role])
        answer = await api.post({"query": document.text, "variables": document.variables, "extensions": {"cost": True}})
        content = AVAILABLE.sub(b"", answer.content)
        return answer.status_code, content, Counter(text for text in self.sent if OURS in text and "token_actor" not in text)

    async def are_same(self, document: Document, role: Role) -> bytes:
        """The answer of both; with errors graphql-core has asked a second time, so that the statements are counted without them.

        What was asked before is sent as one statement, in which a page without rows has its relations, too.
        """
        core = await self.asked(document, role, is_compiled=False)
        assert b'"INTERNAL_SERVER_ERROR"' not in core[1], document.text  # as for a column that was left out and is read
        for time in (1, 2):
            compiled = await self.asked(document, role, is_compiled=True)
            assert compiled[:2] == core[:2], document.text
            if b'"errors"' not in core[1]:
                sent = VALUE.sub("$", " ".join(compiled[2].elements()))
                assert all(sent.count(VALUE.sub("$", text)) >= count for text, count in core[2].items()), document.text
                assert time == 1 or compiled[2].total() <= core[2].total(), document.text
        return core[1]

    async def fail_alike(self, document: Document, role: Role) -> None:
        """The same data to the byte, and the same errors; but for what an incident is called, and which of two comes first."""
        core = await self.asked(document, role, is_compiled=False)
        for _ in range(2):
            compiled = await self.asked(document, role, is_compiled=True)
            assert compiled[0] == core[0], document.text
            assert told(compiled[1]) == told(core[1]), document.text


def told(answer: bytes) -> tuple[str, list[str]]:
    body = json.loads(answer)
    errors = body.pop("errors", [])
    for error in errors:
        error["extensions"].pop("incident", None)
    return json.dumps(body), sorted(json.dumps(error) for error in errors)


@pytest.fixture(scope="module")
async def both(owner: asyncpg.Connection, owner_url: str, schema: strawberry.Schema) -> AsyncIterator[Both]:
    org = await tenant(owner, "Both")
    made = [await full_client(org, "Een"), await full_client(org, "Twee", is_archived=False)]
    await org.add_client("Leeg")
    ids = [global_id("Client", key) for each in made for key in (each.id, each.other)]
    ids += [global_id("Contact", each.shared) for each in made] + [global_id("Project", key) for each in made for key in each.projects]
    ids += [global_id("Invoice", made[0].issued), global_id("ClientPortal", made[1].portal), global_id("Organization", org.id)]
    sent = list[str]()
    database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=2, read_pool_timeout=30, statement_timeout=30), on_statement=sent.append
    )
    ways = {way: UNLIMITED.model_copy(update={"compiled_executor": way}) for way in (True, False)}
    async with connected(schema, database, ways[True]) as compiled, connected(schema, database, ways[False]) as core:
        found = await Api(core, org.tokens[Role.OWNER]).data(CURSORS)
        cursors = [edge["cursor"] for connection in found.values() for edge in connection["edges"]]
        portals = [global_id("ClientPortal", each.portal) for each in made]
        yield Both(org, [*ids, global_id("Client", NOBODYS), "x"], portals, ["", "x", *cursors], {True: compiled, False: core}, sent)
    await database.close()


@pytest.fixture
def gave_way(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Why the compiled executor gave way to graphql-core's."""
    why = list[str]()
    monkeypatch.setattr(CompiledExecutor, "on_fallback", lambda reason: why.append(repr(reason)))
    return why


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
async def test_what_apps_ask_runs_compiled(both: Both, gave_way: list[str], schema: strawberry.Schema, name: str, role: Role) -> None:
    """From beginning to end, and the same."""
    assert validate(schema._schema, parse(COMPILED[name])) == []  # noqa: SLF001
    variables: dict[str, object] = {"first": 3} if name == "the nested query" else {}
    answer = await both.are_same(Document(COMPILED[name], variables), role)
    assert b'"errors"' not in answer
    assert gave_way == []


@pytest.mark.parametrize("name", GIVES_WAY)
async def test_what_is_unusual_is_graphql_cores(both: Both, gave_way: list[str], name: str) -> None:
    """It gives way for one reason, and the answer is the same, errors and all."""
    await both.are_same(Document(GIVES_WAY[name], {}), Role.OWNER)
    assert len({*gave_way}) == 1


def describe_field(info: strawberry.Info) -> str:
    return f"{info.field_name} {info.path.key} {info.context.actor.tenant}"


@strawberry.type
class Described:
    field: str = strawberry.field(resolver=describe_field)


async def test_a_resolver_that_needs_more_than_the_context_runs_on_graphql_core(gave_way: list[str], database: Database) -> None:
    schema, actor = strawberry.Schema(Described)._schema, Actor.operator(uuid4())  # noqa: SLF001
    result = await CompiledExecutor.execute(execution(schema, parse("{ a: field }"), Context(database, actor, SECRETS)))
    assert (result.data, result.errors) == ({"a": f"field a {actor.tenant}"}, None)
    assert gave_way == ["AttributeError(\"'types.SimpleNamespace' object has no attribute 'field_name'\")"]


def test_plans_are_gone_with_their_document(schema: strawberry.Schema) -> None:
    """Whoever keeps the document keeps them, and the collector need not come for them."""
    before, document = plan_cache.size, parse("{ clients { nodes { name labels { name } } } }")
    assert planned(schema, document) is planned(schema, document) is not None
    assert plan_cache.size > before
    del document
    assert plan_cache.size == before


def test_plans_have_so_much_room(schema: strawberry.Schema) -> None:
    """Those asked last are kept; one that is compiled for other values makes room for the first of its own."""
    fields = " ".join(f"a{number}: name" for number in range(300))
    wide = [
        parse(f"query ($no: Boolean = false) {{ clients {{ nodes {{ {fields} b{place}: id @skip(if: $no) }} }} }}") for place in range(90)
    ]
    plans = [planned(schema, each) for each in wide]
    assert plan_cache.size <= MAX_CACHED_FIELDS
    assert planned(schema, wide[-1]) is plans[-1]
    assert planned(schema, wide[0]) is not plans[0]
    assert planned(schema, wide[-1], no=True) is not plans[-1]
    assert plan_cache.size <= MAX_CACHED_FIELDS


def planned(schema: strawberry.Schema, document: DocumentNode, **variables: object) -> Plan | None:
    return plan_cache.get_or_compile(execution(schema._schema, document, None, **variables), CompiledExecutor.on_fallback)  # noqa: SLF001


def execution(schema: GraphQLSchema, document: DocumentNode, context: object, **variables: object) -> Execution:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    (known,) = PreparedOperation.prepare_all(schema, operations, {})
    values = known.coerce_variables(schema, variables, hide_suggestions=True)
    assert isinstance(values, VariableValues)
    return Execution(schema, known, values, context)


How: TypeAlias = Callable[[Both, strawberry.Schema, st.DataObject], Awaitable[None]]


async def alike(both: Both, schema: strawberry.Schema, data: st.DataObject) -> None:
    """Aliases, fragments, skip and include, arguments and variables, right and wrong ones."""
    await both.are_same(data.draw(documents(schema._schema, both.ids, both.cursors)), data.draw(st.sampled_from(ROLES)))  # noqa: SLF001


async def fail_alike(both: Both, schema: strawberry.Schema, data: st.DataObject) -> None:
    """Wherever something fails: in a batch, at a key, in a column, in a resolver."""
    document, role = data.draw(documents(schema._schema, both.ids, both.cursors)), data.draw(st.sampled_from(ROLES))  # noqa: SLF001
    faults = Faults(data.draw(st.integers(0, 2**32 - 1)), data.draw(st.sampled_from([3, 10, 40, 200])))
    with injected(faults, schema._schema):  # noqa: SLF001
        await both.fail_alike(document, role)


@pytest.mark.parametrize("how", [alike, fail_alike])
@settings(max_examples=150, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_random_documents_are_answered_the_same(both: Both, schema: strawberry.Schema, how: How, data: st.DataObject) -> None:
    """With faults and without: the same bytes by the same statements, and the same errors."""
    await how(both, schema, data)


class FirstIdLast(Faults):
    """The batch of clients fails last, that of portals at once."""

    async def batch(self, ask: "partial[Awaitable[Sequence[Any]]]", keys: Sequence[Any]) -> Sequence[Any]:
        assert keys
        if ask.func.__module__ == "domain.portals":
            raise BadInput("of the portal")
        for _ in range(50):
            await asyncio.sleep(0)
        raise ForbiddenError("of the client")


@pytest.mark.parametrize("is_compiled", [True, False])
async def test_of_several_failures_the_first_in_the_document_is_told(both: Both, schema: strawberry.Schema, *, is_compiled: bool) -> None:
    """Whichever is first in time, which depends on how the loaders of an operation take turns."""
    client, portal = both.ids[0], both.portals[0]
    document = Document("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [client, portal]})
    with injected(FirstIdLast(1, 10**9), schema._schema):  # noqa: SLF001
        _, answer, _ = await both.asked(document, Role.OWNER, is_compiled=is_compiled)
    assert [(error["message"], error["path"]) for error in json.loads(answer)["errors"]] == [("of the client", ["nodes"])]


@settings(max_examples=60, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_a_response_has_no_more_bytes_than_its_plan_says(
    both: Both, database: Database, schema: strawberry.Schema, data: st.DataObject
) -> None:
    """So that a response whose bytes are not counted is not too large: a column without its length here would show."""
    known = DocumentCache(schema._schema, UNLIMITED.document_limits, max_bytes=MUCH, shows_schema=True)  # noqa: SLF001
    runner = Runner(schema, CompiledExecutor, database, SECRETS, shows_schema=True)
    drawn = data.draw(documents(schema._schema, both.ids, both.cursors))  # noqa: SLF001
    nulls = Document("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [global_id("Client", NOBODYS)] * 25})
    for document in (drawn, nulls, *(Document(text, {}) for text in COMPILED.values() if text is not NESTED)):
        found = known.get_or_parse(document.text)
        if not found.errors and len(found.operations) == 1:
            with suppress(GraphQLRequestError):
                values = found.operations[0].coerce(document.variables)
                result = await runner.execute(
                    ExecutionRequest(found, found.operations[0], values, Actor(both.org.id, ALL_PERMISSIONS), None, QueryStats())
                )
                assert not isinstance(result, SizedResult) or len(orjson.dumps(result.data)) <= result.max_bytes, document.text


@pytest.fixture
def in_process(both: Both, database: Database, schema: strawberry.Schema) -> InProcess:
    known = DocumentCache(schema._schema, UNLIMITED.document_limits, max_bytes=MUCH, shows_schema=True)  # noqa: SLF001
    return InProcess(Runner(schema, CompiledExecutor, database, SECRETS, shows_schema=True), known, Actor(both.org.id, ALL_PERMISSIONS))


@pytest.mark.parametrize("name", [*COMPILED, *GIVES_WAY])
async def test_an_operation_leaves_nothing_to_the_collector(in_process: InProcess, name: str) -> None:
    """What was made for it is gone with its answer, compiled or not, with errors or without."""
    text = (COMPILED | GIVES_WAY)[name]
    variables = {"first": 3} if name == "the nested query" else {}
    await in_process.execute(text, **variables)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            await in_process.execute(text, **variables)
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_large_results_let_others_run_in_between(in_process: InProcess, owner: asyncpg.Connection) -> None:
    """After each piece of 50 clients with 13 objects each, and not after a small one; once for the questions to gather."""
    org = await tenant(owner)
    for number in range(100):
        await org.add_client(f"Client {number}")
    of_org = replace(in_process, actor=Actor(org.id, ALL_PERMISSIONS))
    aliases = " ".join(f"a{place}: contacts {{ pageInfo {{ hasNextPage }} }}" for place in range(6))
    text = f"query ($size: Int!) {{ clients(first: $size) {{ nodes {{ {aliases} }} }} }}"
    found = [Turns(of_org.runner.execute(of_org.operation(text, size=size))) for size in (30, 60, 100)]
    for each in found:
        await each
    assert [each.count for each in found] == [1, 2, 3]


@pytest.mark.proof
@pytest.mark.parametrize("how", [alike, fail_alike])
@settings(max_examples=2500, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_thousands_of_random_documents_are_answered_the_same(
    both: Both, schema: strawberry.Schema, how: How, data: st.DataObject
) -> None:
    """The same, five thousand of them."""
    await how(both, schema, data)
