"""Measure how well the code follows the language rules: `python -m tests.style.measure`. With `--list`, print every offender instead.

Names are counted where they are defined. Functions do not include tests. Variables are names bound by assignment, `for`, `with`,
`except`, `import … as`, comprehensions and fields of classes. For them only irregular participles count, because values such as
`parsed` or `created` are usual in good code.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from tests.style.history import HistoryRewrittenError, HistoryUnavailableError, read_commits
from tests.style.offenders import find_openings, find_participles, is_participle
from tests.style.sources import PRODUCT, Source, read_sources

ROOT = Path(__file__).parents[2]
AIMS = {"function": "under 1 %", "variable": "under 0.2 %"}
COUNTED_KINDS = ("function", "variable", "parameter", "attribute", "class", "module")


@dataclass(frozen=True)
class Figure:
    """A row of the table: the value for the product, for tests and benchmarks, and for both."""

    name: str
    values: tuple[str, ...]
    aim: str


def measure(root: Path, sources: Sequence[Source]) -> Iterator[Figure]:
    """Yield all figures of the tree."""
    for kind in COUNTED_KINDS:
        yield Figure(f"{kind} names that are a lone participle", _by_part(sources, _participle_share(kind)), AIMS.get(kind, "explained"))
    yield Figure("docstrings that begin with what/who/whose/how/of", _by_part(sources, _opening_share), "under 2 %")
    yield Figure("own-line comments, share of lines", _by_part(sources, _comment_share), "where the why is not obvious")
    yield Figure("commit subjects since the rule, mean length", ("", "", _mean_subject_length(root)), "at most 72")
    yield Figure("README, lines", ("", "", str(len((root / "README.md").read_text().splitlines()))), "about 150")


def list_offenders(sources: Sequence[Source]) -> Iterator[str]:
    """Yield every name and docstring that counts, as "path:line: name kind"."""
    for source in sources:
        for offender in (*find_participles(source), *find_openings(source)):
            yield f"{offender.path}:{offender.line}: {offender.name} {offender.kind}"


def format_table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table with aligned columns."""
    header = ("figure", "product", "tests and benchmarks", "all", "aim")
    rows = [header, *((figure.name, *figure.values, figure.aim) for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _by_part(sources: Sequence[Source], share: Callable[[Sequence[Source]], str]) -> tuple[str, ...]:
    product = [source for source in sources if source.package in PRODUCT]
    beside = [source for source in sources if source.package not in PRODUCT]
    return share(product), share(beside), share(sources)


def _participle_share(kind: str) -> Callable[[Sequence[Source]], str]:
    def share(sources: Sequence[Source]) -> str:
        names = [each for source in sources for each in source.definitions if each.kind == kind and not _is_test(each.kind, each.name)]
        return _format_share(sum(map(is_participle, names)), len(names))

    return share


def _is_test(kind: str, name: str) -> bool:
    return kind == "function" and name.startswith("test_")


def _opening_share(sources: Sequence[Source]) -> str:
    docstrings = sum(text.kind == "docstring" for source in sources for text in source.texts)
    return _format_share(sum(1 for source in sources for _ in find_openings(source)), docstrings)


def _comment_share(sources: Sequence[Source]) -> str:
    comments = sum(text.is_own_line for source in sources for text in source.texts)
    return _format_share(comments, sum(len(source.text.splitlines()) for source in sources))


def _format_share(count: int, total: int) -> str:
    return f"{count / total:.2%} ({count} of {total})" if total else "-"


def _mean_subject_length(root: Path) -> str:
    try:
        lengths = [len(commit.subject) for commit in read_commits(root)]
    except (HistoryUnavailableError, HistoryRewrittenError) as reason:
        return f"not measured: {reason}"
    return f"{mean(lengths):.0f} (of {len(lengths)})" if lengths else "no commit yet"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of figures, or every offender."""
    parser = argparse.ArgumentParser(prog="python -m tests.style.measure", description="Measure the figures of language.")
    parser.add_argument("--list", action="store_true", help="list every offender instead")
    is_listing = parser.parse_args(arguments).list
    sources = read_sources(ROOT)
    lines = list_offenders(sources) if is_listing else format_table(list(measure(ROOT, sources)))
    print("\n".join(lines))  # noqa: T201 the output of a program


if __name__ == "__main__":
    main()
