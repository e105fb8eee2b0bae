"""C8: an answer is of one moment, though others commit between any two of its round trips to the database."""

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
from tests import apart
from tests.api.test_executors import COMPILED
from tests.ask import UNLIMITED, Api, connected
from tests.asking import Document, documents
from tests.builders import tenant
from tests.conftest import runtime_url
from tests.full_clients import full_client
from tests.ids import global_id
from tests.round_trips import RoundTrips
from tests.server.test_readme import QUERIES
from tests.two_states import TwoStates

MANY = 1_000  # more round trips than an operation makes
NAME = "Aanwezig"
# The README's queries name clients of the demo. These are the values that find something in the organization of the test.
FOUND = {'"zuiderveen"': f'"{NAME}"', '"ashdown"': '"Gedeeld"', '"0500"': f'"{NAME}"', ', country: "NL"': "", "2025-": "2026-"}


def of_the_readme() -> Iterator[tuple[str, str]]:
    for query, _ in QUERIES:
        if query.startswith("query"):
            text = query
            for theirs, ours in FOUND.items():
                text = text.replace(theirs, ours)
            yield f"README: {query.split()[1]}", text


SHAPES = {
    **COMPILED,
    "an error in some fields": '{ clients(first: 9) { totalCount nodes { name contacts(after: "no") { nodes { id } } labels { name } } } }',
    "all of a client": apart.CLIENTS,
    "contacts and labels": apart.CONTACTS,
    "node": apart.NODE,
    **{f"benchmark: {name}": each.text for name, each in queries.asked("").items()},
    **{f"memory: {number}": text for number, text in enumerate(memory.documents(len(memory.SHAPES)))},
    **dict(of_the_readme()),
}
WAYS = ("compiled", "graphql-core", "pooled")
# All shapes in the usual way; in the others those that differ most.
CASES = [("compiled", name) for name in SHAPES]
CASES += [(way, name) for way in WAYS[1:] for name in ("the nested query", "counts below a list", "node", "README: OneClient")]


@dataclass
class Observed:
    """Ask for an organization, and commit its other state before chosen round trips."""

    api: Api
    way: RoundTrips
    states: TwoStates
    ids: list[str]
    trips: int = 0

    async def answer(self, document: Document, commits: range) -> Any:  # noqa: ANN401 JSON
        """Return the answer to an operation, before each of whose round trips of these numbers there is a commit."""
        self.trips = 0

        async def commit() -> None:
            self.trips += 1
            if self.trips in commits:
                await self.states.change()

        self.way.before = commit
        answer = (await self.api.post({"query": document.text, "variables": document.variables})).json()
        return answer | {"errors": sorted(map(str, answer.get("errors", ())))}

    async def answers(self, document: Document) -> list[Any]:
        """Return the answers of both states, when nothing is committed meanwhile."""
        found: dict[int, Any] = {}
        for _ in range(2):
            found[self.states.state] = await self.answer(document, range(0))
            await self.states.change()
        return [found[0], found[1]]

    async def check(self, document: Document, answers: list[Any]) -> int:
        """Commit before one round trip, each in turn, and then before all of them. Return how many there are."""
        number, is_beyond = 0, False
        while not is_beyond:
            number += 1
            found = await self.answer(document, range(number, number + 1))
            assert found in answers, f"of a commit before round trip {number} a part is seen: {document.text}"
            is_beyond = self.trips < number
        found = await self.answer(document, range(1, MANY))
        assert found in answers, f"of commits before all round trips some are seen: {document.text}"
        return number - 1


@pytest.fixture(scope="module", params=WAYS)
async def observed(
    request: pytest.FixtureRequest, owner: asyncpg.Connection, owner_url: str, schema: strawberry.Schema
) -> AsyncIterator[Observed]:
    """An organization with everything. With a pooler no statement stays prepared, so that each takes more round trips."""
    org = await tenant(owner, "One moment")
    full = await full_client(org, NAME, is_archived=False)
    states = TwoStates(org)
    for _ in range(2):  # also what was put in it has the values of a state then
        await states.change()
    ids = [
        global_id("Client", full.id),
        global_id("Client", full.other),
        global_id("Contact", full.shared),
        global_id("Organization", org.id),
    ]
    ids += [global_id("Project", full.projects[0]), global_id("Invoice", full.issued), global_id("ClientPortal", full.portal)]
    async with RoundTrips(runtime_url(owner_url)).listening() as way:
        limits = DatabaseLimits(read_pool_size=2, read_pool_timeout=30, statement_timeout=30)
        database = await Database.connect(way.url, limits, is_pooled=request.param == "pooled")
        limited = UNLIMITED.model_copy(update={"compiled_executor": request.param != "graphql-core"})
        async with connected(schema, database, limited) as http:
            yield Observed(Api(http, org.tokens[Role.OWNER]), way, states, ids)
        await database.close()


def parts(answer: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every object in the answer, by the names of the fields that lead to it."""
    if isinstance(answer, list):
        for each in answer:
            yield from parts(each, path)
    if isinstance(answer, dict):
        yield path, answer
        for name, value in answer.items():
            yield from parts(value, (*path, name))


def same(answers: list[Any]) -> set[tuple[str, ...]]:
    """Return the fields that have equal objects in both answers: of what state they are could not be told."""
    first, second = ([*parts(answer["data"])] for answer in answers)
    paths = {path for path, _ in [*first, *second]}
    return {path for path in paths if [part for of, part in first if of == path] == [part for of, part in second if of == path]}


@pytest.mark.parametrize(("observed", "name"), CASES, indirect=["observed"], scope="module")
async def test_c8_an_answer_is_of_one_moment(observed: Observed, name: str) -> None:
    """All of it is of before a commit or all of it of after, whichever round trips that comes between, and also when there are many."""
    document = Document(SHAPES[name], {"first": 3, "after": None, "id": observed.ids[0]})
    answers = await observed.answers(document)
    assert {path for path in same(answers) if path[-1] != "pageInfo"} == set()
    assert await observed.check(document, answers) > 0


async def random_documents(observed: Observed, schema: strawberry.Schema, data: st.DataObject) -> None:
    document = data.draw(documents(schema._schema, observed.ids, ["", "x"]))  # noqa: SLF001
    await observed.check(document, await observed.answers(document))


@settings(max_examples=8, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_c8_answers_to_random_documents_are_of_one_moment(observed: Observed, schema: strawberry.Schema, data: st.DataObject) -> None:
    await random_documents(observed, schema, data)


@pytest.mark.proof
@settings(max_examples=500, suppress_health_check=[*HealthCheck])
@given(data=st.data())
async def test_c8_answers_to_many_random_documents_are_of_one_moment(
    observed: Observed, schema: strawberry.Schema, data: st.DataObject
) -> None:
    await random_documents(observed, schema, data)
