"""The list of files with old docstrings only becomes shorter. ruff checks a small tree that the tests create."""

from pathlib import Path

import pytest

from tests.style.docstrings import find_breaking_files, find_problems, shrink_list

LIST = """\
# maximum = 3
[lint.extend-per-file-ignores]
"../../db/old.py" = ["D401"]
"../../db/rewritten.py" = ["D401"]
"../../db/gone.py" = ["D401"]
"""
REMOVE = "remove it (`python -m tests.style.check --shrink` does it)."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    (tmp_path / "db/old.py").write_text('def close():\n    """Closes it."""\n')
    (tmp_path / "db/rewritten.py").write_text('def close():\n    """Close it."""\n')
    (tmp_path / "db/new.py").write_text('def close():\n    """Closes it."""\n')
    (tmp_path / "list.toml").write_text(LIST)
    return tmp_path


def problems(root: Path, text: str | None = None) -> list[str]:
    if text:
        (root / "list.toml").write_text(text)
    return list(find_problems(root, root / "list.toml"))


def test_superfluous_files_are_reported(root: Path) -> None:
    assert problems(root) == [
        f"list.toml: db/rewritten.py keeps to ruff's D401 now: {REMOVE}",
        f"list.toml: db/gone.py no longer exists: {REMOVE}",
    ]


def test_the_list_cannot_grow(root: Path) -> None:
    longer = '# maximum = 1\n[lint.extend-per-file-ignores]\n"../../db/old.py" = ["D401"]\n"../../db/new.py" = ["D401"]\n'
    assert problems(root, longer) == [
        "list.toml: lists 2 files, more than its maximum of 1: rewrite the docstrings instead of adding files.",
    ]
    assert problems(root, longer.replace("= 1\n", "= 5\n")) == [
        "list.toml: lists 2 files: lower its maximum of 5 to that (`python -m tests.style.check --shrink` does it).",
    ]


def test_shrinking_removes_superfluous_files_and_adds_none(root: Path) -> None:
    assert find_breaking_files(root) == {"db/old.py", "db/new.py"}
    shrink_list(root, root / "list.toml")
    assert (root / "list.toml").read_text() == '# maximum = 1\n[lint.extend-per-file-ignores]\n"../../db/old.py" = ["D401"]\n'
    assert problems(root) == []
