"""Texts that we give out and take back, such as cursors: nobody else can make one, or change it."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from uuid import UUID

SIGNED = 12  # bytes of the signature: 96 bits, far beyond guessing over a network


class Seal:
    """Of one organization and one purpose. The first secret signs; all verify, so that they can be rotated."""

    def __init__(self, secrets: Sequence[bytes], tenant: UUID, purpose: bytes) -> None:
        self._keys = [hmac.digest(secret, purpose + tenant.bytes, "sha256") for secret in secrets]

    def put(self, said: bytes) -> str:
        return urlsafe_b64encode(_signature(self._keys[0], said) + said).decode()

    def opened(self, sealed: str) -> bytes:
        """What was said; a ValueError for what is not ours, or was changed."""
        text = sealed.encode("ascii")
        held = urlsafe_b64decode(text)
        signature, said = held[:SIGNED], held[SIGNED:]
        if urlsafe_b64encode(held) != text or not any(hmac.compare_digest(signature, _signature(key, said)) for key in self._keys):
            raise ValueError(sealed)
        return said


def _signature(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")[:SIGNED]
