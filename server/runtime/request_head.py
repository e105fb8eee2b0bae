"""Check the head of a request, and rewrite it without the offer to upgrade to another protocol."""

import re
from collections.abc import Callable, Sequence

from server.errors import ErrorCode, HttpError

Headers = Sequence[tuple[bytes, bytes]]
# A name, an IPv4 address or an IPv6 address in brackets (RFC 3986, 3.2.2). An http address without a host is invalid (RFC 9110, 4.2.1).
HOST = re.compile(rb"(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
NO_HOST = "A request must have exactly one `Host` header: a host name or an IP address, with an optional port."
OTHER_PROTOCOLS = {b"connection", b"upgrade", b"http2-settings"}


def header_values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for each, value in headers if each == name]


def check_host(headers: Headers, names: Sequence[bytes], http_version: Callable[[], str]) -> None:
    """Reject a request without exactly one valid `Host` header (RFC 9112, 3.2). It is optional in HTTP/1.0."""
    count = names.count(b"host")
    if count == 1 and HOST.fullmatch(headers[names.index(b"host")][1]):
        return
    if count or http_version() != "1.0":
        raise HttpError(ErrorCode.BAD_REQUEST, NO_HOST)


def remove_upgrade(request_line: bytes, headers: Headers) -> bytes:
    """Return the head of a request without its offer of another protocol. Keep its `Connection: close`."""
    remaining = [header for header in headers if header[0] not in OTHER_PROTOCOLS]
    options = b",".join(header_values(headers, b"connection")).lower().split(b",")
    if b"close" in (option.strip() for option in options):
        remaining.append((b"connection", b"close"))
    return b"".join((request_line, *(b"%b: %b\r\n" % header for header in remaining), b"\r\n"))
