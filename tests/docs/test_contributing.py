"""Check that CONTRIBUTING.md shows what there is: its diffs fit the code, its commands write the generated files, its tests exist."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_shell_blocks import run_script, shell_blocks
from tests.support.pages import BLOCKS, ROOT, Block
from tests.support.processes import BIN, build_environment

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
DIFFS = [block for block in BLOCKS if block.kind == "diff"]
FOLDERS = ("db", "domain", "resolvers", "schema", "server", "tests")
TEXT = re.compile(r'"""[^"]*"""|"[^"]*"')
MOST = {"field": (3, 3), "mutation": (33, 4)}  # lines and files, as they were before


def split_files(diff: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each file of a diff and its hunks."""
    for part in diff.split("diff --git ")[1:]:
        head, *hunks = re.split(r"^@@.*@@.*\n", part, flags=re.MULTILINE)
        path = re.search(r"^\+\+\+ b/(.*)$", head, re.MULTILINE)
        assert path
        yield path[1], hunks


def without_texts(lines: str) -> str:
    """Replace the texts in code: descriptions may be reworded, and the diff is still right."""
    return TEXT.sub('""', lines)


def added_lines(diff: str) -> int:
    return len(re.findall(r"^\+(?!\+\+ )", diff, re.MULTILINE))


@pytest.mark.parametrize("block", DIFFS, ids=lambda block: block.name)
def test_diff_fits_the_code(block: Block) -> None:
    """The lines that stay or go are in the file, one after the other; the lines that come are not."""
    for path, hunks in split_files(block.text):
        code = without_texts((ROOT / path).read_text())
        for hunk in hunks:
            lines = hunk.splitlines(keepends=True)
            before = without_texts("".join(line[1:] for line in lines if not line.startswith("+")))
            assert before in code, f"{path}: these lines are no longer there:\n{before}"


@pytest.mark.parametrize("block", DIFFS, ids=lambda block: block.name)
def test_page_counts_the_lines_and_files_of_a_diff(block: Block) -> None:
    before = PAGE[: PAGE.index(block.text)]
    lines, files = map(int, re.findall(r"(\d+) lines in (\d+)\s+files", before)[-1])
    assert (lines, files) == (added_lines(block.text), len([*split_files(block.text)]))
    noun = re.findall(r"^## Add an? (\w+)$", before, re.MULTILINE)[-1]
    assert (lines, files) <= MOST.get(noun, (lines, files))
    assert files <= MOST.get(noun, (lines, files))[1]


@pytest.mark.parametrize("line", [line for block in shell_blocks("pytest") for line in block.text.splitlines()])
def test_example_selects_tests(line: str) -> None:
    assert re.search(r"\d+(/\d+)? tests? collected|: [1-9]\d*", run_script(f"{line} --collect-only -p no:cacheprovider"))


def test_commands_write_the_generated_files(tmp_path: Path) -> None:
    """In a copy they write what is committed."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    (tmp_path / ".venv").symlink_to(BIN.parent)
    generated = [Path("schema/schema.graphql"), *(path.relative_to(ROOT) for path in (ROOT / "tests/db/golden").iterdir())]
    for path in generated:
        (tmp_path / path).write_text("")
    (block,) = shell_blocks("generate")
    command = ["bash", "-euo", "pipefail", "-c", block.text]
    result = subprocess.run(command, cwd=tmp_path, env=build_environment(), text=True, capture_output=True, check=False, timeout=120)  # noqa: S603
    assert result.returncode == 0, result.stderr
    assert [path for path in generated if (tmp_path / path).read_text() != (ROOT / path).read_text()] == []
