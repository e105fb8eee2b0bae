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
    """Error in the folder of trusted documents."""


class ManifestDocument(BaseModel):
    """Document in an Apollo manifest."""

    id: str
    body: str


class Manifest(BaseModel):
    """Manifest that Apollo's `generate-persisted-query-manifest` writes."""

    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[ManifestDocument]


MANIFEST_OR_MAP = TypeAdapter[Manifest | dict[str, str]](Manifest | dict[str, str])


def hash_document(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def load_trusted_documents(folder: Path | None, policy: DocumentPolicy = DocumentPolicy.APQ) -> dict[str, str]:
    """Return the documents in a folder by their ids and by the SHA-256 of their texts.

    A `.graphql` file is one document. A `.json` file has several: a map of ids, as Relay and GraphQL Code Generator write it, or an Apollo
    manifest. Raises `TrustedDocumentsError` if a file is invalid or the folder has no document.
    """
    if folder is None:
        if policy is DocumentPolicy.TRUSTED_ONLY:
            raise TrustedDocumentsError(
                "RELATIES_TRUSTED_DOCUMENTS: required by RELATIES_DOCUMENT_POLICY=trusted-only. Set it to the folder of the documents."
            )
        return {}
    documents = dict[str, str]()
    try:
        for path in sorted(folder.iterdir()):
            for key, text in _read_file(path):
                if documents.get(key, text) != text:
                    raise _folder_error(path, f"id {key} already belongs to another document of the folder")
                documents |= {key: text, hash_document(text): text}
    except OSError as error:
        raise _folder_error(folder, f"cannot be read: {error.strerror}") from None
    if not documents:
        raise _folder_error(folder, "the folder has no documents")
    return documents


def _read_file(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.suffix == ".graphql":
            text = path.read_bytes().decode("utf-8")
            yield hash_document(text), text
        if path.suffix == ".json":
            yield from _list_entries(MANIFEST_OR_MAP.validate_json(path.read_bytes(), strict=True))
    except UnicodeDecodeError:
        raise _folder_error(path, "the file is not UTF-8") from None
    except ValidationError:
        raise _folder_error(path, "the file is neither a map of ids to documents nor an Apollo manifest") from None


def _list_entries(manifest: Manifest | dict[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(manifest, Manifest):
        return ((each.id, each.body) for each in manifest.operations)
    return ((key.removeprefix(SHA256_PREFIX), text) for key, text in manifest.items())


def _folder_error(path: Path, reason: str) -> TrustedDocumentsError:
    return TrustedDocumentsError(f"RELATIES_TRUSTED_DOCUMENTS: {path}: {reason}.")
