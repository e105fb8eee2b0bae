"""The peers run the same statements as the product."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import strawberry

from benchmarks.asyncpg_baseline import relation_statements
from benchmarks.peer_statements import revenue_query, shared_queries, write_statements
from benchmarks.queries import CURSORS, build_queries, decode_key
from db import demo
from db.engine.database import Database
from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api, connect_client
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.explain import FROM_TABLES
from tests.support.ids import global_id

KEY = UUID(int=1)
CLIENT = global_id("Client", KEY)
COLUMN_SELECTION = re.compile(r"^SELECT [^(]* FROM \(|\) AS found$")
RELATIONS = ["contacts", "labels", "revenue"]


def test_peers_run_the_statements_of_the_product(tmp_path: Path) -> None:
    """The text is unchanged, parameters have their names in order, and columns have the names of the GraphQL fields."""
    write_statements(tmp_path / "statements.json")
    statements_file = json.loads((tmp_path / "statements.json").read_text())
    revenue_statement = statements_file["statements"]["revenue"]
    assert revenue_query().sql in revenue_statement["text"]
    assert '"is_total" AS "isTotal"' in revenue_statement["text"]
    assert set(revenue_statement["parameters"]) >= {"tenant", "ids", "start", "end"}
    assert statements_file["tenant"] == str(demo.TENANT)


def test_only_active_clients_are_selected(tmp_path: Path) -> None:
    write_statements(tmp_path / "statements.json")
    statements_by_name = json.loads((tmp_path / "statements.json").read_text())["statements"]
    assert "archived_at IS NULL" in statements_by_name["clients ACTIVE"]["text"]
    assert statements_by_name["clients ALL next"]["parameters"].count("after_key") == 1


def test_postgraphile_query_uses_its_table_names() -> None:
    """Only names differ. All other servers get the query unchanged."""
    for query in build_queries(CLIENT).values():
        assert query.build_body("mercurius-jit") == query.build_body() == {"query": query.text, "variables": query.variables}
        text = str(query.build_body("postgraphile")["query"])
        assert "allClients" in text or "clientByTenantIdAndRowId" in text
        assert "ACTIVE" not in text
    assert build_queries(CLIENT)["Q2"].build_body("postgraphile")["variables"] == {"id": decode_key(CLIENT)} == {"id": str(KEY)}


def test_postgraphile_has_a_separate_type_for_cursors() -> None:
    text = str(build_queries(CLIENT)["Q1"].build_body("postgraphile")["query"])
    assert "$after: Cursor" in text
    assert "first: $first, after: $after)" in text


@pytest.fixture
async def single_statement_api(owner_url: str, schema: strawberry.Schema, sample_org: Tenant) -> AsyncIterator[tuple[Api, list[str]]]:
    """Yield a new server and the list of its statements. It sends each separately, since it batches only queries seen before."""
    statements: list[str] = []
    database = await Database.connect(runtime_url(owner_url), on_statement=statements.append)
    async with connect_client(schema, database) as http:
        yield Api(http, sample_org.tokens[Role.OWNER]), statements
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
async def test_product_runs_the_statements_given_to_peers(
    single_statement_api: tuple[Api, list[str]], name: str, is_next: bool, expected: list[str]
) -> None:
    """The texts are the same, apart from the selected columns. If this fails, adapt `benchmarks.peer_statements`."""
    api, statements = single_statement_api
    page = (await api.data(CURSORS.replace("{ cursor }", "{ cursor node { id } }"), first=5, after=None))["clients"]["edges"]
    variables = {"id": page[0]["node"]["id"]} if name == "Q2" else {"first": 20, "after": page[4]["cursor"] if is_next else None}
    period = {} if name == "Q4" else {"period": {"since": "2026-01-01", "until": "2026-12-31"}}
    statements.clear()
    await api.data(build_queries("")[name].text, **variables, **period)
    texts = {each.query.sql: statement_name for statement_name, each in shared_queries().items()}
    product_statements = [statement for statement in statements if statement.startswith("SELECT") and FROM_TABLES in statement]
    assert [texts.get(statement, texts.get(COLUMN_SELECTION.sub("", statement))) for statement in product_statements] == expected


async def test_baseline_runs_the_statements_with_all_their_arguments(owner: asyncpg.Connection) -> None:
    """The baseline passes the arguments of the product's statements itself, so it must follow their changes."""
    bound_statements = relation_statements([new_id()], {"start": date(2026, 1, 1), "end": date(2026, 12, 31)})
    assert [len(await owner.fetch(sql, *arguments)) for sql, *arguments in bound_statements] == [0, 0, 1]
