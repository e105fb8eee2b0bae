"""Load trusted documents from their folder when the server starts."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from server.settings import DocumentPolicy
from server.startup_errors import StartupError

SHA256_PREFIX = "sha256:"


class TrustedDocumentsError(StartupError):
    """The folder of trusted documents cannot be used."""


class ManifestDocument(BaseModel):
    """A document of Apollo's manifest."""

    id: str
    body: str


class Manifest(BaseModel):
    """What `generate-persisted-query-manifest` writes."""

    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[ManifestDocument]


MANIFEST_OR_MAP = TypeAdapter[Manifest | dict[str, str]](Manifest | dict[str, str])


def hash_document(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def load_trusted_documents(folder: Path | None, policy: DocumentPolicy = DocumentPolicy.APQ) -> dict[str, str]:
    """Return the documents of a folder, by their ids and by the SHA-256 of their texts.

    A file is a document (`.graphql`) or several (`.json`): a map of ids as Relay and GraphQL Code Generator write it, or Apollo's manifest.
    """
    if folder is None:
        if policy is DocumentPolicy.TRUSTED_ONLY:
            raise TrustedDocumentsError(
                "RELATIES_TRUSTED_DOCUMENTS: name the folder of the documents that RELATIES_DOCUMENT_POLICY is to trust."
            )
        return {}
    documents = dict[str, str]()
    try:
        for path in sorted(folder.iterdir()):
            for key, text in _read_file(path):
                if documents.get(key, text) != text:
                    raise _folder_error(path, f"it gives the id {key} to another document than a file before it")
                documents |= {key: text, hash_document(text): text}
    except OSError as error:
        raise _folder_error(folder, f"it cannot be read: {error.strerror}") from None
    if not documents:
        raise _folder_error(folder, "there is no document in it")
    return documents


def _read_file(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.suffix == ".graphql":
            text = path.read_bytes().decode("utf-8")
            yield hash_document(text), text
        if path.suffix == ".json":
            yield from _list_entries(MANIFEST_OR_MAP.validate_json(path.read_bytes(), strict=True))
    except UnicodeDecodeError:
        raise _folder_error(path, "it is not UTF-8") from None
    except ValidationError:
        raise _folder_error(path, "it is neither a map of ids to documents nor Apollo's manifest") from None


def _list_entries(manifest: Manifest | dict[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(manifest, Manifest):
        return ((each.id, each.body) for each in manifest.operations)
    return ((key.removeprefix(SHA256_PREFIX), text) for key, text in manifest.items())


def _folder_error(path: Path, reason: str) -> TrustedDocumentsError:
    return TrustedDocumentsError(f"RELATIES_TRUSTED_DOCUMENTS: {path}: {reason}.")
