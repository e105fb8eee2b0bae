"""Test operations that Schemathesis generates for every root field, valid and invalid ones: none causes an internal error."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import asyncpg
import pytest
import schemathesis
import strawberry
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.graphql import nodes

from db.engine.database import Database
from db.tables import Role
from schema.build import build
from schema.core.scalars import FIRST_YEAR, LAST_YEAR, SCALARS
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.mutation_inputs import create_world

SCHEMA = schemathesis.graphql.from_file(build().as_str())
OPERATIONS_BY_ROOT = {root: [*SCHEMA[root].values()] for root in ("Query", "Mutation")}
FIRST_DATE, LAST_DATE = f"{FIRST_YEAR}-01-01", f"{LAST_YEAR}-12-31"
VALID_VALUES = {  # for each custom scalar; Schemathesis knows those of GraphQL
    "CurrencyCode": st.just("EUR"),
    "Date": st.dates(date.fromisoformat(FIRST_DATE), date.fromisoformat(LAST_DATE)).map(str),
    "DateTime": st.datetimes(datetime.fromisoformat(FIRST_DATE), datetime.fromisoformat(LAST_DATE)).map(
        lambda moment: f"{moment.isoformat(timespec='seconds')}Z"
    ),
    "Decimal": st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4).map(str),
}
for name, strategy in VALID_VALUES.items():
    schemathesis.graphql.scalar(name, strategy.map(nodes.String))


def test_every_scalar_has_a_strategy() -> None:
    """The fixture `api` sets the strategy for ids, because they must be ids of its organization."""
    assert {scalar.name for scalar in SCALARS.values()} == {*VALID_VALUES, "ID"}


@pytest.fixture
async def api(database: Database, schema: strawberry.Schema, owner: asyncpg.Connection) -> AsyncIterator[Api]:
    """Create an organization with one object of each type. Ids are drawn from its ids and invalid ones, and no limit applies."""
    own_world = await create_world(owner)
    ids = [*own_world.ids.values(), "x", "Q2xpZW50OjE=", own_world.ids["Client"][:-4]]
    schemathesis.graphql.scalar("ID", st.sampled_from(ids).map(nodes.String))
    async with connect_client(schema, database, UNLIMITED) as http:
        yield Api(http, own_world.tenant.tokens[Role.OWNER])


def draw_cases(root: str, mode: GenerationMode, count: int) -> list[Case[Any]]:
    """Return `count` generated cases, which are the same in every run except for the ids."""
    drawn_cases = []

    @settings(max_examples=count, derandomize=True, database=None)
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(OPERATIONS_BY_ROOT[root]))
        drawn_cases.append(data.draw(operation.as_strategy(generation_mode=mode)))

    draw()
    return drawn_cases


@pytest.mark.parametrize("count", [25, pytest.param(250, marks=pytest.mark.proof)])
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("root", OPERATIONS_BY_ROOT)
async def test_generated_operations_cause_no_internal_error(
    api: Api, statements: list[str], root: str, mode: GenerationMode, count: int
) -> None:
    """More than half of the valid operations must return data, which shows that they reach the resolvers and the database."""
    answer_count = 0
    for case in draw_cases(root, mode, count):
        response = await api.post({"query": case.body})
        case.validate_response(response, checks=[not_a_server_error])
        answer_count += "data" in response.json()
    assert answer_count > (count / 2 if mode is GenerationMode.POSITIVE else -1)
    assert statements or mode is GenerationMode.NEGATIVE
