"""The composition of the server: the schema, its limits, its endpoints."""

from collections.abc import Sequence

import asyncpg
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db import walls
from db.engine import BusyError, Database
from db.migrations import head
from schema.root import build
from server import graphiql
from server.auth import SignIn
from server.documents import DocumentLimits, documents
from server.http import GraphQL
from server.settings import Settings


def schema_of(settings: Settings) -> strawberry.Schema:
    return build([documents(DocumentLimits(settings.max_tokens, settings.max_depth))])


def app(
    schema: strawberry.Schema, database: Database, settings: Settings, secrets: Sequence[bytes], demo_token: str | None = None
) -> Starlette:
    """The application. With the demo's token GraphiQL signs in by itself, on the machine that serves."""
    endpoint = GraphQL(schema, database, SignIn(database), secrets, settings.operation_seconds, settings.max_body_bytes)

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
            Route("/graphql", endpoint.respond, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            Route("/livez", _live),
            Route("/readyz", ready),
            *(graphiql.routes(demo_token) if settings.has_graphiql else ()),
        ]
    )
    served.router.redirect_slashes = False  # its address would be made of the request's Host, which anybody can write
    return served


async def _live(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})
