"""Test the mapping from code paths to the stages of a query."""

import pytest

from benchmarks.servers import ROOT
from benchmarks.stages import STAGES, stage_of_file

FOLDERS = ("server", "schema", "resolvers", "domain", "db")


def test_the_paths_of_all_stages_exist() -> None:
    """If a path were moved, its time would silently count for another stage."""
    assert [path for path in STAGES if not (ROOT / path).exists()] == []


def test_every_path_comes_before_its_folder() -> None:
    paths = list(STAGES)
    assert [path for place, path in enumerate(paths) if path.startswith(tuple(paths[:place]))] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_has_a_stage(folder: str) -> None:
    modules = list((ROOT / folder).rglob("*.py"))
    assert modules
    assert [module for module in modules if stage_of_file(str(module)) is None] == []


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        (str(ROOT / "server/documents/cost_formula.py"), "cost of an operation"),
        (str(ROOT / "server/documents/cache.py"), "request, checks, answer, log"),
        (str(ROOT / "resolvers/execution/run.py"), "rows become dicts"),
        (str(ROOT / "resolvers/execution/arguments.py"), "arguments become calls"),
        (str(ROOT / "resolvers/clients.py"), "arguments become calls"),
        (str(ROOT / "db/engine/batching.py"), "statements and their rows"),
        ("<string>", "rows become dicts"),
        (str(ROOT / ".venv/lib/python3.11/site-packages/db/module.py"), None),
        ("/usr/lib/python3.11/asyncio/events.py", None),
    ],
)
def test_longest_path_decides(file: str, stage: str | None) -> None:
    assert stage_of_file(file) == stage
