"""Web pages of other origins: those that are listed may ask; to any other nothing is said, not even what would be allowed."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from server.refusals import ErrorCode, Unanswerable
from server.unrouted import refusal

ASKED = ("authorization", "content-type", "idempotency-key", "traceparent")
SHOWN = ("retry-after", "x-request-id")
DAY_S = 86_400


class Listed(CORSMiddleware):
    """Starlette's, which tells an origin that is not listed which methods and headers it would take, and show."""

    def preflight_response(self, request_headers: Headers) -> Response:
        if not self.is_allowed_origin(request_headers["origin"]):
            return refusal(Unanswerable(ErrorCode.FORBIDDEN, "Pages of this origin may not ask here."), {"vary": "Origin"})
        allowed = super().preflight_response(request_headers)
        if allowed.status_code < HTTPStatus.BAD_REQUEST:
            return allowed
        headers = {name: value for name, value in allowed.headers.items() if not name.startswith("content-")}
        return refusal(Unanswerable(ErrorCode.BAD_REQUEST, f"{bytes(allowed.body).decode()}."), headers)

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        is_listed = self.is_allowed_origin(request_headers.get("origin", ""))
        await super().simple_response(scope, receive, send, request_headers if is_listed else Headers())


def cors(answers: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """In front of what answers, for these origins. No cookies are taken, so no credentials either."""
    return Listed(answers, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=ASKED, expose_headers=SHOWN, max_age=DAY_S)
