"""Test that an answer shows one moment (C8), although others commit between any two of its round trips to the database."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import strawberry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import memory, queries
from db.engine.database import Database, DatabaseLimits
from db.tables import Role
from tests.support import tenant_storm
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.builders import create_tenant
from tests.support.compiled_queries import COMPILED_QUERIES
from tests.support.databases import runtime_url
from tests.support.full_client import create_full_client
from tests.support.ids import global_id
from tests.support.pages import QUERIES
from tests.support.random_documents import Document, documents
from tests.support.round_trip_proxy import RoundTripProxy
from tests.support.two_states import TwoStateOrganization

MAX_ROUND_TRIPS = 1_000  # more round trips than an operation makes
NAME = "Aanwezig"
# The queries of the documentation name clients of the demo. These values find something in the test's organization instead.
DOCUMENTATION_REPLACEMENTS = {
    '"zuiderveen"': f'"{NAME}"',
    '"ashdown"': '"Gedeeld"',
    '"0500"': f'"{NAME}"',
    ', country: "NL"': "",
    "2025-": "2026-",
}


def adapt_documented_queries() -> Iterator[tuple[str, str]]:
    for query, _ in QUERIES:
        if query.startswith("query"):
            text = query
            for theirs, ours in DOCUMENTATION_REPLACEMENTS.items():
                text = text.replace(theirs, ours)
            yield f"documentation: {query.split()[1]}", text


SHAPES = {
    **COMPILED_QUERIES,
    "an error in some fields": '{ clients(first: 9) { totalCount nodes { name contacts(after: "no") { nodes { id } } labels { name } } } }',
    "all of a client": tenant_storm.CLIENTS,
    "contacts and labels": tenant_storm.CONTACTS,
    "node": tenant_storm.NODE,
    **{f"benchmark: {name}": each.text for name, each in queries.build_queries("").items()},
    **{f"memory: {number}": text for number, text in enumerate(memory.build_documents(len(memory.SHAPES)))},
    **dict(adapt_documented_queries()),
}
VARIANTS = ("compiled", "graphql-core", "pooled")
# All shapes with the compiled executor; with the other variants only the shapes that differ most.
CASES = [("compiled", name) for name in SHAPES]
CASES += [
    (variant, name) for variant in VARIANTS[1:] for name in ("the nested query", "counts below a list", "node", "documentation: OneClient")
]


@dataclass
class TwoStateServer:
    """Server of an organization with two states, which commits the other state before chosen round trips."""

    api: Api
    proxy: RoundTripProxy
    states: TwoStateOrganization
    ids: list[str]
    trips: int = 0

    async def answer(self, document: Document, commits: range) -> Any:  # noqa: ANN401 JSON
        """Return the answer to the operation, and commit before each of its round trips whose number is in `commits`."""
        self.trips = 0

        async def commit() -> None:
            self.trips += 1
            if self.trips in commits:
                await self.states.toggle()

        self.proxy.before_round_trip = commit
        answer = (await self.api.post({"query": document.text, "variables": document.variables})).json()
        return answer | {"errors": sorted(map(str, answer.get("errors", ())))}

    async def answers(self, document: Document) -> list[Any]:
        """Return the answers of both states, without a commit during either operation."""
        answers_by_state: dict[int, Any] = {}
        for _ in range(2):
            answers_by_state[self.states.state] = await self.answer(document, range(0))
            await self.states.toggle()
        return [answers_by_state[0], answers_by_state[1]]

    async def check(self, document: Document, answers: list[Any]) -> int:
        """Commit before each single round trip in turn, then before all of them, and return the number of round trips."""
        number, is_beyond = 0, False
        while not is_beyond:
            number += 1
            answer_body = await self.answer(document, range(number, number + 1))
            assert answer_body in answers, f"the answer mixes both states after a commit before round trip {number}: {document.text}"
            is_beyond = self.trips < number
        answer_body = await self.answer(document, range(1, MAX_ROUND_TRIPS))
        assert answer_body in answers, f"the answer mixes both states after commits before all round trips: {document.text}"
        return number - 1


@pytest.fixture(scope="module", params=VARIANTS)
async def two_state_server(
    request: pytest.FixtureRequest, owner: asyncpg.Connection, owner_url: str, schema: strawberry.Schema
) -> AsyncIterator[TwoStateServer]:
    """Yield a server with a full organization. With a pooler no statement stays prepared, so each takes more round trips."""
    org = await create_tenant(owner, "One moment")
    full = await create_full_client(org, NAME, is_archived=False)
    states = TwoStateOrganization(org)
    for _ in range(2):  # afterwards the added rows also have the values of a state
        await states.toggle()
    ids = [
        global_id("Client", full.id),
        global_id("Client", full.other),
        global_id("Contact", full.shared_contact),
        global_id("Organization", org.id),
    ]
    ids += [global_id("Project", full.projects[0]), global_id("Invoice", full.issued_invoice), global_id("ClientPortal", full.portal)]
    async with RoundTripProxy(runtime_url(owner_url)).listen() as proxy:
        limits = DatabaseLimits(read_pool_size=2, read_pool_timeout=30, statement_timeout=30)
        database = await Database.connect(proxy.url, limits, is_pooled=request.param == "pooled")
        settings = UNLIMITED.model_copy(update={"compiled_executor": request.param != "graphql-core"})
        async with connect_client(schema, database, settings) as http:
            yield TwoStateServer(Api(http, org.tokens[Role.OWNER]), proxy, states, ids)
        await database.close()


def iterate_objects(answer: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every object of the answer, with the names of the fields that lead to it."""
    if isinstance(answer, list):
        for each in answer:
            yield from iterate_objects(each, path)
    if isinstance(answer, dict):
        yield path, answer
        for name, value in answer.items():
            yield from iterate_objects(value, (*path, name))


