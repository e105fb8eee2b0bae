"""Allow pages of listed origins to send requests (CORS). Tell other origins nothing, not even what would be allowed."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from server.errors import ErrorCode, HttpError
from server.http.error_responses import error_response

REQUEST_HEADERS = ("authorization", "content-type", "idempotency-key", "if-range", "range", "traceparent")
EXPOSED_HEADERS = ("content-disposition", "content-range", "etag", "retry-after", "x-request-id")
DAY_S = 86_400


class AllowlistCORSMiddleware(CORSMiddleware):
    """CORS middleware that hides the allowed methods and headers from unlisted origins, which Starlette's shows to them."""

    def preflight_response(self, request_headers: Headers) -> Response:
        if not self.is_allowed_origin(request_headers["origin"]):
            return error_response(HttpError(ErrorCode.FORBIDDEN, "Pages of this origin may not send requests."), {"vary": "Origin"})
        response = super().preflight_response(request_headers)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return error_response(HttpError(ErrorCode.BAD_REQUEST, f"{bytes(response.body).decode()}."), headers)

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        is_listed = self.is_allowed_origin(request_headers.get("origin", ""))
        await super().simple_response(scope, receive, send, request_headers if is_listed else Headers())


def add_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Wrap the application in CORS middleware for these origins. Credentials are not allowed, as the API uses no cookies."""
    return AllowlistCORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=REQUEST_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        max_age=DAY_S,
    )
