"""Check the language of names, words, docstrings and commits: `python -m tests.style.check`.

With `--shrink`, first remove the explained exceptions that no longer occur.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.style.exceptions import load_lists
from tests.style.history import HistoryRewrittenError, HistoryUnavailableError, read_commits
from tests.style.offenders import find_offenders
from tests.style.renames import Renames
from tests.style.sources import PACKAGES, read_sources
from tests.style.subjects import find_faults

ROOT = Path(__file__).parents[2]
# The changelog and stored results contain the old names of their time, so they are not checked.
PAGES = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md", "tests/docs/**/*.md", "tests/docs/*.toml"),
    *("benchmarks/README.md", "Makefile", "pyproject.toml", ".ci/*"),
    *("schema/schema.graphql", "tests/db/golden/*.sql", "benchmarks/peers/*.*", "tests/interop/**/*.graphql"),
)


def check_names(root: Path, *, is_shrinking: bool = False) -> Iterator[str]:
    """Yield the problems with names and words, and with the exceptions that explain some of them."""
    offenders = find_offenders(read_sources(root), Renames.load())
    for package, exceptions in load_lists(PACKAGES).items():
        own = [offender for offender in offenders if offender.path.startswith(f"{package}/")]
        if is_shrinking and exceptions.path.exists():
            exceptions.shrink(own)
        yield from type(exceptions).load(exceptions.path).find_problems(own)


def check_pages(root: Path) -> Iterator[str]:
    """Yield the old names in files other than Python: documents, the schema, SQL and settings of tools."""
    renames, paths = Renames.load(), {source.path for source in read_sources(root)}
    for page in sorted(page for pattern in PAGES for page in root.glob(pattern)):
        path = page.relative_to(root).as_posix()
        for line, _, name, new in renames.find_in_page(path, page.read_text(), paths):
            yield f"{path}:{line}: {name} is now {new}."


def check_subjects(root: Path) -> Iterator[str]:
    """Yield the problems with the subjects of commits. Without a history, only print that they are not checked."""
    try:
        commits = read_commits(root)
    except HistoryUnavailableError as reason:
        print(f"Subjects of commits not checked: {reason}.")  # noqa: T201 the output of a program
    except HistoryRewrittenError as problem:
        yield f"{problem}."
    else:
        yield from (f'commit {commit.id} "{commit.subject}" {fault}.' for commit in commits for fault in find_faults(commit))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all problems, and return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m tests.style.check", description="Check the language of names, words and commits.")
    parser.add_argument("--shrink", action="store_true", help="first remove explained exceptions that no longer occur")
    is_shrinking = parser.parse_args(arguments).shrink
    problems = [
        *check_names(ROOT, is_shrinking=is_shrinking),
        *check_pages(ROOT),
        *check_subjects(ROOT),
    ]
    for problem in problems:
        print(problem)  # noqa: T201 the output of a program
    print(f"Language: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}.")  # noqa: T201 the output of a program
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
