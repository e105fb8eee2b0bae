"""The composition of the server: the schema, its limits, its endpoints."""

from collections.abc import Sequence

import asyncpg
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db import walls
from db.engine import Database
from db.faults import BusyError
from db.migrations import head
from server import graphiql
from server.auth import SignIn
from server.cors import cors
from server.documents import Documents
from server.http import GraphQL
from server.library import Library, trusted
from server.operations import Runner
from server.pace import Pace
from server.rates import Rate, Rates
from server.settings import Settings
from server.turns import Turns


def app(
    schema: strawberry.Schema, database: Database, settings: Settings, secrets: Sequence[bytes], demo_token: str | None = None
) -> Starlette:
    """The application. With the demo's token GraphiQL signs in by itself, on the machine that serves."""
    endpoint = endpoint_of(schema, database, settings, secrets)

    async def ready(_request: Request) -> Response:
        """Whether the database answers and has the tables that this code needs."""
        try:
            found = await walls.revision(database)
        except (BusyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return JSONResponse({"status": "database unreachable"}, 503)
        is_ready = found == head()
        return JSONResponse({"status": "ready" if is_ready else "migrations missing"}, 200 if is_ready else 503)

    served = Starlette(
        routes=[
            Route("/graphql", endpoint.respond, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
            Route("/livez", _live),
            Route("/readyz", ready),
            *(graphiql.routes(demo_token) if settings.has_graphiql else ()),
        ],
        middleware=[cors(settings.cors_origins)] if settings.cors_origins else [],
    )
    served.router.redirect_slashes = False  # its address would be made of the request's Host, which anybody can write
    return served


def endpoint_of(schema: strawberry.Schema, database: Database, settings: Settings, secrets: Sequence[bytes]) -> GraphQL:
    documents = Documents(
        schema._schema,  # noqa: SLF001 what Strawberry made is graphql-core's
        settings.document_limits,
        most_bytes=settings.documents_bytes,
        is_open=settings.has_introspection,
    )
    return GraphQL(
        SignIn(database, settings.refused_tokens),
        Library(documents, settings.documents, trusted(settings.trusted_documents)),
        Pace(settings.turns),
        Rates(Rate(settings.points_per_second, settings.points)),
        Turns(settings.turns),
        Runner(schema, database, secrets, is_open=settings.has_introspection),
        settings.takes_get,
        settings.operation_seconds,
        settings.max_cost,
        settings.max_body_bytes,
    )


async def _live(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})
