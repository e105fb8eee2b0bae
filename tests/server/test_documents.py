"""The memory for documents: bounded by what they take, whatever is sent."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest
import strawberry
from graphql.language import Token
from hypothesis import given
from hypothesis import strategies as st

from server.documents.cache import DocumentCache
from server.settings import DocumentLimits

LARGE = {
    "names": lambda place: "{" + "a " * 1900 + "}" + " " * place,
    "braces": lambda place: "{" + "a{b}" * 400 + "}" + " " * place,
    "a list": lambda place: "{a(b:[" + "1 " * 1900 + "])}" + " " * place,
    "a text": lambda place: '{a(b:"' + "🏃" * 15_000 + '")}' + " " * place,
    "an unclosed brace": lambda place: "{" + "a " * 1900 + " " * place,
    "too many tokens": lambda place: "{" + "a " * 7000 + " " * place,
    "too long": lambda place: "{" + "a" * 900_000 + " " * place,
    "wrong literals": lambda place: "{clients(search:{a:1},first:[[[true]]],filter:{country:[],kvkNumber:{}}){totalCount}}" + " " * place,
    "too deep": lambda place: "{a" * 900 + " " * place,
}


def documents(schema: strawberry.Schema, most_bytes: int) -> DocumentCache:
    return DocumentCache(schema._schema, DocumentLimits(), max_bytes=most_bytes, shows_schema=False)  # noqa: SLF001


@pytest.mark.parametrize("kind", LARGE)
def test_a_document_takes_no_more_than_is_reckoned(schema: strawberry.Schema, kind: str) -> None:
    """Measured, with what graphql-core makes of the densest there are and of their errors."""
    text: Callable[[int], str] = LARGE[kind]
    documents(schema, 10_000_000).get_or_parse(text(3))
    kept = documents(schema, 10_000_000)
    gc.collect()
    tracemalloc.start()
    assert all(kept.get_or_parse(text(place)).errors for place in range(12))
    for _ in range(2):  # what the first frees may wait in lists of the interpreter
        gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < kept.bytes + 10_000


def test_documents_too_long_to_be_read_displace_nobody(schema: strawberry.Schema) -> None:
    """They are refused by their length alone, each time."""
    kept = documents(schema, 100_000)
    first = kept.get_or_parse("{ __typename }")
    for place in range(10):
        assert kept.get_or_parse("{" + "a" * 100_000 + str(place)).errors
    assert kept.get(first.key) is first
    assert len(kept) == 1


def test_a_document_larger_than_all_room_is_answered_and_not_kept(schema: strawberry.Schema) -> None:
    """And leaves the memory as it would be found empty."""
    kept = documents(schema, 5000)
    assert not kept.get_or_parse("{ __typename " + "a: __typename " * 5 + "}").errors
    assert (len(kept), kept.bytes) == (0, 0)


@given(st.lists(st.integers(0, 30), max_size=60))
def test_those_asked_last_are_kept(schema: strawberry.Schema, asked: list[int]) -> None:
    """As many as there is room for, and what is reckoned is the sum of what is there."""
    kept = documents(schema, 30_000)
    for place in asked:
        kept.get_or_parse(f"{{ a{place}: __typename }}")
    keys = list(dict.fromkeys(kept.get_or_parse(f"{{ a{place}: __typename }}").key for place in reversed(asked)))
    held = [found for key in keys if (found := kept.get(key))]
    assert len(held) == len(kept) == min(len(keys), len(kept))
    assert kept.bytes == sum(document.size for document in held) <= 30_000


def test_new_documents_do_not_displace_those_that_are_used(schema: strawberry.Schema) -> None:
    """However many are sent once. Used ones have three quarters of the room at most, so that others can become used."""
    kept = documents(schema, 200_000)
    used = [kept.get_or_parse(f"{{ a{place}: __typename }}") for place in range(10)]
    assert [kept.get(each.key) for each in used] == used
    for place in range(300):
        kept.get_or_parse(f"{{ b{place}: __typename }}")
    assert [kept.get(each.key) for each in used] == used
    for place in range(300):
        assert kept.get_or_parse(f"{{ c{place}: __typename }}") is kept.get_or_parse(f"{{ c{place}: __typename }}")
    assert [kept.get(each.key) for each in used] == [None] * 10
    assert kept.bytes <= 200_000


def test_a_document_is_read_once(schema: strawberry.Schema) -> None:
    """The second time the very same is given; a refused one too."""
    kept = documents(schema, 100_000)
    for text in ("{ __typename }", "{ nothing }", "{"):
        assert kept.get_or_parse(text) is kept.get_or_parse(text)


def test_documents_that_are_not_kept_are_gone_at_once(schema: strawberry.Schema) -> None:
    """However old they were: nobody need look through all that is kept for them."""
    kept = documents(schema, 200_000)
    for number in range(200):
        kept.get_or_parse(f"{{ clients {{ nodes {{ gone{number}: name }} }} }}")
    gc.collect()  # what is left of them is old by now
    for number in range(len(kept)):
        kept.get_or_parse(f"{{ clients {{ nodes {{ kept{number}: name }} }} }}")
    left = [each.value for each in gc.get_objects() if isinstance(each, Token) and each.value and each.value.startswith(("gone", "kept"))]
    assert set(left) == {f"kept{number}" for number in range(len(kept))}
