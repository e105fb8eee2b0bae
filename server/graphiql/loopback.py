"""Detect requests from a browser on the same machine, for our own page: only those get the demo's token."""

import re

from starlette.requests import Request

LOOPBACK_ADDRESSES = {"127.0.0.1", "::1"}
LOOPBACK_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
OWN_SITE_VALUES = {None, "same-origin", "none"}
PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_own_machine(request: Request) -> bool:
    """Return whether the peer is this machine, without a proxy or another site, and the host is a name that nobody else can point here."""
    headers = request.headers
    return (
        request.client is not None
        and request.client.host in LOOPBACK_ADDRESSES
        and LOOPBACK_HOST.fullmatch(headers.get("host", "").lower()) is not None
        and headers.get("sec-fetch-site") in OWN_SITE_VALUES
        and not any(name in headers for name in PROXY_HEADERS)
    )
