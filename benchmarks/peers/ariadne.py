"""Ariadne from the schema's text, with a cache of documents."""

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
async def clients(
    _: object, _info: GraphQLResolveInfo, first: int, filter: common.Shown | None = None, after: str | None = None
) -> common.Shown:
    return await common.clients(filter["status"] if filter else "ALL", first, after)


@query.field("node")
async def one(_: object, _info: GraphQLResolveInfo, id: str) -> common.Shown | None:
    return await common.client(id)


@client.field("contacts")
def contacts(row: common.Shown, info: GraphQLResolveInfo) -> Any:  # noqa: ANN401 a future of the loader's
    return info.context.contacts.load(row["key"])


@client.field("labels")
def labels(row: common.Shown, info: GraphQLResolveInfo) -> Any:  # noqa: ANN401
    return info.context.labels.load(row["key"])


@client.field("revenue")
def revenue(row: common.Shown, info: GraphQLResolveInfo, period: common.Shown | None = None) -> Any:  # noqa: ANN401
    asked = period or {}
    return info.context.revenue(asked.get("since"), asked.get("until")).load(row["key"])


day.set_value_parser(date.fromisoformat)
moment.set_serializer(lambda value: value.isoformat())
schema = make_executable_schema(load_schema_from_path(str(Path(__file__).with_name("schema.graphql"))), query, client, node, day, moment)
parsed, errors = common.kept(schema)


def parser(_context: object, data: dict[str, Any]) -> DocumentNode:
    return parsed(data["query"])


def validator(_schema: object, document: DocumentNode, *_: object, **_more: object) -> list[GraphQLError]:
    return errors(document)


app = GraphQL(schema, context_value=lambda *_: common.Context(), query_parser=parser, query_validator=validator)
