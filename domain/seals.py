"""Texts that we give out and take back, such as cursors: nobody else can make one, or change it."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

SIGNED = 12  # bytes of the signature: 96 bits, far beyond guessing over a network


class Seal:
    """Of one organization and one purpose. The first secret signs; all verify, so that they can be rotated."""

    def __init__(self, secrets: Sequence[bytes], tenant: UUID, purpose: bytes) -> None:
        self._keys = _keys(tuple(secrets), tenant, purpose)

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


@lru_cache(maxsize=1_000)
def _keys(secrets: tuple[bytes, ...], tenant: UUID, purpose: bytes) -> "list[blake2b]":
    """What signs, keyed and ready: a page has a hundred signatures."""
    return [blake2b(key=hmac.digest(secret, purpose + tenant.bytes, "sha256"), digest_size=SIGNED) for secret in secrets]


def _signature(keyed: "blake2b", said: bytes) -> bytes:
    signing = keyed.copy()
    signing.update(said)
    return signing.digest()
