"""Which document a request means: its text, the hash of one sent before, or the id of one that is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.bodies import Asked
from server.documents import Document, Documents
from server.limits import Taken
from server.refusals import ErrorCode, Unanswerable


@dataclass(frozen=True)
class Library:
    """Finds the document of a request. Clients know the messages of Apollo's protocol by heart.

    The trusted ones are there for as long as we are; others for as long as there is room.
    """

    documents: Documents
    taken: Taken
    trusted: Mapping[str, str]

    def is_new(self, key: str | None) -> bool:
        """Whether finding the document with this hash of its text means reading one; not for one that is named by its id."""
        return key is not None and self.documents.known(key) is None

    def found(self, asked: Asked, key: str | None) -> Document:
        """Return the document; `key` is the hash of its text, where the text was sent."""
        if asked.query is None or key is None:
            return self._known(asked.key)
        if asked.persisted and self.taken is Taken.OPEN:
            raise Unanswerable(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        if asked.persisted and asked.persisted != key:
            raise Unanswerable(ErrorCode.PERSISTED_QUERY_HASH_MISMATCH, "The `sha256Hash` is not that of the `query`.")
        if self.taken is Taken.TRUSTED_ONLY and key not in self.trusted:
            raise Unanswerable(ErrorCode.PERSISTED_QUERY_NOT_TRUSTED, "Only documents that this server was given are answered.")
        return self.documents.of(asked.query, key)

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
