"""Detect requests that our own page sends from a browser on the same machine: only these get the demo's token."""

import re

from starlette.requests import Request

LOOPBACK_ADDRESSES = {"127.0.0.1", "::1"}
LOOPBACK_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
OWN_SITE_VALUES = {None, "same-origin", "none"}
PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_own_machine(request: Request) -> bool:
    """Return whether a browser on this machine sent the request, for our own page and without a proxy.

    The `Host` header must be a loopback name: a foreign DNS name that resolves to 127.0.0.1 would let another website send requests here.
    """
    headers = request.headers
    return (
        request.client is not None
        and request.client.host in LOOPBACK_ADDRESSES
        and LOOPBACK_HOST.fullmatch(headers.get("host", "").lower()) is not None
        and headers.get("sec-fetch-site") in OWN_SITE_VALUES
        and not any(name in headers for name in PROXY_HEADERS)
    )
