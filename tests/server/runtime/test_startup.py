"""What a server leaves until after it answers, or until it is needed, so that it starts soon."""

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
    """Run the program in a Python that has imported what a server imports."""
    return subprocess.run([sys.executable, "-c", SERVER + question], text=True, capture_output=True, check=True).stdout.strip()  # noqa: S603


def test_startup_imports_nothing_optional() -> None:
    """Alembic is for the start that has a step to take; the demo for who asks for it; telephones and e-mail for a change of them."""
    names = run_program(LIST_MODULES).split()
    assert {name.partition(".")[0] for name in names}.isdisjoint({"alembic", "mako", "phonenumbers", "email_validator"})
    assert "db.demo" not in names


def test_startup_compiles_no_statement() -> None:
    """That is done for each when it is first used."""
    assert run_program(LIST_COMPILED_STATEMENTS) == "True 0"


def test_startup_builds_no_entity_validation() -> None:
    """Rules check sets of fields, and entities are made of what they let through."""
    assert run_program(LIST_VALIDATORS) == "True"
