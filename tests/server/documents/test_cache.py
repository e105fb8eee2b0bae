"""The document cache is bounded by the memory that its documents take."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest
import strawberry
from graphql.language import Token
from hypothesis import given
from hypothesis import strategies as st

from server.documents.cache import DocumentCache
from server.limit_settings import DocumentLimits

LARGE = {
    "names": lambda index: "{" + "a " * 1900 + "}" + " " * index,
    "braces": lambda index: "{" + "a{b}" * 400 + "}" + " " * index,
    "a list": lambda index: "{a(b:[" + "1 " * 1900 + "])}" + " " * index,
    "a text": lambda index: '{a(b:"' + "🏃" * 15_000 + '")}' + " " * index,
    "an unclosed brace": lambda index: "{" + "a " * 1900 + " " * index,
    "too many tokens": lambda index: "{" + "a " * 7000 + " " * index,
    "too long": lambda index: "{" + "a" * 900_000 + " " * index,
    "wrong literals": lambda index: "{clients(search:{a:1},first:[[[true]]],filter:{country:[],kvkNumber:{}}){totalCount}}" + " " * index,
    "too deep": lambda index: "{a" * 900 + " " * index,
}


def create_document_cache(schema: strawberry.Schema, most_bytes: int) -> DocumentCache:
    return DocumentCache(schema._schema, DocumentLimits(), max_bytes=most_bytes, shows_schema=False)  # noqa: SLF001


@pytest.mark.parametrize("kind", LARGE)
def test_document_size_is_not_underestimated(schema: strawberry.Schema, kind: str) -> None:
    """This is measured with the documents for which graphql-core allocates the most memory for their length, including their errors."""
    text: Callable[[int], str] = LARGE[kind]
    create_document_cache(schema, 10_000_000).get_or_parse(text(3))
    cache = create_document_cache(schema, 10_000_000)
    gc.collect()
    tracemalloc.start()
    assert all(cache.get_or_parse(text(index)).errors for index in range(12))
    for _ in range(2):  # objects freed in the first pass may wait in free lists of the interpreter
        gc.collect()
    memory_used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert memory_used < cache.bytes + 10_000


def test_too_long_documents_evict_nothing(schema: strawberry.Schema) -> None:
    """They are rejected by their length alone, each time."""
    cache = create_document_cache(schema, 100_000)
    first = cache.get_or_parse("{ __typename }")
    for index in range(10):
        assert cache.get_or_parse("{" + "a" * 100_000 + str(index)).errors
    assert cache.get(first.key) is first
    assert len(cache) == 1


def test_document_larger_than_the_cache_is_answered_and_not_cached(schema: strawberry.Schema) -> None:
    """The cache is empty afterwards."""
    cache = create_document_cache(schema, 5000)
    assert not cache.get_or_parse("{ __typename " + "a: __typename " * 5 + "}").errors
    assert (len(cache), cache.bytes) == (0, 0)


@given(st.lists(st.integers(0, 30), max_size=60))
def test_least_recently_used_documents_are_evicted(schema: strawberry.Schema, order: list[int]) -> None:
    """As many documents stay as there is room for, and `bytes` is the sum of their sizes."""
    cache = create_document_cache(schema, 30_000)
    for index in order:
        cache.get_or_parse(f"{{ a{index}: __typename }}")
    keys = list(dict.fromkeys(cache.get_or_parse(f"{{ a{index}: __typename }}").key for index in reversed(order)))
    cached_documents = [cached for key in keys if (cached := cache.get(key))]
    assert len(cached_documents) == len(cache) == min(len(keys), len(cache))
    assert cache.bytes == sum(document.size for document in cached_documents) <= 30_000


def test_new_documents_do_not_evict_used_ones(schema: strawberry.Schema) -> None:
    """Used documents take at most three quarters of the room, so that others can become used."""
    cache = create_document_cache(schema, 200_000)
    used_documents = [cache.get_or_parse(f"{{ a{index}: __typename }}") for index in range(10)]
    assert [cache.get(each.key) for each in used_documents] == used_documents
    for index in range(300):
        cache.get_or_parse(f"{{ b{index}: __typename }}")
    assert [cache.get(each.key) for each in used_documents] == used_documents
    for index in range(300):
        assert cache.get_or_parse(f"{{ c{index}: __typename }}") is cache.get_or_parse(f"{{ c{index}: __typename }}")
    assert [cache.get(each.key) for each in used_documents] == [None] * 10
    assert cache.bytes <= 200_000


def test_document_is_parsed_once(schema: strawberry.Schema) -> None:
    """The second call returns the same object, also for a rejected document."""
    cache = create_document_cache(schema, 100_000)
    for text in ("{ __typename }", "{ nothing }", "{"):
        assert cache.get_or_parse(text) is cache.get_or_parse(text)


def test_evicted_documents_are_freed_at_once(schema: strawberry.Schema) -> None:
    """They must not become garbage that only the collector finds, even if they are old."""
    cache = create_document_cache(schema, 200_000)
    for number in range(200):
        cache.get_or_parse(f"{{ clients {{ nodes {{ gone{number}: name }} }} }}")
    gc.collect()  # moves the documents into the oldest generation
    for number in range(len(cache)):
        cache.get_or_parse(f"{{ clients {{ nodes {{ kept{number}: name }} }} }}")
    remaining = [
        each.value for each in gc.get_objects() if isinstance(each, Token) and each.value and each.value.startswith(("gone", "kept"))
    ]
    assert set(remaining) == {f"kept{number}" for number in range(len(cache))}
