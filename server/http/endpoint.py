"""Serve GraphQL over HTTP: run the checks from the cheapest to the dearest, then the operation, and respond with JSON."""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType, VariableValues
from starlette.types import Receive, Scope, Send

from domain.core.scope import Actor
from resolvers.execution.operation import ResponseTooLargeError
from server.admission.byte_budget import SMALL_BYTES, ByteBudget
from server.admission.concurrency import ConcurrencyLimiter
from server.admission.cpu_share import CpuShare
from server.admission.rate_limit import Account, RateLimiter
from server.admission.refusal_throttle import RefusalThrottle
from server.documents.cache import Document, Operation
from server.documents.cost import BASE_COST, CostEstimate
from server.documents.execution import ExecutionRequest, OperationDeadline, Runner
from server.documents.trusted import hash_document
from server.documents.variables import MANY_VALUES, VALUES_PER_POINT, measure_variables
from server.errors import ClientDisconnected, ErrorCode, GraphQLRequestError, HttpError, graphql_error
from server.http import parsing
from server.http.auth import Authenticator
from server.http.encoding import encode, too_large_error
from server.http.error_masking import database_error, error_body, format_error, mask, sort_errors
from server.http.negotiation import GRAPHQL_JSON, JSON, OFFERED_TYPES, negotiate
from server.http.parsing import GraphQLRequest
from server.http.persisted_documents import PersistedDocuments
from server.http.request import Request
from server.http.sending import send_large
from server.observability.access_log import AccessLog, AccessRecord, parse_trace_id
from server.observability.health import Health
from server.settings import GetPolicy

CLIENT_CLOSED_REQUEST = 499  # for the log only; nginx uses the same code
NO_STORE, VARY = (b"cache-control", b"no-store"), (b"vary", b"accept")
CONTENT_TYPES = {kind: (b"content-type", f"{kind}; charset=utf-8".encode()) for kind in OFFERED_TYPES}


