"""Serve Graphene with a minimal ASGI endpoint and a cache of documents."""

import inspect
from functools import cache
from typing import Any

import graphene
import orjson
from graphene.utils.str_converters import to_camel_case
from graphql import execute
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.peers import common

camel_case = cache(to_camel_case)


def resolve_key(name: str, default: object, row: common.Record, _info: graphene.ResolveInfo, **_: object) -> object:
    """Return the value of a field from a row, which is a dict with the field names as keys."""
    return row.get(camel_case(name), default)


class Money(graphene.ObjectType):
    amount, currency = graphene.String(required=True), graphene.String(required=True)


class Revenue(graphene.ObjectType):
    invoiced, paid, outstanding = (graphene.Field(Money, required=True) for _ in range(3))


class Label(graphene.ObjectType):
    name, color = graphene.String(required=True), graphene.String(required=True)


class Contact(graphene.ObjectType):
    class Meta:
        default_resolver = resolve_key

    first_name, last_name, email = graphene.String(), graphene.String(), graphene.String()


class ClientContactEdge(graphene.ObjectType):
    class Meta:
        default_resolver = resolve_key

    is_invoice_contact = graphene.Boolean(required=True)
    node = graphene.Field(Contact, required=True)


class ClientContactConnection(graphene.ObjectType):
    edges = graphene.List(graphene.NonNull(ClientContactEdge), required=True)


class PeriodInput(graphene.InputObjectType):
    since, until = graphene.Date(), graphene.Date()


class ClientKind(graphene.Enum):
    COMPANY = "COMPANY"
    PERSON = "PERSON"
    GOVERNMENT = "GOVERNMENT"


class ClientStatus(graphene.Enum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    ALL = "ALL"


class ClientFilterInput(graphene.InputObjectType):
    status = ClientStatus(default_value="ALL")


class Node(graphene.Interface):
    id = graphene.ID(required=True)

    @classmethod
    def resolve_type(cls, _row: common.Record, _info: graphene.ResolveInfo) -> type[graphene.ObjectType]:
        return Client


class Client(graphene.ObjectType):
    class Meta:
        interfaces = (Node,)
        default_resolver = resolve_key

    name, kind = graphene.String(required=True), ClientKind(required=True)
    number, email, phone, website, language, kvk_number, vat_number = (graphene.String() for _ in range(7))
    archived_at, version = graphene.DateTime(), graphene.Int(required=True)
    contacts = graphene.Field(ClientContactConnection, required=True)
    labels = graphene.List(graphene.NonNull(Label), required=True)
    revenue = graphene.Field(Revenue, required=True, period=PeriodInput())

    def resolve_contacts(self: common.Record, info: graphene.ResolveInfo) -> Any:  # noqa: ANN401 a future of the loader
        return info.context.contacts.load(self["key"])

    def resolve_labels(self: common.Record, info: graphene.ResolveInfo) -> Any:  # noqa: ANN401
        return info.context.labels.load(self["key"])

    def resolve_revenue(self: common.Record, info: graphene.ResolveInfo, period: common.Record | None = None) -> Any:  # noqa: ANN401
        period_values = period or {}
        return info.context.revenue(period_values.get("since"), period_values.get("until")).load(self["key"])


class ClientEdge(graphene.ObjectType):
    cursor = graphene.String(required=True)
    node = graphene.Field(Client, required=True)


class PageInfo(graphene.ObjectType):
    class Meta:
        default_resolver = resolve_key

    has_next_page, has_previous_page = graphene.Boolean(required=True), graphene.Boolean(required=True)
    start_cursor, end_cursor = graphene.String(), graphene.String()


class ClientConnection(graphene.ObjectType):
    class Meta:
        default_resolver = resolve_key

    edges = graphene.List(graphene.NonNull(ClientEdge), required=True)
    page_info = graphene.Field(PageInfo, required=True)


class Query(graphene.ObjectType):
    clients = graphene.Field(
        ClientConnection, required=True, filter=ClientFilterInput(), first=graphene.Int(default_value=25), after=graphene.String()
    )
    node = graphene.Field(Node, id=graphene.ID(required=True))

    async def resolve_clients(
        self, _info: graphene.ResolveInfo, first: int, filter: common.Record | None = None, after: str | None = None
    ) -> common.Record:
        status = filter["status"] if filter else "ALL"
        return await common.fetch_clients(getattr(status, "value", status), first, after)

    async def resolve_node(self, _info: graphene.ResolveInfo, id: str) -> common.Record | None:
        return await common.fetch_client(id)


schema = graphene.Schema(Query, types=[Client]).graphql_schema
parse, validate = common.cache_documents(schema)


async def application(request: Request) -> Response:
    body = orjson.loads(await request.body())
    document = parse(body["query"])
    if validation_errors := validate(document):
        return Response(orjson.dumps({"errors": [error.formatted for error in validation_errors]}), media_type="application/json")
    result = execute(schema, document, variable_values=body.get("variables"), context_value=common.Context())
    execution = await result if inspect.isawaitable(result) else result
    return Response(orjson.dumps(execution.formatted), media_type="application/json")


app = Starlette(routes=[Route("/graphql", application, methods=["POST"])])
