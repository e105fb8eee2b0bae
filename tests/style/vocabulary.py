"""Load the words that the checks look for, and recognize names that are a lone past participle."""

import re
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
SHORTEST_REGULAR = len("used")
ONE_WORD = re.compile(r"_*([A-Za-z][a-z]*|[A-Z]+)_*")

_data = tomllib.loads((HERE / "words.toml").read_text())
LISTED = frozenset[str](_data["listed"])
OPENINGS = frozenset[str](_data["openings"])
IRREGULAR = frozenset[str](_data["participles"]["irregular"])
PREFIXES = ("", *_data["participles"]["prefixes"])
STANDARD = frozenset[str](_data["participles"]["standard"])
BASE_FORMS = frozenset[str](_data["subjects"]["base_forms"])
NEVER_VERBS = frozenset[str](_data["subjects"]["never_verbs"])


def is_irregular_participle(name: str) -> bool:
    """Return whether the identifier is one word, and an irregular participle such as `kept` or `_unsent`."""
    word = _single_word(name)
    return word not in STANDARD and any(word.removeprefix(prefix) in IRREGULAR for prefix in PREFIXES)


def is_lone_participle(name: str) -> bool:
    """Return whether the identifier is one word, and a participle such as `kept` or `closed`."""
    word = _single_word(name)
    is_regular = word.endswith("ed") and len(word) >= SHORTEST_REGULAR and word not in STANDARD
    return is_regular or is_irregular_participle(name)


def split_words(name: str) -> list[str]:
    """Return the lower-case words of a snake_case, camelCase or CONSTANT_CASE identifier."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def _single_word(name: str) -> str:
    match = ONE_WORD.fullmatch(name)
    return match[1].lower() if match else ""
