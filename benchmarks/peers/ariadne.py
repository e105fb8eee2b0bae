"""Serve Ariadne with the schema from `schema.graphql` and a cache of documents."""

from datetime import date
from pathlib import Path
from typing import Any

from ariadne import InterfaceType, ObjectType, QueryType, ScalarType, load_schema_from_path, make_executable_schema
from ariadne.asgi import GraphQL
from graphql import DocumentNode, GraphQLError, GraphQLResolveInfo

from benchmarks.peers import common

query, client, day, moment = QueryType(), ObjectType("Client"), ScalarType("Date"), ScalarType("DateTime")
node = InterfaceType("Node", lambda *_: "Client")


@query.field("clients")
async def resolve_clients(
    _: object, _info: GraphQLResolveInfo, first: int, filter: common.Record | None = None, after: str | None = None
) -> common.Record:
    return await common.fetch_clients(filter["status"] if filter else "ALL", first, after)


@query.field("node")
async def resolve_node(_: object, _info: GraphQLResolveInfo, id: str) -> common.Record | None:
    return await common.fetch_client(id)


@client.field("contacts")
def resolve_contacts(row: common.Record, info: GraphQLResolveInfo) -> Any:  # noqa: ANN401 a future of the loader
    return info.context.contacts.load(row["key"])


@client.field("labels")
def resolve_labels(row: common.Record, info: GraphQLResolveInfo) -> Any:  # noqa: ANN401
    return info.context.labels.load(row["key"])


@client.field("revenue")
def resolve_revenue(row: common.Record, info: GraphQLResolveInfo, period: common.Record | None = None) -> Any:  # noqa: ANN401
    period_values = period or {}
    return info.context.revenue(period_values.get("since"), period_values.get("until")).load(row["key"])


day.set_value_parser(date.fromisoformat)
moment.set_serializer(lambda value: value.isoformat())
schema = make_executable_schema(load_schema_from_path(str(Path(__file__).with_name("schema.graphql"))), query, client, node, day, moment)
parse, validate = common.cache_documents(schema)


def cached_parser(_context: object, data: dict[str, Any]) -> DocumentNode:
    return parse(data["query"])


def cached_validator(_schema: object, document: DocumentNode, *_: object, **_more: object) -> list[GraphQLError]:
    return validate(document)


app = GraphQL(schema, context_value=lambda *_: common.Context(), query_parser=cached_parser, query_validator=cached_validator)
