"""Test which names and words offend, on planted sources."""

from textwrap import dedent

import pytest

from tests.style.offenders import find_openings, find_participles
from tests.style.sources import Source


def source(text: str, path: str = "db/module.py") -> Source:
    return Source(path, dedent(text))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("class Pool:\n    def _kept(self): ...\n", "db/module.py: participle function Pool._kept"),
        ("async def closed(): ...\n", "db/module.py: participle function closed"),
        ("class Kept: ...\n", "db/module.py: participle class Kept"),
        ("def take(kept): ...\n", "db/module.py: participle parameter kept"),
        ("class Pool:\n    kept: int\n", "db/module.py: participle variable kept"),
        ("KEPT = 1\n", "db/module.py: participle variable KEPT"),
        ("for kept in rows: ...\n", "db/module.py: participle variable kept"),
        ("self._kept = 1\n", "db/module.py: participle attribute _kept"),
    ],
)
def test_lone_participles_offend(text: str, key: str) -> None:
    assert [offender.key for offender in find_participles(source(text))] == [key]


@pytest.mark.parametrize(
    "text",
    [
        "def is_kept(): ...\n",
        "def read(): ...\n",
        "kept_rows = 1\n",
        "parsed = 1\n",
        "def take(closed): ...\n",
        "print(kept)\n",
        "class Embedded: ...\n",
    ],
)
def test_verbs_nouns_predicates_and_uses_do_not(text: str) -> None:
    assert list(find_participles(source(text))) == []


def test_a_module_named_by_a_participle_offends() -> None:
    assert [offender.key for offender in find_participles(source("", "db/kept.py"))] == ["db/kept.py: participle module kept"]


@pytest.mark.parametrize("opening", ["What is kept.", "Who asks.", "Whose it is.", "How many.", "Of clients.", "`What` is."])
def test_docstrings_that_begin_with_a_noun_clause_offend(opening: str) -> None:
    text = f'def close():\n    """{opening}"""\n'
    assert [(offender.rule, offender.line) for offender in find_openings(source(text))] == [("opening", 2)]


@pytest.mark.parametrize("opening", ["Return what is kept.", "Offer it.", "However it is.", ""])
def test_other_docstrings_do_not(opening: str) -> None:
    assert list(find_openings(source(f'def close():\n    """{opening}"""\n'))) == []
