"""GraphQL over HTTP: a request in, one JSON answer out. The checks in their order, the cheapest first; then the operation."""

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

from domain.scope import Actor
from resolvers.core import ResponseTooLargeError
from server import bodies
from server.addresses import group_of
from server.auth import SignIn
from server.bodies import Asked
from server.byte_budget import SMALL_BYTES, ByteBudget
from server.costs import OPERATION, Bill
from server.documents import Document, Operation
from server.errors import in_order, masked, problem, shown, told
from server.health import Health
from server.library import Library
from server.limits import Get
from server.negotiation import GRAPHQL_JSON, JSON, OFFERED, negotiated
from server.operations import Order, Patience, Runner
from server.pace import Pace
from server.rates import Account, Rates
from server.refusal_pace import RefusalPace
from server.refusals import ClientGone, ErrorCode, RequestError, Unanswerable, coded
from server.reports import Report, Reports, trace_of
from server.request import Request
from server.responses import encode, too_large
from server.trusted import hash_of
from server.turns import Turns
from server.variables import MANY_VALUES, VALUES_PER_POINT, measure

GONE = 499  # nobody reads it; the log does
NO_STORE, VARY = (b"cache-control", b"no-store"), (b"vary", b"accept")
TYPES = {kind: (b"content-type", f"{kind}; charset=utf-8".encode()) for kind in OFFERED}


