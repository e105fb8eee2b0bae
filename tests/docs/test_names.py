"""Test that the files and programs that the documents name exist."""

import re
from importlib.util import find_spec

import pytest

from tests.support.pages import PAGES, ROOT

FILE = re.compile(r"`((?:server|schema|resolvers|domain|db|tests|benchmarks|docs|requirements)/[\w./*-]*)`")
PROGRAM = re.compile(r"python -m ((?:benchmarks|tests)(?:\.\w+)+)")


def test_pages_name_files_and_programs() -> None:
    """If the patterns matched nothing, the other tests would check nothing."""
    texts = [(ROOT / page).read_text() for page in PAGES]
    assert sum(len(FILE.findall(text)) for text in texts) > 20
    assert sum(len(PROGRAM.findall(text)) for text in texts) > 5


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page: str) -> None:
    names = FILE.findall((ROOT / page).read_text())
    assert [name for name in names if not any(ROOT.glob(name))] == []


@pytest.mark.parametrize("page", PAGES)
def test_programs_that_a_page_names_exist(page: str) -> None:
    names = PROGRAM.findall((ROOT / page).read_text())
    assert [name for name in names if find_spec(name) is None] == []
