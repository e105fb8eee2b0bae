"""The SQL of the queries, kept beside the tests, so that a review sees it change."""

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
    """Put each column on a line, so that a difference is short."""
    return sql.replace(", ", ",\n  ").replace(" \n", "\n").strip() + "\n"


@pytest.mark.parametrize("name", ALL)
def test_sql_equals_the_reviewed_files(name: str) -> None:
    """After a change on purpose, put the new text into the file that this names."""
    assert format_sql(ALL[name].sql) == (GOLDEN / f"{name}.sql").read_text()


def test_every_golden_file_belongs_to_a_query() -> None:
    """None is left behind."""
    assert {path.stem for path in GOLDEN.glob("*.sql")} == set(ALL)


def module_statements() -> Iterator[tuple[str, Command]]:
    """Those that a module of queries has by name, alone or among others."""
    for module in pkgutil.iter_modules(queries.__path__):
        for name, value in vars(import_module(f"db.queries.{module.name}")).items():
            for each in value.values() if isinstance(value, dict) else [value]:
                if isinstance(each, Command):
                    yield f"{module.name}.{name}", each


def test_every_statement_compiles() -> None:
    """A server does so when it first needs one: what is wrong with it is found here."""
    known_ids = {id(each) for each in ALL.values()}
    assert [name for name, each in module_statements() if id(each) not in known_ids] == []
