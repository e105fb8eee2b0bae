"""The top-level packages have everyday names, so other distributions must not claim them; and the tree equals the README's description."""

import ast
import importlib
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["schema", "resolvers", "domain", "db", "server"]
TOP_LEVEL_FILES = {
    *(".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md"),
    *("benchmarks", "docs", "pyproject.toml", "requirements", "tests"),
}
LONGEST_FILE, LONGEST_FUNCTION = 350, 40
MIGRATIONS = "db/migrations/versions/"
TYPE_IMPORTS = re.compile(r"^if TYPE_CHECKING:\n((?:    .*\n)+)", re.MULTILINE)
INSTALLED_FOLDERS = {"node_modules", ".venv"}  # packages that the peers of the benchmarks install


@pytest.mark.parametrize("name", PACKAGES)
def test_top_level_names_belong_to_this_project(name: str) -> None:
    """It is imported from this checkout, and no other distribution claims it."""
    assert Path(importlib.import_module(name).__file__ or "").parent == ROOT / name
    assert set(packages_distributions().get(name, [])) <= {"relaties"}


def test_no_unexpected_files_at_the_top_level() -> None:
    """There are the folders of the design, and the files that tools expect beside them."""
    generated_names = {".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache", "__pycache__"}
    assert {path.name for path in ROOT.iterdir()} - generated_names == {*PACKAGES, *TOP_LEVEL_FILES}


def test_readme_describes_each_folder() -> None:
    rows = dict(re.findall(r"^\| `([a-z]+)/` \| (.+?) \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {*PACKAGES, "benchmarks", "tests"} <= set(rows)
    assert all(len(purpose) > 10 for purpose in rows.values())


def source_files() -> list[Path]:
    """Return the modules of the product, its benchmarks and its tests."""
    paths = [path for name in (*PACKAGES, "benchmarks", "tests") for path in (ROOT / name).rglob("*.py")]
    sources = [path for path in paths if not INSTALLED_FOLDERS.intersection(path.parts)]
    assert len(sources) > 50
    return sources


def test_no_file_exceeds_its_length_limit() -> None:
    assert {str(path): lines for path in source_files() if (lines := len(path.read_text().splitlines())) > LONGEST_FILE} == {}


def test_no_function_exceeds_its_length_limit() -> None:
    """Split a longer function into steps with names. Only migrations may be longer, because they list statements."""
    too_long, count = set[str](), 0
    for path in source_files():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(MIGRATIONS):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count += 1
                if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION:
                    too_long.add(f"{name}: {node.name}")
    assert count > 2_000
    assert too_long == set()


def test_every_module_has_a_docstring() -> None:
    """Only `__init__.py` files, which mark folders, have none."""
    empty = [
        path
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
        if path.name != "__init__.py" and not path.read_text().startswith('"""')
    ]
    assert empty == []


def test_only_the_schema_has_imports_for_type_checking_only() -> None:
    """Import contracts do not check such imports, so only modules of the schema may use them, to refer to each other's types."""
    paths = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    sections = {path.relative_to(ROOT): TYPE_IMPORTS.findall(path.read_text()) for path in paths if "TYPE_CHECKING:" in path.read_text()}
    assert sections
    assert {path.parts[0] for path in sections} == {"schema"}
    assert all(re.fullmatch(r"(    from schema[.\w]* import .+\n)+", section) for texts in sections.values() for section in texts)
    assert all(len(texts) == 1 for texts in sections.values())
