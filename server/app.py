"""The composition of the server: the schema, its limits, its endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route

from db.engine import Database
from schema.root import build
from server import graphiql
from server.auth import SignIn
from server.documents import DocumentLimits, documents
from server.health import Health
from server.http import GraphQL
from server.metrics import Metrics, Watched
from server.settings import Settings


@dataclass(frozen=True)
class Application:
    """What answers, and what the process around it looks after."""

    answers: Starlette
    health: Health
    metrics: Metrics


def schema_of(settings: Settings) -> strawberry.Schema:
    return build([documents(DocumentLimits(settings.max_tokens, settings.max_depth))])


def app(
    schema: strawberry.Schema, database: Database, settings: Settings, secrets: Sequence[bytes], demo_token: str | None = None
) -> Application:
    """The application. With the demo's token GraphiQL signs in by itself, on the machine that serves."""
    endpoint = GraphQL(schema, database, SignIn(database), secrets, settings.operation_seconds, settings.max_body_bytes)
    health = Health(database.probe)
    answers = Starlette(
        routes=[
            Route("/graphql", endpoint.respond, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            *health.routes(),
            *(graphiql.routes(demo_token) if settings.has_graphiql else ()),
        ]
    )
    return Application(answers, health, Metrics(schema._schema, _watched(database)))  # noqa: SLF001 Strawberry has no other door to it


def _watched(database: Database) -> list[Watched]:
    return [Watched("readers_in_use", "Connections for reading that are in use.", lambda: database.in_use)]
