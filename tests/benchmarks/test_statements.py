"""The peers ask what the product asks."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import strawberry

from benchmarks.bound import relations
from benchmarks.queries import CURSORS, asked, key_of
from benchmarks.statements import revenue_of_clients, shared, written
from db import demo
from db.engine.database import Database
from db.tables import Role
from db.tables.keys import new_id
from tests.ask import Api, connected
from tests.builders import Tenant
from tests.conftest import runtime_url
from tests.ids import global_id
from tests.plans import OF_TABLES

KEY = UUID(int=1)
CLIENT = global_id("Client", KEY)
NARROWED = re.compile(r"^SELECT [^(]* FROM \(|\) AS found$")
RELATIONS = ["contacts", "labels", "revenue"]


def test_the_peers_have_the_statements_of_the_product(tmp_path: Path) -> None:
    """Its text as it is, the names of its parameters in their order, its columns by the names of the fields."""
    written(tmp_path / "statements.json")
    given = json.loads((tmp_path / "statements.json").read_text())
    told = given["statements"]["revenue"]
    assert revenue_of_clients().sql in told["text"]
    assert '"is_total" AS "isTotal"' in told["text"]
    assert set(told["parameters"]) >= {"tenant", "ids", "start", "end"}
    assert given["tenant"] == str(demo.TENANT)


def test_only_active_clients_are_asked_for(tmp_path: Path) -> None:
    written(tmp_path / "statements.json")
    given = json.loads((tmp_path / "statements.json").read_text())["statements"]
    assert "archived_at IS NULL" in given["clients ACTIVE"]["text"]
    assert given["clients ALL next"]["parameters"].count("after_key") == 1


def test_postgraphile_is_asked_by_the_names_of_its_tables() -> None:
    """The same, but for names; all others are sent the query as it is."""
    for query in asked(CLIENT).values():
        assert query.body("mercurius-jit") == query.body() == {"query": query.text, "variables": query.variables}
        text = str(query.body("postgraphile")["query"])
        assert "allClients" in text or "clientByTenantIdAndRowId" in text
        assert "ACTIVE" not in text
    assert asked(CLIENT)["Q2"].body("postgraphile")["variables"] == {"id": key_of(CLIENT)} == {"id": str(KEY)}


def test_postgraphile_has_a_type_of_its_own_for_cursors() -> None:
    text = str(asked(CLIENT)["Q1"].body("postgraphile")["query"])
    assert "$after: Cursor" in text
    assert "first: $first, after: $after)" in text


@pytest.fixture
async def one_by_one(owner_url: str, schema: strawberry.Schema, crowded: Tenant) -> AsyncIterator[tuple[Api, list[str]]]:
    """A server that was asked nothing before, so that it sends each statement by itself; and what it sends."""
    statements: list[str] = []
    database = await Database.connect(runtime_url(owner_url), on_statement=statements.append)
    async with connected(schema, database) as http:
        yield Api(http, crowded.tokens[Role.OWNER]), statements
    await database.close()


@pytest.mark.parametrize(
    ("name", "is_next", "expected"),
    [
        ("Q1", False, ["clients ACTIVE", *RELATIONS]),
        ("Q1", True, ["clients ACTIVE next", *RELATIONS]),
        ("Q2", False, ["client", *RELATIONS]),
        ("Q3", True, ["clients ACTIVE next", *RELATIONS]),
        ("Q4", False, ["clients ACTIVE"]),
    ],
)
async def test_the_product_runs_what_the_peers_are_given(
    one_by_one: tuple[Api, list[str]], name: str, is_next: bool, expected: list[str]
) -> None:
    """The same texts, of which each reads the columns that it needs. Where it fails, `benchmarks.statements` has to follow."""
    api, statements = one_by_one
    page = (await api.data(CURSORS.replace("{ cursor }", "{ cursor node { id } }"), first=5, after=None))["clients"]["edges"]
    variables = {"id": page[0]["node"]["id"]} if name == "Q2" else {"first": 20, "after": page[4]["cursor"] if is_next else None}
    period = {} if name == "Q4" else {"period": {"since": "2026-01-01", "until": "2026-12-31"}}
    statements.clear()
    await api.data(asked("")[name].text, **variables, **period)
    texts = {each.query.sql: of for of, each in shared().items()}
    sent = [statement for statement in statements if statement.startswith("SELECT") and OF_TABLES in statement]
    assert [texts.get(statement, texts.get(NARROWED.sub("", statement))) for statement in sent] == expected


async def test_the_bound_runs_the_statements_with_all_their_arguments(owner: asyncpg.Connection) -> None:
    """The product's statements change, and the bound gives their arguments itself."""
    found = relations([new_id()], {"start": date(2026, 1, 1), "end": date(2026, 12, 31)})
    assert [len(await owner.fetch(sql, *arguments)) for sql, *arguments in found] == [0, 0, 1]
