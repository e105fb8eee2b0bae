"""Exceptions explain offenders, and their lists only become shorter."""

from pathlib import Path

import pytest

from tests.style.exceptions import ExceptionList, load_lists
from tests.style.offenders import Offender

LIST = """\
# A comment.
maximum = 3

[reasons]
names = "The issue on names renames it."

[exceptions]
"db/a.py: participle function kept" = { count = 1, reason = "names" }
"db/a.py: participle variable found" = { count = 2, reason = "names" }
"""


def offender(name: str, kind: str = "variable", line: int = 1) -> Offender:
    return Offender("db/a.py", line, "participle", kind, name, "rename it")


FUNCTION = offender("kept", "function")
VARIABLES = [offender("found", line=2), offender("found", line=3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "db.toml"
    path.write_text(LIST)
    return path


def problems(path: Path, *offenders: Offender) -> list[str]:
    return list(ExceptionList.load(path).find_problems(offenders))


def test_explained_offenders_are_no_problem(path: Path) -> None:
    assert problems(path, FUNCTION, *VARIABLES) == []


def test_lines_may_move(path: Path) -> None:
    assert problems(path, offender("kept", "function", line=99), *VARIABLES) == []


def test_unexplained_offender_is_a_problem(path: Path) -> None:
    assert problems(path, FUNCTION, *VARIABLES, offender("drawn", line=7)) == ["db/a.py:7: participle variable drawn: rename it."]


def test_one_more_place_than_explained_is_a_problem(path: Path) -> None:
    assert problems(path, FUNCTION, *VARIABLES, offender("found", line=9)) == [
        "db/a.py:2, 3, 9: participle variable found (3 places, 2 of them explained): rename it."
    ]


def test_exception_that_no_longer_occurs_must_be_removed(path: Path) -> None:
    assert problems(path, *VARIABLES) == [
        'db.toml: "db/a.py: participle function kept" no longer occurs: remove it (`python -m tests.style.check --shrink` does it).'
    ]


def test_a_count_that_is_too_high_must_be_lowered(path: Path) -> None:
    occurrences = 'db.toml: "db/a.py: participle variable found" occurs 1 times, not 2'
    assert problems(path, FUNCTION, VARIABLES[0]) == [f"{occurrences}: lower its count (`python -m tests.style.check --shrink` does it)."]


def test_a_list_cannot_grow_beyond_its_maximum(path: Path) -> None:
    path.write_text(LIST + '"db/a.py: participle variable drawn" = { count = 1, reason = "names" }\n')
    assert problems(path, FUNCTION, *VARIABLES, offender("drawn")) == [
        "db.toml: explains 4 places, more than its maximum of 3: rename instead of adding exceptions."
    ]


def test_a_maximum_that_is_too_high_must_be_lowered(path: Path) -> None:
    path.write_text(LIST.replace("maximum = 3", "maximum = 5"))
    assert problems(path, FUNCTION, *VARIABLES) == [
        "db.toml: explains 3 places: lower its maximum of 5 to that (`python -m tests.style.check --shrink` does it)."
    ]


def test_every_exception_needs_a_reason(path: Path) -> None:
    path.write_text(LIST.replace('{ count = 1, reason = "names" }', '{ count = 1, reason = "law" }'))
    assert problems(path, FUNCTION, *VARIABLES) == [
        'db.toml: "db/a.py: participle function kept" has no reason: add "law" to [reasons] with a sentence.'
    ]


def test_shrinking_removes_entries_and_lowers_counts_but_never_adds(path: Path) -> None:
    ExceptionList.load(path).shrink([VARIABLES[0], offender("drawn")])
    assert path.read_text() == (
        LIST.replace("maximum = 3", "maximum = 1")
        .replace('"db/a.py: participle function kept" = { count = 1, reason = "names" }\n', "")
        .replace("count = 2", "count = 1")
    )
    assert problems(path, VARIABLES[0], offender("drawn", line=7)) == ["db/a.py:7: participle variable drawn: rename it."]


def test_shrinking_changes_nothing_while_all_exceptions_occur(path: Path) -> None:
    ExceptionList.load(path).shrink([FUNCTION, *VARIABLES, offender("found", line=9)])
    assert path.read_text() == LIST


def test_a_package_without_a_file_has_no_exceptions(path: Path) -> None:
    lists = load_lists(["schema"], path.parent)
    assert list(lists) == ["db", "schema"]
    assert list(lists["schema"].find_problems([FUNCTION])) == ["db/a.py:1: participle function kept: rename it."]
