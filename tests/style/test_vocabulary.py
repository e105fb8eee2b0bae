"""Participles are recognized, and identifiers are split into words."""

import pytest

from tests.style.vocabulary import is_irregular_participle, is_lone_participle, split_words


@pytest.mark.parametrize("name", ["kept", "_kept", "found", "Shown", "SHOWN", "unsent", "rebuilt", "closed", "_parsed", "used"])
def test_a_single_participle_is_recognized(name: str) -> None:
    assert is_lone_participle(name)


@pytest.mark.parametrize(
    "name",
    [
        *("read", "set", "put", "run"),  # the base form of the verb too
        *("is_kept", "kept_rows", "find_closed", "keptRows", "isKept"),  # several words
        *("embedded", "need", "seed", "speed", "unknown", "expected"),  # standard terms
        *("keep", "red", "bed", "T", "_", "__init__"),
    ],
)
def test_other_names_are_not_recognized_as_participles(name: str) -> None:
    assert not is_lone_participle(name)
    assert not is_irregular_participle(name)


def test_regular_participles_are_not_irregular() -> None:
    assert not is_irregular_participle("closed")
    assert is_irregular_participle("_kept")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kept_at", ["kept", "at"]),
        ("keptAt", ["kept", "at"]),
        ("MAX_KEPT", ["max", "kept"]),
        ("_HTTPServer2", ["http", "server"]),
    ],
)
def test_identifiers_are_split_into_words(name: str, words: list[str]) -> None:
    assert split_words(name) == words
