"""The composition of the server: the schema, its limits, its endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from db.engine import Database
from resolvers.core import OperationExecutor
from resolvers.executor import CompiledExecutor
from server import graphiql
from server.auth import SignIn
from server.browser import BrowserSignIn
from server.byte_budget import ByteBudget
from server.cors import cors
from server.documents import Documents
from server.health import Health
from server.http import GraphQL
from server.library import Library
from server.metrics import Metrics, Watched
from server.operations import Runner
from server.pace import Pace
from server.rates import Rate, Rates
from server.refusal_pace import RefusalPace
from server.reports import Reports
from server.settings import Settings
from server.trusted import trusted
from server.turns import Turns
from server.unrouted import unrouted

PATH = "/graphql"
SEND_FEWER = "Send fewer large requests at once."
READ_FIRST = "Read the responses first, then try again."


@dataclass(frozen=True)
class Dispatcher:
    """Call the endpoint for each request to its path, whatever the method, and Starlette for all other requests.

    Starlette's middleware and router do nothing for the endpoint, and take 4 % of the CPU of a small query.
    """

    endpoint: GraphQL
    others: Starlette

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_endpoint = scope["type"] == "http" and scope["path"] == PATH
        await (self.endpoint if is_endpoint else self.others)(scope, receive, send)


@dataclass(frozen=True)
class Application:
    """What answers, and what the process around it looks after."""

    answers: ASGIApp
    health: Health
    metrics: Metrics


def app(
    schema: strawberry.Schema, database: Database, settings: Settings, secrets: Sequence[bytes], browser: BrowserSignIn | None = None
) -> Application:
    """The application. With `browser` GraphiQL signs in to the demo by itself, on the machine that serves."""
    core = schema._schema  # noqa: SLF001 what Strawberry made is graphql-core's
    documents = Documents(core, settings.document_limits, most_bytes=settings.documents_bytes, is_open=settings.has_introspection)
    executor = CompiledExecutor if settings.compiled else OperationExecutor
    turns, health = Turns(settings.turns), Health(database.health_probe)
    incoming = ByteBudget("request bodies", SEND_FEWER, settings.max_incoming_bytes_per_token, settings.max_incoming_bytes)
    outgoing = ByteBudget("responses", READ_FIRST, settings.max_outgoing_bytes_per_token, settings.max_outgoing_bytes)
    metrics = Metrics(core, [*_watched(database, turns, documents), *_watched_bytes(incoming, outgoing)])
    endpoint = GraphQL(
        Reports(metrics.count),
        health,
        SignIn(database, settings.refused_tokens),
        Library(documents, settings.documents, trusted(settings.trusted_documents, settings.documents)),
        Pace(settings.turns),
        Rates(Rate(settings.points_per_second, settings.points)),
        turns,
        Runner(schema, executor, database, secrets, is_open=settings.has_introspection, max_objects=settings.max_response_objects),
        settings.takes_get,
        settings.operation_seconds,
        settings.long_seconds,
        settings.max_cost,
        settings.max_body_bytes,
        settings.max_response_bytes,
        incoming,
        outgoing,
        RefusalPace(settings.max_refusals_per_second),
    )
    others = Starlette(
        routes=[*health.routes(), *(graphiql.routes(browser) if settings.has_graphiql else ())],
        exception_handlers={HTTPException: unrouted},
    )
    others.router.redirect_slashes = False  # its address would be made of the request's Host, which anybody can write
    answers = Dispatcher(endpoint, others)
    return Application(cors(answers, settings.cors_origins) if settings.cors_origins else answers, health, metrics)


def _watched(database: Database, turns: Turns, documents: Documents) -> list[Watched]:
    return [
        Watched("readers_in_use", "Connections for reading that are in use.", lambda: database.read_connections_in_use),
        Watched("readers_waiting", "Operations that wait for a connection to read on.", lambda: database.read_connections_awaited),
        Watched("writers_in_use", "Connections for changes that are in use.", lambda: database.write_connections_in_use),
        Watched("operations_running", "Operations that run.", lambda: turns.running),
        Watched("operations_waiting", "Operations that wait for their turn.", lambda: turns.waiting),
        Watched("documents", "Documents that are kept.", lambda: len(documents)),
        Watched("documents_bytes", "Memory that they are reckoned to take.", lambda: documents.bytes),
    ]


def _watched_bytes(incoming: ByteBudget, outgoing: ByteBudget) -> list[Watched]:
    return [
        Watched("incoming_bytes", "Bytes of large request bodies that are not received whole yet.", lambda: incoming.bytes),
        Watched("outgoing_bytes", "Bytes of large responses that clients have not read yet.", lambda: outgoing.bytes),
    ]
