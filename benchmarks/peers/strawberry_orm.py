"""Serve the part of the product's schema that the queries use with Strawberry and SQLModel, as in their documentation.

The context has one AsyncSession and the DataLoaders of a request. Rows are ORM entities, which `from_instance` copies into Strawberry
types. Relations are resolvers with DataLoaders. Where the documentation leaves a choice, the faster one is used: the loaders use the
session one after the other (at the same time, two of three would fail), statements have the tenant so that they can use the product's
indexes, revenue is the product's statement, pages use keyset pagination, and ids do not use the Relay integration, which queries per row.
The server has no authentication and no tenancy, and connects as the owner.
"""

import asyncio
import os
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Self
from uuid import UUID

import strawberry
from sqlalchemy import tuple_
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import SchemaExtension

from benchmarks.peer_statements import revenue_query
from db import demo, tables
from db.engine.urls import to_sqlalchemy_url
from db.tables import ClientKind

engine = create_async_engine(to_sqlalchemy_url(os.environ["PEER_DATABASE_URL"]))
REVENUE = revenue_query()
PAGE = 25
PREFIX = "cli_"  # prefix of client ids

Info = strawberry.Info[Any, None]
RevenueKey = tuple[UUID, date | None, date | None]


@strawberry.type
class Contact:
    first_name: str | None
    last_name: str | None
    email: str | None


@strawberry.type
class ClientContactEdge:
    is_invoice_contact: bool
    node: Contact

    @classmethod
    def from_instances(cls, link: tables.ClientContact, contact: tables.Contact) -> Self:
        contact_type = Contact(first_name=contact.first_name, last_name=contact.last_name, email=contact.email)
        return cls(is_invoice_contact=link.is_invoice_contact, node=contact_type)


@strawberry.type
class ClientContactConnection:
    edges: list[ClientContactEdge]


@strawberry.type
class Label:
    name: str
    color: str

    @classmethod
    def from_instance(cls, instance: tables.Label) -> Self:
        return cls(name=instance.name, color=instance.color)


@strawberry.type
class Money:
    amount: Decimal
    currency: str


@strawberry.type
class Revenue:
    invoiced: Money
    paid: Money
    outstanding: Money


@strawberry.input
class PeriodInput:
    since: date | None = None
    until: date | None = None


