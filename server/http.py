"""GraphQL over HTTP: one POST in, one JSON answer out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from db.engine import Database
from domain.scope import Actor
from resolvers.context import Context
from server.auth import SignIn
from server.errors import masked, problem, shown, told

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
ALLOWED = {OperationType.QUERY, OperationType.MUTATION}


class Asked(BaseModel):
    """The body of a request, as GraphQL over HTTP has it."""

    model_config = ConfigDict(strict=True, extra="forbid")
    query: str = Field(min_length=1)
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 the name in the protocol
    extensions: dict[str, Any] | None = None


class Unanswerable(Exception):  # noqa: N818
    """A request that is none: the status, and what to tell."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = problem(code, message)
        self.headers = headers


@dataclass(frozen=True)
class GraphQL:
    """The endpoint."""

    schema: strawberry.Schema
    database: Database
    sign_in: SignIn
    secrets: Sequence[bytes]
    seconds: float
    max_body: int

    async def respond(self, request: Request) -> Response:
        kind = GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("accept", "") else JSON
        try:
            result = await self._answered(request)
        except Unanswerable as why:
            return _response(why.body, kind, why.status, why.headers)
        except Exception as failed:  # noqa: BLE001 whatever it was, the caller gets an answer and the log the trace
            if said := told(failed):
                return _response(problem(*said), kind, 503, {"retry-after": "1"})
            return _response({"errors": [masked(failed)]}, kind, 500)
        is_request_error = isinstance(result, PreExecutionError) or (
            result.data is None and all(not error.path for error in result.errors or ())
        )
        body: dict[str, Any] = {} if is_request_error else {"data": result.data}
        if result.errors:
            body["errors"] = [shown(error) for error in result.errors]
        return _response(body, kind, 400 if is_request_error and kind == GRAPHQL_JSON else 200)

    async def _answered(self, request: Request) -> ExecutionResult:
        _checked_method(request)
        actor = await self.sign_in.actor(request.headers.get("authorization"))
        if actor is None:
            message = "Send a valid token: `Authorization: Bearer rlt_…`. `relaties token create` makes one."
            raise Unanswerable(401, "UNAUTHENTICATED", message, **{"www-authenticate": "Bearer"})
        asked = _read(await _body(request, self.max_body))
        try:
            async with asyncio.timeout(self.seconds):
                return await self._executed(asked, actor, request.headers.get("idempotency-key"))
        except TimeoutError:
            message = f"The operation took longer than {self.seconds:g} seconds. Ask for less at once."
            raise Unanswerable(504, "TIMEOUT", message) from None

    async def _executed(self, asked: Asked, actor: Actor, key: str | None) -> ExecutionResult:
        context = Context(self.database, actor, self.secrets, key)
        try:
            return await self.schema.execute(
                asked.query,
                variable_values=asked.variables,
                operation_name=asked.operationName,
                context_value=context,
                allowed_operation_types=ALLOWED,
            )
        except CannotGetOperationTypeError as unknown:
            raise Unanswerable(400, "BAD_REQUEST", "The document has no operation of the name in `operationName`.") from unknown
        except InvalidOperationTypeError as unknown:
            raise Unanswerable(400, "BAD_REQUEST", "Only queries and mutations are answered here.") from unknown
        finally:
            await context.end()


def _checked_method(request: Request) -> None:
    if request.method != "POST":
        raise Unanswerable(405, "METHOD_NOT_ALLOWED", "Send a POST with a JSON body.", allow="POST")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Unanswerable(415, "UNSUPPORTED_MEDIA_TYPE", f"Send `Content-Type: {JSON}`.")


async def _body(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is too large, whatever its header said."""
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > most:
            raise Unanswerable(413, "PAYLOAD_TOO_LARGE", f"A request has at most {most} bytes.", connection="close")
    return bytes(held)


def _read(body: bytes) -> Asked:
    try:
        said = orjson.loads(body)
        if b"\\u0000" in body and _holds_nul(said):
            raise Unanswerable(400, "BAD_REQUEST", "A text cannot hold the character NUL.")
        return Asked.model_validate(said)
    except orjson.JSONDecodeError as wrong:
        raise Unanswerable(400, "BAD_REQUEST", f"The body is not JSON: {wrong}.") from None
    except ValidationError as wrong:
        faults = "; ".join(f"{'.'.join(str(step) for step in fault['loc']) or 'body'}: {fault['msg']}" for fault in wrong.errors())
        raise Unanswerable(400, "BAD_REQUEST", f'The body is not `{{"query": "…", "variables": {{…}}}}`: {faults}.') from None


def _holds_nul(value: object) -> bool:
    """PostgreSQL keeps every character but this."""
    if isinstance(value, str):
        return "\0" in value
    return any(map(_holds_nul, [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()))


def _response(body: object, kind: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, {**(headers or {}), "cache-control": "no-store"}, f"{kind}; charset=utf-8")
