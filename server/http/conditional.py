"""Answer conditional requests (RFC 9110, 13.1.2): a client that has the current content gets it no second time."""

from hashlib import sha256


def entity_tag(content: bytes) -> str:
    """Return a weak tag, because the content is sent with and without gzip."""
    return f'W/"{sha256(content).hexdigest()[:32]}"'


def has_current(if_none_match: str, tag: str) -> bool:
    """Return whether the header `If-None-Match` names the tag, weak or strong, or any content."""
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in if_none_match
