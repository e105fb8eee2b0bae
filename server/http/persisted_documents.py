"""Find the document of a request: by its text, the hash of one sent before, or the id of a trusted one."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.documents.cache import Document, DocumentCache
from server.errors import ErrorCode, HttpError
from server.http.parsing import GraphQLRequest
from server.settings import DocumentPolicy


@dataclass(frozen=True)
class PersistedDocuments:
    """Find the document of a request. Clients compare the messages of Apollo's protocol literally.

    Trusted documents are always there; others for as long as there is room.
    """

    cache: DocumentCache
    policy: DocumentPolicy
    trusted_texts: Mapping[str, str]

    def is_new(self, key: str | None) -> bool:
        """Return whether the document with this hash has to be parsed; never for one that is named by its id."""
        return key is not None and self.cache.get(key) is None

    def resolve(self, graphql_request: GraphQLRequest, key: str | None) -> Document:
        """Return the document; `key` is the hash of its text, where the text was sent."""
        if graphql_request.query is None or key is None:
            return self._resolve_key(graphql_request.document_key)
        if graphql_request.persisted_hash and self.policy is DocumentPolicy.OPEN:
            raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        if graphql_request.persisted_hash and graphql_request.persisted_hash != key:
            raise HttpError(ErrorCode.PERSISTED_QUERY_HASH_MISMATCH, "The `sha256Hash` is not that of the `query`.")
        if self.policy is DocumentPolicy.TRUSTED_ONLY and key not in self.trusted_texts:
            raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_TRUSTED, "Only documents that this server was given are answered.")
        return self.cache.get_or_parse(graphql_request.query, key)

    def _resolve_key(self, key: str | None) -> Document:
        if key is None:
            message = 'Send a `query`, or the id of a known one as `documentId`: `{"query": "{ … }"}`.'
            raise HttpError(ErrorCode.BAD_REQUEST, message)
        if key in self.trusted_texts:
            return self.cache.get_or_parse(self.trusted_texts[key])
        if self.policy is DocumentPolicy.APQ and (document := self.cache.get(key)):
            return document
        if self.policy is DocumentPolicy.OPEN:
            raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
