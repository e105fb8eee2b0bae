"""Documents that are trusted: read from their folder when the server starts, strictly, whichever program wrote them."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from server.limits import Taken
from server.startup_errors import StartupError

SHA256 = "sha256:"


class TrustedError(StartupError):
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


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


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
