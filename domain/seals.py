"""Texts that we give out and take back, such as cursors: nobody else can make one, or change it.

Data that a text stands for, but that its bearer may not read, is signed and not sent: see `TimedSeal`. A plain digest of it would be no
secret, since a reader of the text could find the data by trying out values.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

URL_SAFE = bytes.maketrans(b"+/", b"-_")  # what `urlsafe_b64encode` does, in half of its time
SIGNED = 12  # bytes of the signature: 96 bits, far beyond guessing over a network
COUNT = 8  # bytes in which a length or a moment is written
MAX_CLOCK_SKEW = timedelta(seconds=60)  # between two servers, or of one clock before and after it was set


class Seal:
    """Of one organization and one purpose. The first secret signs; all verify, so that they can be rotated."""

    def __init__(self, secrets: Sequence[bytes], tenant: UUID, purpose: bytes) -> None:
        self._keys = _keys(tuple(secrets), tenant, purpose)

    def put(self, said: bytes) -> str:
        signing = self._keys[0].copy()  # as `_signature` does: a page has a hundred of them
        signing.update(said)
        return b2a_base64(signing.digest() + said, newline=False).translate(URL_SAFE).decode()

    def opened(self, sealed: str) -> bytes:
        """What was said; a ValueError for what is not ours, or was changed."""
        return self._opened(sealed)

    def _put(self, said: bytes, unsent: bytes) -> str:
        return urlsafe_b64encode(_signature(self._keys[0], unsent, said) + said).decode()

    def _opened(self, sealed: str, unsent: bytes = b"") -> bytes:
        text = sealed.encode("ascii")
        held = urlsafe_b64decode(text)
        signature, said = held[:SIGNED], held[SIGNED:]
        is_ours = any(hmac.compare_digest(signature, _signature(key, unsent, said)) for key in self._keys)
        if urlsafe_b64encode(held) != text or not is_ours:
            raise ValueError(sealed)
        return said


class TimedSeal:
    """Seal texts that stand for content, and are valid for a limited time from the second of their issue.

    The content is signed, but not part of the text: `accept` takes it again, and it must be the same.
    """

    def __init__(self, secrets: Sequence[bytes], tenant: UUID, purpose: bytes, max_age: timedelta) -> None:
        self._seal = Seal(secrets, tenant, b"timed " + purpose)  # a key of its own: `Seal` signs no length in front
        self._max_age = max_age

    def issue(self, said: bytes, content: bytes, *, at: datetime) -> str:
        """Return the text: the moment of its issue, and what is said."""
        return self._seal._put(int(at.timestamp()).to_bytes(COUNT, "big", signed=True) + said, _counted(content))  # noqa: SLF001 same module

    def accept(self, sealed: str, content: bytes) -> bytes:
        """Return what was said; raise ValueError for what is not ours, of other content, too old, or issued in the future.

        A text that a fast clock issued would outlive its time by as much as that clock was ahead, so only a small skew is accepted.
        """
        held = self._seal._opened(sealed, _counted(content))  # noqa: SLF001 same module
        age = datetime.now(UTC).timestamp() - int.from_bytes(held[:COUNT], "big", signed=True)
        if not -MAX_CLOCK_SKEW.total_seconds() <= age <= self._max_age.total_seconds():
            raise ValueError(sealed)
        return held[COUNT:]


def _counted(content: bytes) -> bytes:
    """With its length in front, so that its end is never taken for the beginning of what is said."""
    return len(content).to_bytes(COUNT, "big") + content


@lru_cache(maxsize=1_000)
def _keys(secrets: tuple[bytes, ...], tenant: UUID, purpose: bytes) -> "list[blake2b]":
    """What signs, keyed and ready: a page has a hundred signatures."""
    return [blake2b(key=hmac.digest(secret, purpose + tenant.bytes, "sha256"), digest_size=SIGNED) for secret in secrets]


def _signature(keyed: "blake2b", unsent: bytes, said: bytes) -> bytes:
    signing = keyed.copy()
    if unsent:
        signing.update(unsent)
    signing.update(said)
    return signing.digest()
