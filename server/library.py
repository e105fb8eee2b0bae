"""Which document a request means: its text, the hash of one sent before, or the id of one that is trusted."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from server.bodies import Asked
from server.documents import Document, Documents, hash_of
from server.refusals import ErrorCode, Unanswerable

MANIFEST = "apollo-persisted-query-manifest"
SHA256 = "sha256:"


class Taken(StrEnum):
    """Documents that may be asked."""

    OPEN = "open"
    APQ = "apq"
    TRUSTED_ONLY = "trusted-only"


class TrustedError(Exception):
    """A file of trusted documents that cannot be read."""


@dataclass(frozen=True)
class Library:
    """Finds the document of a request. Clients know the messages of Apollo's protocol by heart.

    The trusted ones are there for as long as we are; others for as long as there is room.
    """

    documents: Documents
    taken: Taken
    trusted: Mapping[str, str]

    def found(self, asked: Asked) -> Document:
        if asked.query is None:
            return self._known(asked.key)
        key = hash_of(asked.query)
        if asked.persisted and self.taken is Taken.OPEN:
            raise Unanswerable(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        if asked.persisted and asked.persisted != key:
            raise Unanswerable(ErrorCode.PERSISTED_QUERY_HASH_MISMATCH, "The `sha256Hash` is not that of the `query`.")
        if self.taken is Taken.TRUSTED_ONLY and key not in self.trusted:
            raise Unanswerable(ErrorCode.PERSISTED_QUERY_NOT_TRUSTED, "Only documents that this server was given are answered.")
        return self.documents.of(asked.query)

    def _known(self, key: str | None) -> Document:
        if key is None:
            message = 'Send a `query`, or the id of a known one as `documentId`: `{"query": "{ … }"}`.'
            raise Unanswerable(ErrorCode.BAD_REQUEST, message)
        if key in self.trusted:
            return self.documents.of(self.trusted[key])
        if self.taken is Taken.APQ and (found := self.documents.known(key)):
            return found
        if self.taken is Taken.OPEN:
            raise Unanswerable(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        raise Unanswerable(ErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")


def trusted(folder: Path | None) -> dict[str, str]:
    """The documents of a folder, by their ids and by the SHA-256 of their texts.

    A file is a document (`.graphql`) or several (`.json`): a map of ids as Relay and GraphQL Code Generator write it, or Apollo's manifest.
    """
    if folder is None:
        return {}
    found = dict[str, str]()
    if not folder.is_dir():
        raise _unread(folder, "there is no such folder")
    for path in sorted(folder.iterdir()):
        for key, text in _read(path):
            found |= {key: text, hash_of(text): text}
    if not found:
        raise _unread(folder, "there is no document in it")
    return found


def _read(path: Path) -> Iterator[tuple[str, str]]:
    if path.suffix == ".graphql":
        text = path.read_text()
        yield hash_of(text), text
    if path.suffix == ".json":
        try:
            yield from _listed(json.loads(path.read_text())).items()
        except (ValueError, TypeError, KeyError, AttributeError):
            raise _unread(path, "it is neither a map of ids to documents nor Apollo's manifest") from None


def _listed(said: dict[str, Any]) -> dict[str, str]:
    if said.get("format") == MANIFEST:
        return {each["id"]: str(each["body"]) for each in said["operations"]}
    return {key.removeprefix(SHA256): str(text) for key, text in said.items()}


def _unread(path: Path, why: str) -> TrustedError:
    return TrustedError(f"RELATIES_TRUSTED_DOCUMENTS: {path}: {why}.")
