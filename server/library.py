"""Which document a request means: its text, the hash of one sent before, or the id of one that is trusted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from server.bodies import SHA256, Asked
from server.documents import Document, Documents, hash_of
from server.refusals import ErrorCode, Unanswerable


class Taken(StrEnum):
    """Documents that may be asked."""

    OPEN = "open"
    APQ = "apq"
    TRUSTED_ONLY = "trusted-only"


class TrustedError(Exception):
    """The folder of trusted documents cannot be used."""


class Named(BaseModel):
    """A document of Apollo's manifest."""

    id: str
    body: str


class Manifest(BaseModel):
    """What `generate-persisted-query-manifest` writes."""

    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[Named]


MAPS = TypeAdapter[Manifest | dict[str, str]](Manifest | dict[str, str])


@dataclass(frozen=True)
class Library:
    """Finds the document of a request. Clients know the messages of Apollo's protocol by heart.

    The trusted ones are there for as long as we are; others for as long as there is room.
    """

    documents: Documents
    taken: Taken
    trusted: Mapping[str, str]

    def is_new(self, asked: Asked) -> bool:
        """Whether finding its document means reading one."""
        return asked.query is not None and self.documents.known(hash_of(asked.query)) is None

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


def trusted(folder: Path | None, taken: Taken = Taken.APQ) -> dict[str, str]:
    """The documents of a folder, by their ids and by the SHA-256 of their texts.

    A file is a document (`.graphql`) or several (`.json`): a map of ids as Relay and GraphQL Code Generator write it, or Apollo's manifest.
    """
    if folder is None:
        if taken is Taken.TRUSTED_ONLY:
            raise TrustedError("RELATIES_TRUSTED_DOCUMENTS: name the folder of the documents that RELATIES_DOCUMENTS is to trust.")
        return {}
    found = dict[str, str]()
    try:
        for path in sorted(folder.iterdir()):
            for key, text in _read(path):
                if found.get(key, text) != text:
                    raise _unusable(path, f"it gives the id {key} to another document than a file before it")
                found |= {key: text, hash_of(text): text}
    except OSError as failed:
        raise _unusable(folder, f"it cannot be read: {failed.strerror}") from None
    if not found:
        raise _unusable(folder, "there is no document in it")
    return found


def _read(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.suffix == ".graphql":
            text = path.read_bytes().decode("utf-8")
            yield hash_of(text), text
        if path.suffix == ".json":
            yield from _listed(MAPS.validate_json(path.read_bytes(), strict=True))
    except UnicodeDecodeError:
        raise _unusable(path, "it is not UTF-8") from None
    except ValidationError:
        raise _unusable(path, "it is neither a map of ids to documents nor Apollo's manifest") from None


def _listed(said: Manifest | dict[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(said, Manifest):
        return ((each.id, each.body) for each in said.operations)
    return ((key.removeprefix(SHA256), text) for key, text in said.items())


def _unusable(path: Path, why: str) -> TrustedError:
    return TrustedError(f"RELATIES_TRUSTED_DOCUMENTS: {path}: {why}.")
