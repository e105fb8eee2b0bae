"""Test that a failing field does not affect fields that share a loader with it."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import strawberry
from strawberry.schema.config import StrawberryConfig

from db.engine.database import Database
from db.tables import Role
from domain.clients import labels
from schema.core.fields import relation
from schema.core.scalars import SCALARS
from schema.labels import Label
from tests.support.api import connect_client
from tests.support.builders import Tenant


@strawberry.type
class Parent:
    """Object with a relation and with a required field that fails."""

    id: strawberry.Private[UUID]
    labels: list[Label] | None = relation(labels.of_clients, description="Labels.")

    @strawberry.field
    async def boom(self) -> str:
        await asyncio.sleep(0)
        raise RuntimeError("boom")


def serve_query(key: UUID) -> strawberry.Schema:
    @strawberry.type
    class Query:
        @strawberry.field
        def a(self) -> Parent | None:
            return Parent(id=key)

        @strawberry.field
        def b(self) -> Parent | None:
            return Parent(id=key)

    return strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))


async def test_failing_required_field_does_not_affect_a_shared_loader(database: Database, sample_org: Tenant) -> None:
    """The siblings of the failing field are cancelled. Another object that waits for the same key still gets its labels."""
    async with connect_client(serve_query(sample_org.clients[0]), database) as http:
        request_body = {"query": "{ a { boom labels { name } } b { labels { name } } }"}
        response = await http.post("/graphql", json=request_body, headers={"authorization": f"Bearer {sample_org.tokens[Role.OWNER]}"})
    assert response.status_code == httpx.codes.OK
    body: dict[str, Any] = response.json()
    assert body["data"] == {"a": None, "b": {"labels": [{"name": "Label 0"}, {"name": "Label 4"}]}}
    assert [error["path"] for error in body["errors"]] == [["a", "boom"]]
