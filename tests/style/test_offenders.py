"""Test that names and words that break the language rules are found, in small sources."""

from textwrap import dedent

import pytest

from tests.style.offenders import find_listed_words, find_offenders, find_openings, find_participles
from tests.style.renames import Renames
from tests.style.sources import Source

NO_RENAMES = Renames(modules={}, anywhere={}, in_module={}, settings={}, constants={}, words={})


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
def test_verbs_nouns_predicates_and_uses_do_not_offend(text: str) -> None:
    assert list(find_participles(source(text))) == []


def test_a_module_named_by_a_participle_offends() -> None:
    assert [offender.key for offender in find_participles(source("", "db/kept.py"))] == ["db/kept.py: participle module kept"]


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("def tell_anew(): ...\n", "db/module.py: word name anew", 1),
        ("row.isAnew = 1\n", "db/module.py: word name anew", 1),
        ('"""One.\n\nTwo anew.\n"""\n', "db/module.py: word docstring anew", 3),
        ("\n# Anew\n", "db/module.py: word comment anew", 2),
        ("print('Try anew!')\n", "db/module.py: word string anew", 1),
        ("print(f'{row} anew')\n", "db/module.py: word string anew", 1),
        ("print('SELECT tried_anew')\n", "db/module.py: word string anew", 1),
    ],
)
def test_listed_words_offend_everywhere(text: str, key: str, line: int) -> None:
    assert [(offender.key, offender.line) for offender in find_listed_words(source(text))] == [(key, line)]


def test_parts_of_other_words_do_not_offend() -> None:
    assert list(find_listed_words(source("def renew(): ...\nprint('canew anewer')  # swear, nightwear, software\n"))) == []


@pytest.mark.parametrize("opening", ["What it holds.", "Who sends it.", "Whose it is.", "How many.", "Of clients.", "`What` is."])
def test_docstrings_that_begin_with_a_noun_clause_offend(opening: str) -> None:
    text = f'def close():\n    """{opening}"""\n'
    assert [(offender.rule, offender.line) for offender in find_openings(source(text))] == [("opening", 2)]


@pytest.mark.parametrize("opening", ["Return what it holds.", "Offer it.", "However it is.", ""])
def test_other_docstrings_do_not_offend(opening: str) -> None:
    assert list(find_openings(source(f'def close():\n    """{opening}"""\n'))) == []


def test_all_rules_are_applied_in_the_order_of_places() -> None:
    sources = [source("def take(): ...\nclass Line: ...\n", "db/b.py"), source('"""Of it, anew."""\ndef kept(): ...\n', "db/a.py")]
    renames = Renames(modules={}, anywhere={"Line": "DriverConnection"}, in_module={}, settings={}, constants={}, words={})
    assert [offender.key for offender in find_offenders(sources, renames)] == [
        "db/a.py: opening docstring of",
        "db/a.py: word docstring anew",
        "db/a.py: participle function kept",
        "db/b.py: renamed class Line",
    ]
    assert len(find_offenders(sources, NO_RENAMES)) == 3
