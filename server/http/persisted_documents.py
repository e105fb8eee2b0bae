"""Find the document of a request by its text, by the hash of a document sent before, or by the id of a trusted document."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.documents.cache import Document, DocumentCache
from server.errors import ErrorCode, HttpError
from server.http.parsing import GraphQLRequest
from server.settings import DocumentPolicy


@dataclass(frozen=True)
class PersistedDocuments:
    """Find the document of a request, as the policy allows.

    Trusted documents are always available, others while they are in the cache. `PersistedQueryNotFound` and `PersistedQueryNotSupported`
    are messages of Apollo's protocol, which clients compare literally.
    """

    cache: DocumentCache
    policy: DocumentPolicy
    trusted_texts: Mapping[str, str]

    def is_new(self, key: str | None) -> bool:
        """Return whether the document with this hash must be parsed. `key` is None if the request names a document without its text."""
        return key is not None and self.cache.get(key) is None

    def resolve(self, graphql_request: GraphQLRequest, key: str | None) -> Document:
        """Return the document. `key` is the hash of its text, if the request contains the text."""
        if graphql_request.query is None or key is None:
            return self._resolve_key(graphql_request.document_key)
        if graphql_request.persisted_hash and self.policy is DocumentPolicy.OPEN:
            raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        if graphql_request.persisted_hash and graphql_request.persisted_hash != key:
            raise HttpError(ErrorCode.PERSISTED_QUERY_HASH_MISMATCH, "`sha256Hash` must be the SHA-256 of the exact `query`.")
        if self.policy is DocumentPolicy.TRUSTED_ONLY and key not in self.trusted_texts:
            raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_TRUSTED, "The document is unknown. Send a trusted document of this server.")
        return self.cache.get_or_parse(graphql_request.query, key)

    def _resolve_key(self, key: str | None) -> Document:
        if key is None:
            message = 'Send a `query`, or the id of a known document as `documentId`: `{"query": "{ … }"}`.'
            raise HttpError(ErrorCode.BAD_REQUEST, message)
        if key in self.trusted_texts:
            return self.cache.get_or_parse(self.trusted_texts[key])
        if self.policy is DocumentPolicy.APQ and (document := self.cache.get(key)):
            return document
        if self.policy is DocumentPolicy.OPEN:
            raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        raise HttpError(ErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
