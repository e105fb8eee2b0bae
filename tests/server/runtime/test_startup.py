"""A server postpones work until it has started or until it is needed, so that it starts quickly."""

import subprocess
import sys

SERVER = "import server.cli.entry, server.cli.main, server.observability.logging, server.runtime.process\n"
LIST_MODULES = "import sys\nprint(*sys.modules)"
LIST_COMPILED_STATEMENTS = """import gc
from db.engine.statement import Command
there = [each for each in gc.get_objects() if issubclass(type(each), Command)]
print(len(there) > 0, sum("_sql_and_parameters" in vars(each) for each in there))"""
LIST_VALIDATORS = """from db.tables import Table
tables, complete = [Table], []
for each in tables:
    tables += each.__subclasses__()
    complete += [each.__name__] * each.__pydantic_complete__
print(len(tables) > 1, *complete)"""


def run_program(question: str) -> str:
    """Run the program in a Python process that has imported the server's modules, and return its output."""
    return subprocess.run([sys.executable, "-c", SERVER + question], text=True, capture_output=True, check=True).stdout.strip()  # noqa: S603


def test_startup_imports_nothing_optional() -> None:
    """Alembic is needed only to migrate, the demo only for its commands, and validators of contact details only for changes."""
    names = run_program(LIST_MODULES).split()
    assert {name.partition(".")[0] for name in names}.isdisjoint({"alembic", "mako", "phonenumbers", "email_validator"})
    assert "db.demo" not in names


def test_startup_compiles_no_statement() -> None:
    """Each statement is compiled when it is first used."""
    assert run_program(LIST_COMPILED_STATEMENTS) == "True 0"


def test_startup_builds_no_entity_validation() -> None:
    """Field sets validate input, so the tables' own validators are never needed."""
    assert run_program(LIST_VALIDATORS) == "True"