def equal_fields(answers: list[Any]) -> set[tuple[str, ...]]:
    """Return the paths at which both answers have equal objects, which therefore do not show to which state they belong."""
    first, second = ([*iterate_objects(answer["data"])] for answer in answers)
    paths = {path for path, _ in [*first, *second]}
    return {
        path
        for path in paths
        if [part for object_path, part in first if object_path == path] == [part for object_path, part in second if object_path == path]
    }


@pytest.mark.parametrize(("two_state_server", "name"), CASES, indirect=["two_state_server"], scope="module")
async def test_c8_answer_is_a_snapshot(two_state_server: TwoStateServer, name: str) -> None:
    """The whole answer shows the state before a commit, or the whole answer shows the state after it."""
    document = Document(SHAPES[name], {"first": 3, "after": None, "id": two_state_server.ids[0]})
    answers = await two_state_server.answers(document)
    # Every other object must differ, or a mixed answer could go unnoticed there.
    assert {path for path in equal_fields(answers) if path[-1] != "pageInfo"} == set()
    assert await two_state_server.check(document, answers) > 0


async def check_random_documents(two_state_server: TwoStateServer, schema: strawberry.Schema, data: st.DataObject) -> None:
    document = data.draw(documents(schema._schema, two_state_server.ids, ["", "x"]))  # noqa: SLF001
    await two_state_server.check(document, await two_state_server.answers(document))


@settings(max_examples=8, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_c8_answers_to_random_documents_are_snapshots(
    two_state_server: TwoStateServer, schema: strawberry.Schema, data: st.DataObject
) -> None:
    await check_random_documents(two_state_server, schema, data)


@pytest.mark.proof
@settings(max_examples=500, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_c8_answers_to_many_random_documents_are_snapshots(
    two_state_server: TwoStateServer, schema: strawberry.Schema, data: st.DataObject
) -> None:
    await check_random_documents(two_state_server, schema, data)
