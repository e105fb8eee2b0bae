"""Serve the printed schema, for tools that generate code: introspection does not show directives such as `@semanticNonNull`.

Requests need a token and pass the same limits as introspection does, but not its CPU share: the bytes are built once.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from domain.core.scope import Actor
from server.admission.byte_budget import SMALL_BYTES, ByteBudget
from server.admission.rate_limit import RateLimiter
from server.admission.refusal_throttle import RefusalThrottle
from server.documents.cost import BASE_COST
from server.errors import HttpError
from server.http.auth import Authenticator
from server.http.conditional import entity_tag, has_current
from server.http.error_masking import database_error
from server.http.error_responses import error_response
from server.http.negotiation import accepts_gzip
from server.http.request import Request
from server.http.sending import send_large
from server.observability.access_log import AccessLog, AccessRecord, parse_trace_id

PATH = "/schema.graphql"
OPERATION_NAME = f"GET {PATH}"  # for the log; no operation can have this name
MEDIA_TYPE = "text/plain; charset=utf-8"  # no media type is registered for GraphQL documents, and browsers show plain text
HEADERS = {"cache-control": "private, no-cache", "vary": "Accept-Encoding", "x-content-type-options": "nosniff"}


@dataclass(frozen=True)
class SchemaEndpoint:
    """The endpoint. `print_schema` is called for the first request only, since most servers never get one."""

    print_schema: Callable[[], str]
    access_log: AccessLog
    authenticator: Authenticator
    rate_limiter: RateLimiter
    outgoing_budget: ByteBudget
    refusal_throttle: RefusalThrottle

    def build_route(self) -> Route:
        return Route(PATH, self, methods=["GET"])  # Starlette adds HEAD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request and log it."""
        start, request = perf_counter(), Request(scope, receive)
        record = AccessRecord(parse_trace_id(request.header(b"traceparent")), operation_name=OPERATION_NAME)
        response, actor = await self._answer(request, record)
        response.headers["x-request-id"] = record.trace_id
        record.status, record.seconds = response.status_code, perf_counter() - start
        self.access_log.log(record)
        if record.error_codes:
            await self.refusal_throttle.wait_for_caller(record.organization_id, request.address)
        if actor is None or len(response.body) <= SMALL_BYTES:
            await response(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
            await send_large(send, bytes(response.body), self.outgoing_budget, actor)

    async def _answer(self, request: Request, record: AccessRecord) -> tuple[Response, Actor | None]:
        """Return the schema and the actor who gets it, or an error."""
        try:
            actor = await self.authenticator.require(request.header(b"authorization"), request.address)
            record.organization_id, record.token_id = actor.tenant, actor.token_id
            return self._show_schema(request, actor, record), actor
        except HttpError as http_error:
            error = http_error
        except Exception as exception:
            if (code_and_message := database_error(exception)) is None:
                raise
            error = HttpError(*code_and_message, headers={"retry-after": "1"})
        record.error_codes = (error.code,)
        return error_response(error), None

    def _show_schema(self, request: Request, actor: Actor, record: AccessRecord) -> Response:
        self.outgoing_budget.check(actor)
        self.rate_limiter.account(actor).charge(BASE_COST)
        record.cost_requested = record.cost_actual = BASE_COST
        headers = {**HEADERS, "etag": self._tag}
        if has_current(", ".join(request.headers(b"if-none-match")), self._tag):
            return Response(status_code=304, headers=headers)
        if accepts_gzip(", ".join(request.headers(b"accept-encoding"))):
            return Response(self._gzip_content, headers={**headers, "content-encoding": "gzip"}, media_type=MEDIA_TYPE)
        self.outgoing_budget.check(actor, len(self._content))
        return Response(self._content, headers=headers, media_type=MEDIA_TYPE)

    @cached_property
    def _content(self) -> bytes:
        return f"{self.print_schema()}\n".encode()

    @cached_property
    def _gzip_content(self) -> bytes:
        return gzip.compress(self._content, mtime=0)

    @cached_property
    def _tag(self) -> str:
        return entity_tag(self._content)
