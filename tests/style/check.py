"""Check the language of names, words, docstrings and commits: `python -m tests.style.check`.

With `--shrink`, first remove the explained exceptions that no longer occur.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.style.exceptions import load_lists
from tests.style.history import HistoryRewrittenError, HistoryUnavailableError, read_commits
from tests.style.offenders import find_offenders, find_words_in_text
from tests.style.renames import Renames
from tests.style.sources import INSTALLED, PACKAGES, read_sources
from tests.style.subjects import find_faults

ROOT = Path(__file__).parents[2]
# The changelog and stored results contain the old names of their time, so they are not searched for those.
PAGES = (
    *("*.md", "docs/**/*.md", "tests/docs/**/*.md", "tests/docs/*.toml", "benchmarks/README.md", "benchmarks/*.lua"),
    *("Makefile", "pyproject.toml", ".ci/*"),
    *("schema/schema.graphql", "tests/db/golden/*.sql", "benchmarks/peers/*.*", "tests/interop/**/*.graphql"),
    *("server/graphiql/*.*", "server/graphiql/examples/*", "tests/interop/**/*.js", "tests/interop/**/*.ts"),
)
CHANGELOG = "CHANGELOG.md"
MAX_README_LINES = 160


def check_names(root: Path, *, is_shrinking: bool = False) -> Iterator[str]:
    """Yield what is wrong with names and words, and with the exceptions that explain some of them."""
    offenders = find_offenders(read_sources(root), Renames.load())
    for package, exceptions in load_lists(PACKAGES).items():
        own = [offender for offender in offenders if offender.path.startswith(f"{package}/")]
        if is_shrinking and exceptions.path.exists():
            exceptions.shrink(own)
        yield from type(exceptions).load(exceptions.path).find_problems(own)


def check_pages(root: Path) -> Iterator[str]:
    """Yield the old names and words in files other than Python: documents, the schema, SQL, JavaScript and settings of tools."""
    renames, paths = Renames.load(), {source.path for source in read_sources(root)}
    for page in sorted({page for pattern in PAGES for page in root.glob(pattern) if not INSTALLED.intersection(page.parts)}):
        path, text = page.relative_to(root).as_posix(), page.read_text()
        for line, word in find_words_in_text(text):
            yield f'{path}:{line}: "{word}": use a plain modern word.'
        for line, _, name, new in renames.find_in_page(path, text, paths) if path != CHANGELOG else ():
            yield f"{path}:{line}: {name} is now {new}."
    if (lines := len((root / "README.md").read_text().splitlines())) > MAX_README_LINES:
        yield f"README.md has {lines} lines, more than {MAX_README_LINES}: move what teaches to docs/."


def check_subjects(root: Path) -> Iterator[str]:
    """Yield what is wrong with the subjects of commits; where there is no history, only print so."""
    try:
        commits = read_commits(root)
    except HistoryUnavailableError as reason:
        print(f"Subjects of commits not checked: {reason}.")  # noqa: T201 the output of a program
    except HistoryRewrittenError as problem:
        yield f"{problem}."
    else:
        yield from (f'commit {commit.id} "{commit.subject}" {fault}.' for commit in commits for fault in find_faults(commit))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all problems; return 1 if there are any."""
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
