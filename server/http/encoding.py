"""Encode responses, and limit their size.

The cost of an operation limits the objects of its response. But one text of up to 10,000 characters can be selected under many aliases. So
the bytes are limited as well, before they are encoded.
"""

from collections.abc import Mapping

import orjson
from graphql import ExecutionResult

from resolvers.execution.executor import SizedResult
from server.errors import ErrorCode, HttpError


def encode(body: Mapping[str, object], result: ExecutionResult, max_bytes: int) -> bytes:
    """Encode the response of a result as JSON.

    Raises `HttpError` (RESPONSE_TOO_LARGE) if it has more than `max_bytes`. To find this before encoding takes the memory, the lengths of
    strings are added up first, unless the result is known to be smaller.
    """
    is_surely_small = isinstance(result, SizedResult) and result.max_bytes <= max_bytes
    if is_surely_small or _has_at_most(body, max_bytes):
        payload = orjson.dumps(body)
        if len(payload) <= max_bytes:
            return payload
    raise too_large_error(f"{max_bytes} bytes")


def too_large_error(limit: str) -> HttpError:
    """Return the error for a response that is larger than the limit."""
    message = f"The response would have more than {limit}. Request less at once. If this was a mutation, its changes are saved."
    return HttpError(ErrorCode.RESPONSE_TOO_LARGE, message)


def _has_at_most(body: object, max_bytes: int) -> bool:
    """Return whether the strings and keys of a response have at most `max_bytes` characters.

    Count level by level instead of by recursion, because the client decides how deep the response is.
    """
    total, level = 0, [body]
    while level and total <= max_bytes:
        below = list[object]()
        for value in level:
            if isinstance(value, str):
                total += len(value)
            elif isinstance(value, dict):
                total += sum(map(len, value))
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        level = below
    return total <= max_bytes