class Answer(NamedTuple):
    """A status, and the body and headers that go with it."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = MappingProxyType({})
    is_refusal: bool = False
    encoded: bytes = b""
    reader: Actor | None = None  # whose unread responses it is counted with


def _failed(failed: Exception) -> Answer:
    if said := told(failed):
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, problem(*said), {"retry-after": "1"})
    return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"errors": [masked(failed)]})


def _stopped() -> Answer:
    """The server stops and did not wait any longer."""
    stopped = problem(ErrorCode.UNAVAILABLE, "The server is being stopped. Try again in a moment.")
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, stopped, {"retry-after": "1", "connection": "close"})


@dataclass(frozen=True)
class GraphQL:
    """The endpoint."""

    reports: Reports
    health: Health
    sign_in: SignIn
    library: Library
    pace: Pace
    rates: Rates
    turns: Turns
    runner: Runner
    get: Get
    seconds: float
    long_seconds: float
    max_cost: int
    max_body: int
    max_response_bytes: int
    incoming: ByteBudget
    outgoing: ByteBudget
    refusals: RefusalPace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer, and the report of it; nothing that a caller does makes this fail."""
        began, request = perf_counter(), Request(scope, receive)
        kind, report = JSON, Report(trace_of(request.header(b"traceparent")))
        try:
            kind = negotiated(", ".join(request.headers(b"accept")))
            answer = await self._answered(request, report)
        except Unanswerable as why:
            answer = Answer(why.status, problem(why.code, why.message), why.headers, is_refusal=True)
        except RequestError as refused:
            status = 400 if kind == GRAPHQL_JSON else 200
            answer = Answer(status, {"errors": [shown(error) for error in refused.errors]}, is_refusal=True)
        except ClientGone:
            answer = Answer(GONE, {})
        except asyncio.CancelledError:
            if not self.health.is_draining:
                raise
            answer = _stopped()
        except Exception as failed:  # noqa: BLE001 whatever it was, the caller gets an answer and the log the trace
            answer = _failed(failed)
        report.status, report.seconds = int(answer.status), perf_counter() - began
        self.reports.tell(report.with_errors(answer.body.get("errors", ())))
        if answer.is_refusal:
            await self._pace_refusal(report, request)
        body = answer.encoded or orjson.dumps(answer.body)
        await send({"type": "http.response.start", "status": report.status, "headers": _headers(answer, report, kind, len(body))})
        if answer.reader is None or len(body) <= SMALL_BYTES:
            await send({"type": "http.response.body", "body": body})
        else:
            await self._send_large(send, body, answer.reader)

    async def _pace_refusal(self, report: Report, request: Request) -> None:
        if report.organization:
            await self.refusals.wait(report.organization)
        else:
            await self.refusals.wait_as_stranger(group_of(request.address))

    async def _send_large(self, send: Send, body: bytes, reader: Actor) -> None:
        """Send a large body, and count it until the client has read nearly all of it: the end of the response waits for that."""
        with self.outgoing.counted(reader) as counted:
            counted.add(len(body))
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _answered(self, request: Request, report: Report) -> Answer:
        bodies.check_method(request.method, self.get)
        actor = await self._actor(request)
        report.organization, report.subject = actor.tenant, actor.token_id
        asked = await self._asked(request, actor)
        document = await self._document(asked, actor)
        report.document = document.key
        if document.errors:
            raise RequestError(document.errors)
        operation = self._operation(document, asked, request.method)
        report.kind, report.root_field, report.name = operation.kind_name, operation.root_field, operation.name
        self.outgoing.check(actor)
        account = self.rates.account(actor)
        values = await self._coerced(operation, asked.variables or {}, account, actor)
        bill = operation.bill(values)
        report.cost_requested = bill.requested
        if bill.requested > self.max_cost:
            message = f"The operation may cost {bill.requested} points; {self.max_cost} are allowed. Ask for less at once."
            raise RequestError([coded(ErrorCode.QUERY_TOO_COMPLEX, message)])
        order = Order(document, operation, values, actor, request.header(b"idempotency-key"), report.tally)
        result = await self._ran(order, bill, account, request, report)
        if result.data is None and result.errors and not any(error.path for error in result.errors):
            raise RequestError(result.errors)  # nothing ran
        body = _body(result)
        body = body | self._priced(actor, report) if asked.wants_cost else body
        encoded = encode(body, result, self.max_response_bytes)
        if len(encoded) > SMALL_BYTES and operation.kind is OperationType.QUERY:  # a change was made: the caller has to know
            self.outgoing.check(actor, len(encoded))
        return Answer(HTTPStatus.OK, body, encoded=encoded, reader=actor)

    async def _coerced(self, operation: Operation, sent: Mapping[str, Any], account: Account, actor: Actor) -> VariableValues:
        """Coerce the variables, many of them within the organization's share of the CPU.

        The cost of a request is paid before, so that coercion is never free, whatever comes of the request; a refusal costs its values.
        """
        account.charge(OPERATION)
        size = measure(sent)
        try:
            if size.values <= MANY_VALUES:
                return operation.coerce(sent, suggests=not size.is_beyond_suggestions)
            async with self.pace.kept(actor):
                return operation.coerce(sent, suggests=not size.is_beyond_suggestions)
        except RequestError:
            account.spend(size.values // VALUES_PER_POINT)
            raise

    async def _ran(self, order: Order, bill: Bill, account: Account, request: Request, report: Report) -> ExecutionResult:
        """When it is its turn and as long as somebody waits; what it did not spend goes back."""
        came, seconds = perf_counter(), self.long_seconds if order.operation.is_long else self.seconds
        with account.drawn(bill, paid=OPERATION) as drawn:
            at_once = self.pace.kept(order.actor) if order.document.asks_schema else nullcontext()
            async with at_once, Patience(request.receive, seconds), self.turns.turn(order.actor):
                report.waited = perf_counter() - came
                drawn.spent = bill.requested
                try:
                    result = await self.runner.execute(order)
                except ResponseTooLargeError:
                    raise too_large(f"{self.runner.max_objects} objects") from None
                drawn.spent = report.cost_actual = bill.actual(result)
        return result

    async def _actor(self, request: Request) -> Actor:
        found = await self.sign_in.actor(request.header(b"authorization"), request.address)
        if found is None:
            message = "Send a valid token: `Authorization: Bearer rlt_…`. `relaties token create` makes one."
            raise Unanswerable(ErrorCode.UNAUTHENTICATED, message, headers={"www-authenticate": "Bearer"})
        return found

    async def _asked(self, request: Request, actor: Actor) -> Asked:
        if request.method == "GET":
            return bodies.asked_by_get(request.parameters, self.get)
        with self.incoming.counted(actor) as counted:
            sent = await bodies.body(request, self.max_body, counted.add_checked)
            if len(sent) < bodies.LARGE:
                return bodies.read(sent)
            async with self.pace.kept(actor):
                return bodies.read(sent)

    async def _document(self, asked: Asked, actor: Actor) -> Document:
        key = None if asked.query is None else hash_of(asked.query)  # once: it takes half of the time of finding a document
        if not self.library.is_new(key):
            return self.library.found(asked, key)
        async with self.pace.kept(actor):
            return self.library.found(asked, key)

    def _operation(self, document: Document, asked: Asked, method: str) -> Operation:
        found = document.operation(asked.operationName)
        if isinstance(found, GraphQLError):
            raise RequestError([found])
        if found.kind is OperationType.SUBSCRIPTION:
            raise Unanswerable(ErrorCode.BAD_REQUEST, "Only queries and mutations are answered here.")
        if method == "GET" and found.kind is not OperationType.QUERY:
            raise Unanswerable(ErrorCode.METHOD_NOT_ALLOWED, "Changes are not made by GET. Send a POST.", headers={"allow": "POST"})
        return found

    def _priced(self, actor: Actor, report: Report) -> dict[str, object]:
        throttle = {**self.rates.throttle, "currentlyAvailable": self.rates.account(actor).left}
        return {"extensions": {"cost": {"requested": report.cost_requested, "actual": report.cost_actual, "throttle": throttle}}}


def _headers(answer: Answer, report: Report, kind: str, length: int) -> list[tuple[bytes, bytes]]:
    own = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()] if answer.headers else ()
    return [*own, (b"x-request-id", report.trace.encode()), NO_STORE, VARY, (b"content-length", b"%d" % length), TYPES[kind]]


def _body(result: ExecutionResult) -> dict[str, object]:
    errors = {"errors": [shown(error) for error in in_order(result.errors)]} if result.errors else {}
    return {"data": result.data, **errors}
