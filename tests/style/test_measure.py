"""The figures are measured correctly for small sources."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.style.measure import Figure, format_table, list_offenders, measure
from tests.style.sources import Source

PRODUCT = Source("db/pool.py", '"""Of pools."""\n\n# Why.\ndef kept(closed): ...\ndef take(): ...\nfound = row = parsed = 1\n')
TEST = Source("tests/test_pool.py", '"""Test pools."""\n\n\ndef test_pool(): ...\ndef closed(): ...\n')


@pytest.fixture
def figures(tmp_path: Path) -> dict[str, Figure]:
    (tmp_path / "README.md").write_text("One\nTwo\n")
    return {figure.name: figure for figure in measure(tmp_path, [PRODUCT, TEST])}


def values(figures: dict[str, Figure], name: str) -> Sequence[str]:
    return figures[name].values


def test_participles_are_counted_by_kind_and_part(figures: dict[str, Figure]) -> None:
    """Test functions are not counted, and as names of values only irregular participles are."""
    assert values(figures, "function names that are a lone participle") == ("50.00% (1 of 2)", "100.00% (1 of 1)", "66.67% (2 of 3)")
    assert values(figures, "variable names that are a lone participle") == ("33.33% (1 of 3)", "-", "33.33% (1 of 3)")
    assert values(figures, "parameter names that are a lone participle") == ("0.00% (0 of 1)", "-", "0.00% (0 of 1)")


def test_docstrings_comments_and_the_readme_are_measured(figures: dict[str, Figure]) -> None:
    assert values(figures, "docstrings that begin with what/who/whose/how/of") == ("100.00% (1 of 1)", "0.00% (0 of 1)", "50.00% (1 of 2)")
    assert values(figures, "own-line comments, share of lines") == ("16.67% (1 of 6)", "0.00% (0 of 5)", "9.09% (1 of 11)")
    assert values(figures, "README, lines") == ("", "", "2")


def test_without_history_the_table_says_why_subjects_are_not_measured(figures: dict[str, Figure]) -> None:
    assert values(figures, "commit subjects since the rule, mean length")[-1] == "not measured: this tree is no git repository"


def test_every_offender_is_listed_with_its_place() -> None:
    assert list(list_offenders([PRODUCT, TEST])) == [
        "db/pool.py:4: kept function",
        "db/pool.py:6: found variable",
        "db/pool.py:1: of docstring",
        "tests/test_pool.py:5: closed function",
    ]


def test_the_table_is_aligned() -> None:
    assert list(format_table([Figure("lines", ("1", "22", "23"), "few")])) == [
        "figure  product  tests and benchmarks  all  aim",
        "lines   1        22                    23   few",
    ]
