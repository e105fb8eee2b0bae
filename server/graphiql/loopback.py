"""Whether a request comes from a browser on the machine that serves, for a page of ours: only then the demo's token is told."""

import re

from starlette.requests import Request

PEERS = {"127.0.0.1", "::1"}
HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
OURS = {None, "same-origin", "none"}
OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_own_machine(request: Request) -> bool:
    """The peer is this machine, no proxy speaks for another, no other site asks, and the host is a name that nobody else can point here."""
    headers = request.headers
    return (
        request.client is not None
        and request.client.host in PEERS
        and HOST.fullmatch(headers.get("host", "").lower()) is not None
        and headers.get("sec-fetch-site") in OURS
        and not any(name in headers for name in OF_PROXIES)
    )