class GraphQLResponse(NamedTuple):
    """Status, body and headers of a response."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = MappingProxyType({})
    is_refusal: bool = False
    encoded_body: bytes = b""
    actor: Actor | None = None  # its unread bytes count for this actor


def _error_response(error: Exception) -> GraphQLResponse:
    if code_and_message := database_error(error):
        return GraphQLResponse(HTTPStatus.SERVICE_UNAVAILABLE, error_body(*code_and_message), {"retry-after": "1"})
    return GraphQLResponse(HTTPStatus.INTERNAL_SERVER_ERROR, {"errors": [mask(error)]})


def _shutdown_response() -> GraphQLResponse:
    """Return the response to an operation that was cancelled because the server shuts down."""
    body = error_body(ErrorCode.UNAVAILABLE, "The server is shutting down. Try again in a moment.")
    return GraphQLResponse(HTTPStatus.SERVICE_UNAVAILABLE, body, {"retry-after": "1", "connection": "close"})


@dataclass(frozen=True)
class GraphQLEndpoint:
    """The GraphQL endpoint, with its settings and the parts that do its work."""

    access_log: AccessLog
    health: Health
    authenticator: Authenticator
    persisted_documents: PersistedDocuments
    cpu_share: CpuShare
    rate_limiter: RateLimiter
    concurrency: ConcurrencyLimiter
    runner: Runner
    get_policy: GetPolicy
    operation_timeout: float
    delete_timeout: float
    max_cost: int
    max_body_bytes: int
    max_response_bytes: int
    incoming_budget: ByteBudget
    outgoing_budget: ByteBudget
    refusal_throttle: RefusalThrottle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request and log it. No request of a client makes this raise an exception."""
        start, request = perf_counter(), Request(scope, receive)
        media_type, record = JSON, AccessRecord(parse_trace_id(request.header(b"traceparent")))
        try:
            media_type = negotiate(", ".join(request.headers(b"accept")))
            response = await self._respond(request, record)
        except HttpError as error:
            response = GraphQLResponse(error.status, error_body(error.code, error.message), error.headers, is_refusal=True)
        except GraphQLRequestError as request_error:
            status = 400 if media_type == GRAPHQL_JSON else 200
            response = GraphQLResponse(status, {"errors": [format_error(error) for error in request_error.errors]}, is_refusal=True)
        except ClientDisconnected:
            response = GraphQLResponse(CLIENT_CLOSED_REQUEST, {})
        except asyncio.CancelledError:
            if not self.health.is_draining:
                raise
            response = _shutdown_response()
        except Exception as exception:  # noqa: BLE001 for any error, the client gets a response and the log the traceback
            response = _error_response(exception)
        record.status, record.seconds = int(response.status), perf_counter() - start
        self.access_log.log(record.with_errors(response.body.get("errors", ())))
        if response.is_refusal:
            await self.refusal_throttle.wait_for_caller(record.organization_id, request.address)
        body = response.encoded_body or orjson.dumps(response.body)
        headers = _response_headers(response, record, media_type, len(body))
        await send({"type": "http.response.start", "status": record.status, "headers": headers})
        if response.actor is None or len(body) <= SMALL_BYTES:
            await send({"type": "http.response.body", "body": body})
        else:
            await send_large(send, body, self.outgoing_budget, response.actor)

    async def _respond(self, request: Request, record: AccessRecord) -> GraphQLResponse:
        parsing.check_method(request.method, self.get_policy)
        actor = await self.authenticator.require(request.header(b"authorization"), request.address)
        record.organization_id, record.token_id = actor.tenant, actor.token_id
        graphql_request = await self._read_request(request, actor)
        document = await self._find_document(graphql_request, actor)
        record.document_hash = document.key
        if document.errors:
            raise GraphQLRequestError(document.errors)
        operation = self._select_operation(document, graphql_request, request.method)
        record.operation_type, record.root_field, record.operation_name = operation.kind_name, operation.root_field, operation.name
        self.outgoing_budget.check(actor)
        account = self.rate_limiter.account(actor)
        values = await self._coerce(operation, graphql_request.variables or {}, account, actor)
        estimate = operation.estimate_cost(values)
        record.cost_requested = estimate.maximum
        if estimate.maximum > self.max_cost:
            message = f"The operation may cost {estimate.maximum} points; {self.max_cost} are allowed. Request less at once."
            raise GraphQLRequestError([graphql_error(ErrorCode.QUERY_TOO_COMPLEX, message)])
        execution_request = ExecutionRequest(document, operation, values, actor, request.header(b"idempotency-key"), record.query_stats)
        result = await self._execute(execution_request, estimate, account, request, record)
        if result.data is None and result.errors and not any(error.path for error in result.errors):
            raise GraphQLRequestError(result.errors)  # nothing was executed
        body = _response_body(result)
        body = body | self._cost_extensions(actor, record) if graphql_request.wants_cost else body
        encoded_body = encode(body, result, self.max_response_bytes)
        if len(encoded_body) > SMALL_BYTES and operation.kind is OperationType.QUERY:  # the client must learn the result of a mutation
            self.outgoing_budget.check(actor, len(encoded_body))
        return GraphQLResponse(HTTPStatus.OK, body, encoded_body=encoded_body, actor=actor)

    async def _coerce(self, operation: Operation, raw_values: Mapping[str, Any], account: Account, actor: Actor) -> VariableValues:
        """Coerce the variables. Many values count toward the organization's CPU share.

        The base cost is charged before, so that coercion is never free. If the values are rejected, they are charged as well.
        """
        account.charge(BASE_COST)
        size = measure_variables(raw_values)
        try:
            if size.values <= MANY_VALUES:
                return operation.coerce(raw_values, suggests=not size.is_beyond_suggestions)
            async with self.cpu_share.exclusive(actor):
                return operation.coerce(raw_values, suggests=not size.is_beyond_suggestions)
        except GraphQLRequestError:
            account.spend(size.values // VALUES_PER_POINT)
            raise

    async def _execute(
        self, execution_request: ExecutionRequest, estimate: CostEstimate, account: Account, request: Request, record: AccessRecord
    ) -> ExecutionResult:
        """Wait for a slot and run the operation while its client is connected. Return the points that it did not spend."""
        queue_start, timeout = perf_counter(), self.delete_timeout if execution_request.operation.is_long else self.operation_timeout
        with account.reserve(estimate, prepaid_points=BASE_COST) as reservation:
            cpu_slot = self.cpu_share.exclusive(execution_request.actor) if execution_request.document.uses_introspection else nullcontext()
            async with cpu_slot, OperationDeadline(request.receive, timeout), self.concurrency.slot(execution_request.actor):
                record.queue_seconds = perf_counter() - queue_start
                reservation.spent_points = estimate.maximum
                try:
                    result = await self.runner.execute(execution_request)
                except ResponseTooLargeError:
                    raise too_large_error(f"{self.runner.max_objects} objects") from None
                reservation.spent_points = record.cost_actual = estimate.actual_cost(result)
        return result

    async def _read_request(self, request: Request, actor: Actor) -> GraphQLRequest:
        if request.method == "GET":
            return parsing.parse_get(request.parameters, self.get_policy)
        with self.incoming_budget.track(actor) as byte_counter:
            body = await parsing.receive_body(request, self.max_body_bytes, byte_counter.add_checked)
            if len(body) < parsing.LARGE_BODY_BYTES:
                return parsing.parse_body(body)
            async with self.cpu_share.exclusive(actor):
                return parsing.parse_body(body)

    async def _find_document(self, graphql_request: GraphQLRequest, actor: Actor) -> Document:
        # Hash the text only once: hashing takes half of the time of finding a document.
        key = None if graphql_request.query is None else hash_document(graphql_request.query)
        if not self.persisted_documents.is_new(key):
            return self.persisted_documents.resolve(graphql_request, key)
        async with self.cpu_share.exclusive(actor):
            return self.persisted_documents.resolve(graphql_request, key)

    def _select_operation(self, document: Document, graphql_request: GraphQLRequest, method: str) -> Operation:
        operation = document.find_operation(graphql_request.operationName)
        if isinstance(operation, GraphQLError):
            raise GraphQLRequestError([operation])
        if operation.kind is OperationType.SUBSCRIPTION:
            raise HttpError(ErrorCode.BAD_REQUEST, "Subscriptions are not supported. Send a query or a mutation.")
        if method == "GET" and operation.kind is not OperationType.QUERY:
            raise HttpError(ErrorCode.METHOD_NOT_ALLOWED, "A GET request cannot run a mutation. Send a POST.", headers={"allow": "POST"})
        return operation

    def _cost_extensions(self, actor: Actor, record: AccessRecord) -> dict[str, object]:
        throttle = {**self.rate_limiter.throttle, "currentlyAvailable": self.rate_limiter.account(actor).available}
        return {"extensions": {"cost": {"requested": record.cost_requested, "actual": record.cost_actual, "throttle": throttle}}}


def _response_headers(response: GraphQLResponse, record: AccessRecord, media_type: str, length: int) -> list[tuple[bytes, bytes]]:
    own_headers = (
        [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()] if response.headers else ()
    )
    return [
        *own_headers,
        (b"x-request-id", record.trace_id.encode()),
        NO_STORE,
        VARY,
        (b"content-length", b"%d" % length),
        CONTENT_TYPES[media_type],
    ]


def _response_body(result: ExecutionResult) -> dict[str, object]:
    errors = {"errors": [format_error(error) for error in sort_errors(result.errors)]} if result.errors else {}
    return {"data": result.data, **errors}
