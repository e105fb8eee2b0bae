"""Compose the server: schema, limits and endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from db.engine.database import Database
from resolvers.execution.executor import CompiledExecutor
from resolvers.execution.operation import OperationExecutor
from resolvers.execution.plan_cache import PlanCache
from server.admission.byte_budget import ByteBudget
from server.admission.concurrency import ConcurrencyLimiter
from server.admission.cpu_share import CpuShare
from server.admission.rate_limit import RateLimit, RateLimiter
from server.admission.refusal_throttle import RefusalThrottle
from server.documents.cache import DocumentCache
from server.documents.execution import Runner
from server.documents.trusted import load_trusted_documents
from server.graphiql import pages
from server.graphiql.sign_in import BrowserSignIn
from server.http.auth import Authenticator
from server.http.cors import add_cors
from server.http.endpoint import GraphQLEndpoint
from server.http.error_responses import handle_routing_error
from server.http.persisted_documents import PersistedDocuments
from server.observability.access_log import AccessLog
from server.observability.health import Health
from server.observability.metrics import GaugeSource, Metrics
from server.settings import Settings

PATH = "/graphql"
SEND_FEWER = "Send fewer large requests at once."
READ_FIRST = "Read the responses first, then try again."


@dataclass(frozen=True)
class Dispatcher:
    """Call the endpoint for each request to its path, whatever the method, and Starlette for all other requests.

    Starlette's middleware and router do nothing for the endpoint, and take 4 % of the CPU of a small query.
    """

    endpoint: GraphQLEndpoint
    fallback: Starlette

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_endpoint = scope["type"] == "http" and scope["path"] == PATH
        await (self.endpoint if is_endpoint else self.fallback)(scope, receive, send)


@dataclass(frozen=True)
class Application:
    """The ASGI application, and what the process around it manages."""

    asgi_app: ASGIApp
    health: Health
    metrics: Metrics


def build_app(
    schema: strawberry.Schema, database: Database, settings: Settings, secrets: Sequence[bytes], browser: BrowserSignIn | None = None
) -> Application:
    """Build the application. With `browser`, GraphiQL signs in to the demo by itself, on the machine that serves."""
    core_schema = schema._schema  # noqa: SLF001 what Strawberry made is graphql-core's
    limits, max_bytes, shows_schema = settings.document_limits, settings.document_cache_bytes, settings.has_introspection
    documents = DocumentCache(core_schema, limits, max_bytes=max_bytes, shows_schema=shows_schema)
    executor = CompiledExecutor(PlanCache()).execute if settings.compiled_executor else OperationExecutor.execute
    concurrency, health = ConcurrencyLimiter(settings.concurrency_limits), Health(database.health_probe)
    incoming_budget = ByteBudget("request bodies", SEND_FEWER, settings.max_incoming_bytes_per_token, settings.max_incoming_bytes)
    outgoing_budget = ByteBudget("responses", READ_FIRST, settings.max_outgoing_bytes_per_token, settings.max_outgoing_bytes)
    gauge_sources = [*_gauge_sources(database, concurrency, documents), *_byte_gauge_sources(incoming_budget, outgoing_budget)]
    metrics = Metrics(core_schema, gauge_sources)
    trusted_documents = load_trusted_documents(settings.trusted_documents, settings.document_policy)
    endpoint = GraphQLEndpoint(
        AccessLog(metrics.count),
        health,
        Authenticator(database, settings.max_auth_failures),
        PersistedDocuments(documents, settings.document_policy, trusted_documents),
        CpuShare(settings.concurrency_limits),
        RateLimiter(RateLimit(settings.rate_limit_restore, settings.rate_limit_burst)),
        concurrency,
        Runner(schema, executor, database, secrets, shows_schema=shows_schema, max_objects=settings.max_response_objects),
        settings.get_policy,
        settings.operation_timeout,
        settings.delete_timeout,
        settings.max_cost,
        settings.max_body_bytes,
        settings.max_response_bytes,
        incoming_budget,
        outgoing_budget,
        RefusalThrottle(settings.max_refusals_per_second),
    )
    fallback = Starlette(
        routes=[*health.build_routes(), *(pages.build_routes(browser) if settings.has_graphiql else ())],
        exception_handlers={HTTPException: handle_routing_error},
    )
    fallback.router.redirect_slashes = False  # its address would be made of the request's Host, which anybody can write
    asgi_app = Dispatcher(endpoint, fallback)
    return Application(add_cors(asgi_app, settings.cors_origins) if settings.cors_origins else asgi_app, health, metrics)


def _gauge_sources(database: Database, concurrency: ConcurrencyLimiter, documents: DocumentCache) -> list[GaugeSource]:
    return [
        GaugeSource("read_connections_in_use", "Connections of the read pool that are in use.", lambda: database.read_connections_in_use),
        GaugeSource("read_connections_awaited", "Operations that wait for a read connection.", lambda: database.read_connections_awaited),
        GaugeSource(
            "write_connections_in_use", "Connections of the write pool that are in use.", lambda: database.write_connections_in_use
        ),
        GaugeSource("operations_running", "Operations that run.", lambda: concurrency.running_count),
        GaugeSource("operations_waiting", "Operations that wait in the concurrency queue.", lambda: concurrency.waiting_count),
        GaugeSource("cached_documents", "Documents in the cache.", lambda: len(documents)),
        GaugeSource("document_cache_bytes", "Estimated memory of the document cache.", lambda: documents.bytes),
    ]


def _byte_gauge_sources(incoming_budget: ByteBudget, outgoing_budget: ByteBudget) -> list[GaugeSource]:
    return [
        GaugeSource("incoming_bytes", "Bytes of large request bodies that are not received whole yet.", lambda: incoming_budget.bytes),
        GaugeSource("outgoing_bytes", "Bytes of large responses that clients have not read yet.", lambda: outgoing_budget.bytes),
    ]
