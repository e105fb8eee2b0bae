"""Respond to requests that match no route: unknown paths and methods."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.errors import ErrorCode, HttpError
from server.http.error_masking import error_body

NOT_FOUND = HttpError(ErrorCode.NOT_FOUND, "This path does not exist. The API is at `/graphql`.")


def error_response(error: HttpError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the JSON response with the error's code to a rejected request."""
    return JSONResponse(error_body(error.code, error.message), error.status, {**(headers or {}), **error.headers})


async def handle_routing_error(_request: Request, error: Exception) -> Response:
    """Return a JSON response with a code where Starlette's router would respond in plain text."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return error_response(NOT_FOUND, headers)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = ", ".join(sorted(headers.get("Allow", "").split(", ")))
        return error_response(HttpError(ErrorCode.METHOD_NOT_ALLOWED, f"This path accepts only {methods}."), {"allow": methods})
    return JSONResponse(error_body(ErrorCode.BAD_REQUEST, error.detail), error.status_code, headers)
