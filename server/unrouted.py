"""Answer requests that no endpoint takes: an unknown address, or a method that an address does not have."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.errors import problem
from server.refusals import ErrorCode, Unanswerable

NOT_FOUND = Unanswerable(ErrorCode.NOT_FOUND, "There is nothing at this address. The API is at `/graphql`.")


def refusal(why: Unanswerable, headers: Mapping[str, str] | None = None) -> Response:
    """Return the coded answer to a request that is refused as a whole."""
    return JSONResponse(problem(why.code, why.message), why.status, {**(headers or {}), **why.headers})


async def unrouted(_request: Request, failed: Exception) -> Response:
    """Return the coded answer for what Starlette's router would answer in plain text."""
    if not isinstance(failed, HTTPException):
        raise failed
    headers = dict(failed.headers or {})
    if failed.status_code == HTTPStatus.NOT_FOUND:
        return refusal(NOT_FOUND, headers)
    if failed.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = ", ".join(sorted(headers.get("Allow", "").split(", ")))
        return refusal(Unanswerable(ErrorCode.METHOD_NOT_ALLOWED, f"This address takes {methods}."), {"allow": methods})
    return JSONResponse(problem(ErrorCode.BAD_REQUEST, failed.detail), failed.status_code, headers)
