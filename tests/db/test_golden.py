"""The SQL of all queries is stored in golden files, so that a review shows every change of it."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from db import queries
from db.engine.statement import Command
from tests.support.product_queries import ALL

GOLDEN = Path(__file__).parent / "golden"


def format_sql(sql: str) -> str:
    """Put each column on a line of its own, so that diffs are short."""
    return sql.replace(", ", ",\n  ").replace(" \n", "\n").strip() + "\n"


@pytest.mark.parametrize("name", ALL)
def test_sql_equals_the_reviewed_files(name: str) -> None:
    """After an intended change, copy the new SQL of the failed case to `golden/<name>.sql`."""
    assert format_sql(ALL[name].sql) == (GOLDEN / f"{name}.sql").read_text()


def test_every_golden_file_belongs_to_a_query() -> None:
    assert {path.stem for path in GOLDEN.glob("*.sql")} == set(ALL)


def iterate_statements() -> Iterator[tuple[str, Command]]:
    """Yield the statements that the modules of `db.queries` define, as constants or in dictionaries."""
    for module in pkgutil.iter_modules(queries.__path__):
        for name, value in vars(import_module(f"db.queries.{module.name}")).items():
            for each in value.values() if isinstance(value, dict) else [value]:
                if isinstance(each, Command):
                    yield f"{module.name}.{name}", each


def test_every_statement_has_a_golden_file() -> None:
    """The server compiles a statement at its first use. The comparison with its golden file compiles it here."""
    known_ids = {id(each) for each in ALL.values()}
    assert [name for name, each in iterate_statements() if id(each) not in known_ids] == []
