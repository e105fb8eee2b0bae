"""Test the check of pages on planted files."""

from pathlib import Path

from tests.style.check import MAX_README_LINES, check_pages


def test_words_and_old_names_in_pages_are_problems(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("A page.\nWhoever sends it\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/limits.md").write_text("Set `RELATIES_READERS`.\nWho\nasks first.\n")
    (tmp_path / "CHANGELOG.md").write_text("`RELATIES_READERS` is now `RELATIES_READ_POOL_SIZE`.\n")
    assert list(check_pages(tmp_path)) == [
        'README.md:2: "whoever": use a plain modern word.',
        'docs/limits.md:2: "who asks": use a plain modern word.',
        "docs/limits.md:1: RELATIES_READERS is now RELATIES_READ_POOL_SIZE.",
    ]


def test_a_long_readme_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Line\n" * MAX_README_LINES)
    assert list(check_pages(tmp_path)) == []
    (tmp_path / "README.md").write_text("Line\n" * (MAX_README_LINES + 1))
    assert list(check_pages(tmp_path)) == ["README.md has 161 lines, more than 160: move what teaches to docs/."]
