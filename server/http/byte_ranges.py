"""Read the header `Range` (RFC 9110, 14), with which a client resumes a download that was interrupted."""

import re

from server.errors import ErrorCode, HttpError

RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,19})-([0-9]{0,19})\s*", re.IGNORECASE)


def parse_range(header: str, size: int) -> range | None:
    """Return the positions of the bytes that the header requests, of a content of this size. None if the header must be ignored.

    It is ignored if it is invalid or has several ranges: then the response is the whole content, which every client accepts.
    Raises `HttpError` (RANGE_NOT_SATISFIABLE) if the content has none of the bytes.
    """
    match = RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        requested = range(max(0, size - int(last)), size)  # the last bytes
    elif last and int(last) < int(first):
        return None
    else:
        requested = range(int(first), min(int(last) + 1, size) if last else size)
    if not requested:
        message = f"The file has {size} bytes, and none of the range that you requested. Download it from the start."
        raise HttpError(ErrorCode.RANGE_NOT_SATISFIABLE, message, {"content-range": f"bytes */{size}"})
    return requested
