"""Compose the ASGI application from schema, limits and endpoints."""

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
from server.http.downloads import DownloadEndpoint, DownloadLoad
from server.http.endpoint import GraphQLEndpoint
from server.http.error_responses import handle_routing_error
from server.http.persisted_documents import PersistedDocuments
from server.http.schema_endpoint import SchemaEndpoint
from server.observability.access_log import AccessLog
from server.observability.health import Health
from server.observability.metrics import GaugeSource, Metrics
from server.settings import Settings

PATH = "/graphql"
SEND_FEWER = "Send fewer large requests at once."
READ_FIRST = "Read the responses first, then try again."
READ_CONNECTIONS_PER_DOWNLOAD = 4  # downloads use a quarter of the read pool at most, and each connection for milliseconds


@dataclass(frozen=True)
class Dispatcher:
    """Pass each request to `/graphql`, of any method, to the endpoint, and all other requests to Starlette.

    The endpoint needs nothing of Starlette's middleware and router, which take 4 % of the CPU time of a small query.
    """

    endpoint: GraphQLEndpoint
    fallback: Starlette

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_endpoint = scope["type"] == "http" and scope["path"] == PATH
        await (self.endpoint if is_endpoint else self.fallback)(scope, receive, send)


@dataclass(frozen=True)
class Application:
    """The ASGI application, with its health and metrics for the process that runs it."""

    asgi_app: ASGIApp
    health: Health
    metrics: Metrics


def build_app(
    schema: strawberry.Schema, database: Database, settings: Settings, secrets: Sequence[bytes], browser: BrowserSignIn | None = None
) -> Application:
    """Build the application. With `browser`, GraphiQL on the same machine signs in to the demo without a login."""
    core_schema = schema._schema  # noqa: SLF001 Strawberry has no public access to the graphql-core schema
    limits, max_bytes, shows_schema = settings.document_limits, settings.document_cache_bytes, settings.has_introspection
    documents = DocumentCache(core_schema, limits, max_bytes=max_bytes, shows_schema=shows_schema)
    executor = CompiledExecutor(PlanCache()).execute if settings.compiled_executor else OperationExecutor.execute
    concurrency, health = ConcurrencyLimiter(settings.concurrency_limits), Health(database.health_probe)
    incoming_budget = ByteBudget("request bodies", SEND_FEWER, settings.max_incoming_bytes_per_token, settings.max_incoming_bytes)
    outgoing_budget = ByteBudget("responses", READ_FIRST, settings.max_outgoing_bytes_per_token, settings.max_outgoing_bytes)
    download_load = DownloadLoad(max(1, settings.read_pool_size // READ_CONNECTIONS_PER_DOWNLOAD))
    gauges = _gauge_sources(database, concurrency, documents) + _load_gauge_sources(incoming_budget, outgoing_budget, download_load)
    metrics = Metrics(core_schema, gauges)
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
    downloads = _build_downloads(database, secrets, download_load, endpoint)
    asgi_app = Dispatcher(endpoint, _build_fallback(schema, endpoint, downloads, settings, browser))
    return Application(add_cors(asgi_app, settings.cors_origins) if settings.cors_origins else asgi_app, health, metrics)


def _build_downloads(database: Database, secrets: Sequence[bytes], load: DownloadLoad, endpoint: GraphQLEndpoint) -> DownloadEndpoint:
    """Build the endpoint of downloads, which shares its limits with the GraphQL endpoint."""
    return DownloadEndpoint(
        database,
        secrets,
        load,
        endpoint.access_log,
        endpoint.health,
        endpoint.rate_limiter,
        endpoint.outgoing_budget,
        endpoint.refusal_throttle,
    )


def _build_fallback(
    schema: strawberry.Schema, endpoint: GraphQLEndpoint, downloads: DownloadEndpoint, settings: Settings, browser: BrowserSignIn | None
) -> Starlette:
    """Build the application for all paths but that of the endpoint, with which the schema's endpoint shares its limits."""
    routes = [*endpoint.health.build_routes(), downloads.build_route()]
    if settings.has_introspection:
        schema_endpoint = SchemaEndpoint(
            schema.as_str,
            endpoint.access_log,
            endpoint.authenticator,
            endpoint.rate_limiter,
            endpoint.outgoing_budget,
            endpoint.refusal_throttle,
        )
        routes.append(schema_endpoint.build_route())
    if settings.has_graphiql:
        routes += pages.build_routes(browser)
    fallback = Starlette(routes=routes, exception_handlers={HTTPException: handle_routing_error})
    fallback.router.redirect_slashes = False  # the redirect would contain the request's Host header, which any client can forge
    return fallback


def _gauge_sources(database: Database, concurrency: ConcurrencyLimiter, documents: DocumentCache) -> list[GaugeSource]:
    return [
        GaugeSource("read_connections_in_use", "Connections of the read pool in use.", lambda: database.read_connections_in_use),
        GaugeSource("read_connections_awaited", "Operations waiting for a read connection.", lambda: database.read_connections_awaited),
        GaugeSource("write_connections_in_use", "Connections of the write pool in use.", lambda: database.write_connections_in_use),
        GaugeSource("operations_running", "Operations running.", lambda: concurrency.running_count),
        GaugeSource("operations_waiting", "Operations waiting in the concurrency queue.", lambda: concurrency.waiting_count),
        GaugeSource("cached_documents", "Documents in the document cache.", lambda: len(documents)),
        GaugeSource("document_cache_bytes", "Estimated bytes of memory of the document cache.", lambda: documents.bytes),
    ]


def _load_gauge_sources(incoming_budget: ByteBudget, outgoing_budget: ByteBudget, load: DownloadLoad) -> list[GaugeSource]:
    return [
        GaugeSource("downloads_running", "Downloads of files running.", lambda: load.running_count),
        GaugeSource("incoming_bytes", "Bytes received of large request bodies that are incomplete.", lambda: incoming_budget.bytes),
        GaugeSource("outgoing_bytes", "Bytes of large responses that clients have not read.", lambda: outgoing_budget.bytes),
    ]
