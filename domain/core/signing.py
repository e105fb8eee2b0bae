"""Sign tokens that clients of the API send back, such as cursors, so that only the server can create or change one.

`TimedSigner` also signs content that is not part of the token, because the caller may not read it. A plain digest of the content would
not hide it: a caller could find the content by trying values.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

URL_SAFE = bytes.maketrans(b"+/", b"-_")  # `b2a_base64` and this translation take half the time of `urlsafe_b64encode`
SIGNATURE_BYTES = 12  # bytes of the signature: 96 bits, far beyond guessing over a network
LENGTH_BYTES = 8  # bytes of a length or a timestamp
MAX_CLOCK_SKEW = timedelta(seconds=60)  # between the clocks of two servers, or of one clock before and after an adjustment


class Signer:
    """Sign tokens of one organization and one purpose. The first secret signs; all secrets verify, so that they can be rotated."""

    def __init__(self, secrets: Sequence[bytes], tenant: UUID, purpose: bytes) -> None:
        self._keys = _derive_keys(tuple(secrets), tenant, purpose)

    def sign(self, payload: bytes) -> str:
        hasher = self._keys[0].copy()  # `_signature` inlined for speed: a page has a hundred cursors
        hasher.update(payload)
        return b2a_base64(hasher.digest() + payload, newline=False).translate(URL_SAFE).decode()

    def unsign(self, token: str) -> bytes:
        """Return the payload. Raises `ValueError` for a token that the server did not sign or that was changed."""
        return self._unsign(token)

    def _sign(self, payload: bytes, associated_data: bytes) -> str:
        return urlsafe_b64encode(_signature(self._keys[0], associated_data, payload) + payload).decode()

    def _unsign(self, token: str, associated_data: bytes = b"") -> bytes:
        token_bytes = token.encode("ascii")
        signed_payload = urlsafe_b64decode(token_bytes)
        signature, payload = signed_payload[:SIGNATURE_BYTES], signed_payload[SIGNATURE_BYTES:]
        # Compare the token with its canonical encoding too: the decoder ignores characters outside the alphabet and unused bits.
        is_valid = any(hmac.compare_digest(signature, _signature(key, associated_data, payload)) for key in self._keys)
        if urlsafe_b64encode(signed_payload) != token_bytes or not is_valid:
            raise ValueError(token)
        return payload


class TimedSigner:
    """Sign tokens that belong to some content and are valid for a limited time after they are issued.

    The content is signed but is not part of the token. Pass the same content to `issue` and `accept`.
    """

    def __init__(self, secrets: Sequence[bytes], tenant: UUID, purpose: bytes, max_age: timedelta) -> None:
        self._signer = Signer(secrets, tenant, b"timed " + purpose)  # a key of its own, because tokens of `Signer` have no length prefix
        self._max_age = max_age

    def issue(self, payload: bytes, content: bytes, *, issued_at: datetime) -> str:
        """Return a token with the time of issue and the payload."""
        return self._signer._sign(int(issued_at.timestamp()).to_bytes(LENGTH_BYTES, "big", signed=True) + payload, _prefix_length(content))  # noqa: SLF001 same module

    def accept(self, token: str, content: bytes) -> bytes:
        """Return the payload. Raises `ValueError` for a token that is forged, expired, issued in the future, or signed with other content.

        If the clock of the issuing server is ahead, the token is valid for longer by the difference. So accept only a small clock skew.
        """
        stamped_payload = self._signer._unsign(token, _prefix_length(content))  # noqa: SLF001 same module
        age = datetime.now(UTC).timestamp() - int.from_bytes(stamped_payload[:LENGTH_BYTES], "big", signed=True)
        if not -MAX_CLOCK_SKEW.total_seconds() <= age <= self._max_age.total_seconds():
            raise ValueError(token)
        return stamped_payload[LENGTH_BYTES:]


def _prefix_length(content: bytes) -> bytes:
    """Prefix the content with its length. Otherwise a signature would also match if bytes moved from the content to the payload."""
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


@lru_cache(maxsize=1_000)
def _derive_keys(secrets: tuple[bytes, ...], tenant: UUID, purpose: bytes) -> "list[blake2b]":
    """Return a keyed hasher for each secret. Cache them and copy one for each signature, because a page can have a hundred signatures."""
    return [blake2b(key=hmac.digest(secret, purpose + tenant.bytes, "sha256"), digest_size=SIGNATURE_BYTES) for secret in secrets]


def _signature(key: "blake2b", associated_data: bytes, payload: bytes) -> bytes:
    hasher = key.copy()
    hasher.update(associated_data + payload)
    return hasher.digest()