@strawberry.enum
class ClientStatus(Enum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    ALL = "ALL"


@strawberry.input
class ClientFilterInput:
    status: ClientStatus = ClientStatus.ALL


@strawberry.interface
class Node:
    id: strawberry.ID


strawberry.enum(ClientKind)


@strawberry.type
class Client(Node):
    instance: strawberry.Private[tables.Client]
    name: str
    number: str | None
    kind: ClientKind
    email: str | None
    phone: str | None
    website: str | None
    language: str | None
    kvk_number: str | None
    vat_number: str | None
    archived_at: datetime | None
    version: int

    @strawberry.field
    async def contacts(self, info: Info, first: int = PAGE) -> ClientContactConnection:
        edges = await info.context["contacts"].load(self.instance.id)
        return ClientContactConnection(edges=edges[:first])

    @strawberry.field
    async def labels(self, info: Info) -> list[Label]:
        label_list: list[Label] = await info.context["labels"].load(self.instance.id)
        return label_list

    @strawberry.field
    async def revenue(self, info: Info, period: PeriodInput | None = None) -> Revenue:
        period_input = period or PeriodInput()
        revenue_value: Revenue = await info.context["revenue"].load((self.instance.id, period_input.since, period_input.until))
        return revenue_value

    @classmethod
    def from_instance(cls, instance: tables.Client) -> Self:
        return cls(
            instance=instance,
            id=strawberry.ID(PREFIX + urlsafe_b64encode(instance.id.bytes).decode()[:-2]),
            name=instance.name,
            number=instance.number,
            kind=ClientKind(instance.kind),
            email=instance.email,
            phone=instance.phone,
            website=instance.website,
            language=instance.language,
            kvk_number=instance.kvk_number,
            vat_number=instance.vat_number,
            archived_at=instance.archived_at,
            version=instance.version,
        )


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class ClientEdge:
    cursor: str
    node: Client


@strawberry.type
class ClientConnection:
    edges: list[ClientEdge]
    page_info: PageInfo


class EntityLoaders:
    """The batch functions of the loaders, on the single session of a request."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._lock = asyncio.Lock()

    async def contacts(self, ids: list[UUID]) -> list[list[ClientContactEdge]]:
        link, contact = tables.ClientContact, tables.Contact
        query = (
            select(link, contact)
            .join(contact, (col(contact.tenant_id) == col(link.tenant_id)) & (col(contact.id) == col(link.contact_id)))
            .where(col(link.tenant_id) == demo.TENANT, col(link.client_id).in_(ids))
            .order_by(col(link.client_id), col(link.position), col(link.contact_id))
        )
        links_by_client = defaultdict(list)
        async with self._lock:
            for link_row, person in await self._session.exec(query):
                links_by_client[link_row.client_id].append(ClientContactEdge.from_instances(link_row, person))
        return [links_by_client[key] for key in ids]

    async def labels(self, ids: list[UUID]) -> list[list[Label]]:
        link, label = tables.ClientLabel, tables.Label
        query = (
            select(link.client_id, label)
            .join(label, (col(label.tenant_id) == col(link.tenant_id)) & (col(label.id) == col(link.label_id)))
            .where(col(link.tenant_id) == demo.TENANT, col(link.client_id).in_(ids))
            .order_by(col(link.client_id), col(label.name_key), col(label.id))
        )
        labels_by_client = defaultdict(list)
        async with self._lock:
            for client, label_row in await self._session.exec(query):
                labels_by_client[client].append(Label.from_instance(label_row))
        return [labels_by_client[key] for key in ids]

    async def revenue(self, keys: list[RevenueKey]) -> list[Revenue]:
        """Load the revenue of these keys with one statement per period. Nearly every request has only one period."""
        revenue_by_key: dict[RevenueKey, Revenue] = {}
        for since, until in {key[1:] for key in keys}:
            ids = [key[0] for key in keys if key[1:] == (since, until)]
            values = {"tenant": demo.TENANT, "ids": ids, "start": since or date.min, "end": until or date.max}
            async with self._lock:
                connection = await self._session.connection()
                rows = (await connection.exec_driver_sql(REVENUE.sql, tuple(REVENUE.arguments(values)))).all()
            for row in rows:
                if row.is_total:
                    figures = {
                        figure: Money(amount=getattr(row, figure), currency=row.currency) for figure in ("invoiced", "paid", "outstanding")
                    }
                    revenue_by_key[row.client_id, since, until] = Revenue(**figures)
        return [revenue_by_key[key] for key in keys]


@strawberry.type
class Query:
    @strawberry.field
    async def clients(
        self, info: Info, filter: ClientFilterInput | None = None, first: int = PAGE, after: str | None = None
    ) -> ClientConnection:
        order_columns = (col(tables.Client.name_key), col(tables.Client.id))
        query = select(tables.Client).where(col(tables.Client.tenant_id) == demo.TENANT)
        if filter and filter.status is not ClientStatus.ALL:
            archived = col(tables.Client.archived_at)
            query = query.where(archived.is_(None) if filter.status is ClientStatus.ACTIVE else archived.is_not(None))
        if after:
            name, _, key = b64decode(after).decode().rpartition(":")
            query = query.where(tuple_(*order_columns) > tuple_(name, UUID(key)))
        rows = (await info.context["session"].exec(query.order_by(*order_columns).limit(first + 1))).all()
        return _connection(rows[:first], has_next=len(rows) > first, has_previous=after is not None)

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        key = urlsafe_b64decode(id.removeprefix(PREFIX) + "==")
        query = select(tables.Client).where(col(tables.Client.tenant_id) == demo.TENANT, tables.Client.id == UUID(bytes=key))
        row = (await info.context["session"].exec(query)).first()
        return Client.from_instance(row) if row else None


def _connection(rows: Sequence[tables.Client], *, has_next: bool, has_previous: bool) -> ClientConnection:
    edges = [ClientEdge(cursor=b64encode(f"{row.name_key}:{row.id}".encode()).decode(), node=Client.from_instance(row)) for row in rows]
    return ClientConnection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


class CloseSession(SchemaExtension):
    """Close the session at the end of the operation."""

    async def on_operation(self) -> AsyncIterator[None]:
        yield
        await self.execution_context.context["session"].close()


class PeerApplication(GraphQL[Any, None]):
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:  # noqa: ANN401 the type of the base class
        session = AsyncSession(engine)
        loads = EntityLoaders(session)
        return {
            "request": request,
            "response": response,
            "session": session,
            "contacts": DataLoader(load_fn=loads.contacts),
            "labels": DataLoader(load_fn=loads.labels),
            "revenue": DataLoader(load_fn=loads.revenue),
        }


app = PeerApplication(strawberry.Schema(Query, types=[Client], extensions=[CloseSession]))
