"""Find the names and words that the rules of language forbid."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.style.renames import Renames
from tests.style.sources import Definition, Source
from tests.style.vocabulary import LISTED, OPENINGS, is_irregular_participle, is_lone_participle, split_words

FIRST_WORD = re.compile(r"\W*([A-Za-z']+)")
_SPACED = "|".join(sorted(LISTED)).replace(" ", r"\s+")
LISTED_WORD = re.compile(rf"(?<![A-Za-z])({_SPACED})(?![A-Za-z])", re.IGNORECASE)

# A participle may not name a function, class or module. As names of values, regular participles such as `parsed` are usual in
# good code, so only irregular ones count there.
PARTICIPLE_RULES: dict[str, Callable[[str], bool]] = {
    "function": is_lone_participle,
    "class": is_lone_participle,
    "module": is_lone_participle,
    "variable": is_irregular_participle,
    "parameter": is_irregular_participle,
    "attribute": is_irregular_participle,
}
QUALIFIED_KINDS = ("function", "class", "module")


@dataclass(frozen=True, order=True)
class Offender:
    """A name or word that breaks a rule. Its key stays the same when lines move."""

    path: str
    line: int
    rule: str
    kind: str
    name: str
    advice: str

    @property
    def key(self) -> str:
        """The key of the exception that would explain it."""
        return f"{self.path}: {self.rule} {self.kind} {self.name}"


def find_participles(source: Source) -> Iterator[Offender]:
    """Yield the definitions that are named by a lone participle."""
    for definition in source.definitions:
        if is_participle(definition):
            name = definition.qualified if definition.kind in QUALIFIED_KINDS else definition.name
            noun = "a verb, or as a property a noun" if definition.kind == "function" else "a noun, or as a boolean a predicate"
            yield Offender(source.path, definition.line, "participle", definition.kind, name, f"name it by {noun}")


def is_participle(definition: Definition) -> bool:
    """Return whether the definition is named by a participle that its kind does not allow."""
    return PARTICIPLE_RULES[definition.kind](definition.name)


def find_listed_words(source: Source) -> Iterator[Offender]:
    """Yield the words of the old dialect in names, docstrings, comments and strings."""
    for definition in source.definitions:
        for word in LISTED.intersection(split_words(definition.name)):
            yield Offender(source.path, definition.line, "word", "name", word, "use a plain modern word")
    for text in source.texts:
        for line, word in find_words_in_text(text.text):
            yield Offender(source.path, text.line + line - 1, "word", text.kind, word, "use a plain modern word")


def find_words_in_text(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the word of each word of the old dialect."""
    for match in LISTED_WORD.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, " ".join(match[1].lower().split())


def find_openings(source: Source) -> Iterator[Offender]:
    """Yield the docstrings that begin with a word such as "what" or "whose"."""
    for text in source.texts:
        match = FIRST_WORD.match(text.text) if text.kind == "docstring" else None
        if match and match[1].lower() in OPENINGS:
            yield Offender(source.path, text.line, "opening", "docstring", match[1].lower(), "begin with an imperative verb")


def find_offenders(sources: list[Source], renames: Renames) -> list[Offender]:
    """Return all offenders of all rules, ordered by their places."""
    finders = (find_participles, find_listed_words, find_openings)
    plain = [offender for source in sources for finder in finders for offender in finder(source)]
    renamed = [
        Offender(source.path, line, "renamed", kind, name, f"it is now {new}")
        for source in sources
        for line, kind, name, new in renames.find_old_names(source)
    ]
    return sorted(plain + renamed)
