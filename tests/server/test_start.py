"""What a server leaves until after it answers, or until it is needed, so that it starts soon."""

import subprocess
import sys

SERVER = "import server.cli.entry, server.cli.main, server.observability.logging, server.runtime.process\n"
IMPORTED = "import sys\nprint(*sys.modules)"
COMPILED = """import gc
from db.engine.statement import Command
there = [each for each in gc.get_objects() if issubclass(type(each), Command)]
print(len(there) > 0, sum("_compiled" in vars(each) for each in there))"""
BUILT = """from db.tables import Table
tables, complete = [Table], []
for each in tables:
    tables += each.__subclasses__()
    complete += [each.__name__] * each.__pydantic_complete__
print(len(tables) > 1, *complete)"""


def said(question: str) -> str:
    """By a Python that has imported what a server does, and nothing else."""
    return subprocess.run([sys.executable, "-c", SERVER + question], text=True, capture_output=True, check=True).stdout.strip()  # noqa: S603


def test_it_imports_nothing_that_it_may_never_need() -> None:
    """Alembic is for the start that has a step to take; the demo for who asks for it; telephones and e-mail for a change of them."""
    names = said(IMPORTED).split()
    assert {name.partition(".")[0] for name in names}.isdisjoint({"alembic", "mako", "phonenumbers", "email_validator"})
    assert "db.demo" not in names


def test_it_compiles_no_statement() -> None:
    """That is done for each when it is first used."""
    assert said(COMPILED) == "True 0"


def test_it_builds_no_validation_of_entities() -> None:
    """Rules check sets of fields, and entities are made of what they let through."""
    assert said(BUILT) == "True"
