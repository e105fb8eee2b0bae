"""Find names that were replaced, by the table of old and new names in `renames.toml`."""

import re
import tomllib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from tests.style.sources import Source
from tests.style.vocabulary import split_words

TABLE = Path(__file__).with_name("renames.toml")
SETTINGS_MODULE = "server/settings.py"
SETTINGS_PREFIX = "RELATIES_"

# the line, the kind, the old name and the new one
OldName = tuple[int, str, str, str]


@dataclass(frozen=True)
class Renames:
    """The table of old and new names, one mapping for each of its parts."""

    modules: Mapping[str, str]
    anywhere: Mapping[str, str]
    in_module: Mapping[str, str]
    settings: Mapping[str, str]
    constants: Mapping[str, str]
    words: Mapping[str, str]

    @classmethod
    def load(cls, path: Path = TABLE) -> Self:
        """Read the table. Raise `ValueError` if an entry of `in_module` is not written as "path:name"."""
        table = cls(**tomllib.loads(path.read_text()))
        malformed = [entry for entry in table.in_module if not re.fullmatch(r"[\w/]+\.py:\w+", entry)]
        if malformed:
            message = f'{path.name}: write entries of [in_module] as "path/of/module.py:name", not {malformed}'
            raise ValueError(message)
        return table

    def find_old_names(self, source: Source) -> Iterator[OldName]:
        """Yield the old names that the file has as a path, defines or mentions."""
        if source.path in self.modules:
            yield 1, "module", Path(source.path).stem, self.modules[source.path]
        in_module, words = self._names_of_module(source.path), self._words_of(source.path)
        for definition in source.definitions:
            new = self.constants.get(definition.name)
            if not definition.is_local and definition.kind != "module":
                new = new or in_module.get(definition.name) or self.anywhere.get(definition.name)
            if new:
                yield definition.line, definition.kind, definition.qualified, new
            for word in split_words(definition.name):
                if term := words.get(word):
                    yield definition.line, "word", word, term
        yield from self._find_in_texts(source, words)

    def _names_of_module(self, path: str) -> dict[str, str]:
        names = {}
        for entry, new in self.in_module.items():
            module, name = entry.split(":")
            if path in {module, self.modules.get(module)}:
                names[name] = new
        if path == SETTINGS_MODULE:
            names |= {name.lower(): new.lower() for name, new in self.settings.items()}
        return names

    def find_in_page(self, path: str, text: str, paths: Container[str]) -> Iterator[OldName]:
        """Yield the old names that a page mentions: settings, constants, words, and modules whose path is not in `paths`."""
        modules = {module: new for module, new in self.modules.items() if module not in paths}
        for line, name, new in _find_mentions(text, self._public_names | modules):
            yield line, "page", name, new
        yield from _find_words("page", text, self._words_of(path))

    def _words_of(self, path: str) -> dict[str, str]:
        words = {}
        for entry, new in self.words.items():
            folder, _, word = entry.rpartition(":")
            if path.startswith(folder):
                words[word] = new
        return words

    @property
    def _public_names(self) -> dict[str, str]:
        return {SETTINGS_PREFIX + name: SETTINGS_PREFIX + new for name, new in self.settings.items()} | dict(self.constants)

    def _find_in_texts(self, source: Source, words: Mapping[str, str]) -> Iterator[OldName]:
        for text in source.texts:
            for line, name, new in _find_mentions(text.text, self._public_names):
                yield text.line + line - 1, text.kind, name, new
            for line, kind, word, new in _find_words(text.kind, text.text, words):
                yield text.line + line - 1, kind, word, new


def _find_mentions(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the old name and the new name of each mention in the text."""
    if not names:
        return
    for match in _mention_pattern(tuple(names)).finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1], names[match[1]]


@cache  # escaping the names again for each text took a sixth of the check's time
def _mention_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w/])({'|'.join(map(re.escape, sorted(names)))})(?!\w)")


def _find_words(kind: str, text: str, words: Mapping[str, str]) -> Iterator[OldName]:
    """Yield each of the words in the text, alone or as a part of a name, in any case."""
    if words:
        for match in re.finditer(rf"(?<![A-Za-z])({'|'.join(sorted(words))})(?![A-Za-z])", text, re.IGNORECASE):
            yield text.count("\n", 0, match.start()) + 1, kind, match[1].lower(), words[match[1].lower()]
