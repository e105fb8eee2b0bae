"""GraphQL over HTTP: a request in, one JSON answer out. The checks in their order, the cheapest first; then the operation."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from db.tally import Tally
from domain.scope import Actor
from server import bodies
from server.auth import SignIn
from server.bodies import Asked, Get
from server.costs import Bill
from server.documents import Document, Operation
from server.errors import masked, problem, shown, told
from server.library import Library
from server.negotiation import GRAPHQL_JSON, JSON, negotiated
from server.operations import Order, Runner, awaited
from server.pace import Pace
from server.rates import Rates
from server.refusals import ClientGone, ErrorCode, RequestError, Unanswerable, coded
from server.turns import Turns

GONE = 499  # nobody reads it; the log does


@dataclass
class Course:
    """What became of a request, as far as it came."""

    actor: Actor | None = None
    document: Document | None = None
    operation: Operation | None = None
    bill: Bill | None = None
    actual: int | None = None
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Answer:
    """A status, and the body and headers that go with it."""

    status: int
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def _failed(failed: Exception) -> Answer:
    if said := told(failed):
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, problem(*said), {"retry-after": "1"})
    return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"errors": [masked(failed)]})


@dataclass(frozen=True)
class GraphQL:
    """The endpoint."""

    sign_in: SignIn
    library: Library
    pace: Pace
    rates: Rates
    turns: Turns
    runner: Runner
    get: Get
    seconds: float
    max_cost: int
    max_body: int

    async def respond(self, request: Request) -> Response:
        kind, course = JSON, Course()
        try:
            kind = negotiated(",".join(request.headers.getlist("accept")))
            answer = await self._answered(request, course)
        except Unanswerable as why:
            answer = Answer(why.status, problem(why.code, why.message), why.headers)
        except RequestError as refused:
            answer = Answer(400 if kind == GRAPHQL_JSON else 200, {"errors": [shown(error) for error in refused.errors]})
        except (ClientGone, ClientDisconnect):
            answer = Answer(GONE)
        except Exception as failed:  # noqa: BLE001 whatever it was, the caller gets an answer and the log the trace
            answer = _failed(failed)
        headers = {**answer.headers, "cache-control": "no-store", "vary": "accept"}
        return Response(orjson.dumps(answer.body), answer.status, headers, f"{kind}; charset=utf-8")

    async def _answered(self, request: Request, course: Course) -> Answer:
        bodies.check_method(request, self.get)
        actor = course.actor = await self._actor(request)
        asked = await self._asked(request, actor)
        document = course.document = await self._document(asked, actor)
        if document.errors:
            raise RequestError(document.errors)
        operation = course.operation = self._operation(document, asked, request.method)
        variables = asked.variables or {}
        bill = course.bill = operation.bill(variables)
        if bill.requested > self.max_cost:
            message = (
                f"The operation may cost {bill.requested} points; {self.max_cost} are allowed. Ask for fewer entries, or in several steps."
            )
            raise RequestError([coded(ErrorCode.QUERY_TOO_COMPLEX, message)])
        order = Order(document, operation, variables, actor, request.headers.get("idempotency-key"), course.tally)
        with self.rates.drawn(actor, bill) as drawn:
            at_once = self.pace.kept(actor.tenant) if document.asks_schema else nullcontext()
            async with at_once, awaited(request.receive, self.seconds), self.turns.turn(actor):
                drawn.spent = bill.requested
                result = await self.runner.run(order)
                drawn.spent = course.actual = bill.actual(result.data)
        if result.data is None and result.errors and not any(error.path for error in result.errors):
            raise RequestError(result.errors)  # its variables were refused, and nothing ran
        return Answer(HTTPStatus.OK, self._body(result, course, asked))

    async def _actor(self, request: Request) -> Actor:
        found = await self.sign_in.actor(request.headers.get("authorization"), request.client.host if request.client else "")
        if found is None:
            message = "Send a valid token: `Authorization: Bearer rlt_…`. `relaties token create` makes one."
            raise Unanswerable(ErrorCode.UNAUTHENTICATED, message, headers={"www-authenticate": "Bearer"})
        return found

    async def _asked(self, request: Request, actor: Actor) -> Asked:
        if request.method == "GET":
            return bodies.asked_by_get(request.query_params, self.get)
        sent = await bodies.body(request, self.max_body)
        if len(sent) < bodies.LARGE:
            return bodies.read(sent)
        async with self.pace.kept(actor.tenant):
            return bodies.read(sent)

    async def _document(self, asked: Asked, actor: Actor) -> Document:
        if not self.library.is_new(asked):
            return self.library.found(asked)
        async with self.pace.kept(actor.tenant):
            return self.library.found(asked)

    def _operation(self, document: Document, asked: Asked, method: str) -> Operation:
        found = document.operation(asked.operationName)
        if isinstance(found, GraphQLError):
            raise RequestError([found])
        if found.kind is OperationType.SUBSCRIPTION:
            raise Unanswerable(ErrorCode.BAD_REQUEST, "Only queries and mutations are answered here.")
        if method == "GET" and found.kind is not OperationType.QUERY:
            raise Unanswerable(ErrorCode.METHOD_NOT_ALLOWED, "Changes are not made by GET. Send a POST.", headers={"allow": "POST"})
        return found

    def _body(self, result: ExecutionResult, course: Course, asked: Asked) -> dict[str, object]:
        body: dict[str, object] = {"data": result.data}
        if result.errors:
            body["errors"] = [shown(error) for error in result.errors]
        if asked.wants_cost and course.bill and course.actor:
            throttle = {**self.rates.throttle, "currentlyAvailable": self.rates.left(course.actor)}
            body["extensions"] = {"cost": {"requested": course.bill.requested, "actual": course.actual, "throttle": throttle}}
        return body
