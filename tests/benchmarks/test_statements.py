"""The peers ask what the product asks."""

import json
from pathlib import Path
from uuid import UUID

from benchmarks import statements
from benchmarks.queries import asked, key_of
from db import demo
from tests.ids import global_id

KEY = UUID(int=1)
CLIENT = global_id("Client", KEY)


def test_the_peers_have_the_statements_of_the_product(tmp_path: Path) -> None:
    """Its text as it is, the names of its parameters in their order, its columns by the names of the fields."""
    statements.written(tmp_path / "statements.json")
    given = json.loads((tmp_path / "statements.json").read_text())
    told = given["statements"]["revenue"]
    assert statements.revenue_of_clients().sql in told["text"]
    assert '"is_total" AS "isTotal"' in told["text"]
    assert set(told["parameters"]) >= {"tenant", "ids", "start", "end"}
    assert given["tenant"] == str(demo.TENANT)


def test_only_active_clients_are_asked_for(tmp_path: Path) -> None:
    statements.written(tmp_path / "statements.json")
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
