"""Test that a field with `@semanticNonNull` is null only with an error, for all such fields of the schema.

`tests/schema/test_nullability.py` tests which fields have the directive.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import asyncpg
import pytest
import strawberry
from graphql import GraphQLNonNull, GraphQLObjectType, get_named_type, is_required_argument
from pydantic.alias_generators import to_snake

from db import demo
from db.engine.database import Database
from db.tables import Role
from domain.core.scope import Permission
from domain.organization.tokens import new_secret
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.builders import Tenant, add_token
from tests.support.databases import runtime_url
from tests.support.full_client import create_full_client
from tests.support.ids import global_id
from tests.support.mutation_inputs import NODES, SCHEMA

TABLES = {
    "ActivityEvent": "audit_event",
    "ClientExportJob": "job",
    "RevenueRebuildJob": "job",
}  # of types that are not named like their table
IDS_PER_TYPE = 25
Path = tuple[str | int, ...]


def is_semantically_non_null(field: Any) -> bool:  # noqa: ANN401 graphql-core's
    directives = field.extensions["strawberry-definition"].directives
    return any(each.__strawberry_directive__.graphql_name == "semanticNonNull" for each in directives)


def select(kind: GraphQLObjectType) -> str:
    """Return a selection of all fields with the directive, and of those below objects that are no nodes.

    Each field has its place as its alias, for example `Project_client`.
    """
    parts = ["__typename"]
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        is_node = below.name in {"Node", *NODES}
        selection = select(below) if isinstance(below, GraphQLObjectType) and not is_node else "{ __typename }" if is_node else ""
        is_selected = is_semantically_non_null(field) or "_" in selection.replace("__typename", "")
        if is_selected and not any(is_required_argument(each) for each in field.args.values()):
            parts.append(f"{kind.name}_{name}: {name} {selection}")
    return "{ " + " ".join(parts) + " }"


def semantic_places() -> Iterator[str]:
    """Yield the fields with the directive that queries can reach. Mutations and the types of their errors have their own tests."""
    for kind in SCHEMA.type_map.values():
        is_reachable = kind is not SCHEMA.mutation_type and not kind.name.endswith("Error") and not kind.name.startswith("__")
        if isinstance(kind, GraphQLObjectType) and is_reachable:
            yield from (f"{kind.name}_{name}" for name, field in kind.fields.items() if is_semantically_non_null(field))


assert SCHEMA.query_type
OF_NODES = " ".join(f"... on {name} {select(SCHEMA.type_map[name])}" for name in NODES)  # type: ignore[arg-type]
DOCUMENTS = [f"query ($ids: [ID!]!) {{ Query_nodes: nodes(ids: $ids) {{ __typename {OF_NODES} }} }}", f"query {select(SCHEMA.query_type)}"]


def values_by_path(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Yield each value of a response that has a place, with its path."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key != "__typename":
                yield (*path, key), each
                yield from values_by_path(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from values_by_path(each, (*path, index))


async def read_ids(owner: asyncpg.Connection, tenant: object) -> list[str]:
    """Return ids of objects of each type: for clients, archived ones first."""
    ids = list[str]()
    for kind in NODES:
        column, order = ("tenant_id", "") if kind == "Organization" else ("id", "archived_at, " if kind == "Client" else "")
        table = TABLES.get(kind) or to_snake(kind)
        rows = await owner.fetch(
            f"SELECT {column} FROM relaties.{table} WHERE tenant_id = $1 ORDER BY {order} 1 LIMIT {IDS_PER_TYPE}", tenant
        )
        ids += [global_id(kind, row[0]) for row in rows]
    return ids


async def ask(api: Api, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Run the documents and return the bodies of their responses."""
    batches = [ids[first : first + 100] for first in range(0, len(ids), 100)]
    return [*[await api.execute(DOCUMENTS[0], ids=batch) for batch in batches], await api.execute(DOCUMENTS[1])]


@pytest.fixture(scope="module")
async def demo_owner(demo_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(demo_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def unlimited_demo_api(demo_url: str, demo_token: str, schema: strawberry.Schema) -> AsyncIterator[Api]:
    database = await Database.connect(runtime_url(demo_url))
    async with connect_client(schema, database, UNLIMITED) as http:
        yield Api(http, demo_token)
    await database.close()


async def test_every_field_has_a_value_in_the_demo_data(unlimited_demo_api: Api, demo_owner: asyncpg.Connection) -> None:
    """The owner may read everything, so there is no error, and none of the fields is null."""
    bodies = await ask(unlimited_demo_api, await read_ids(demo_owner, demo.TENANT))
    assert [body["errors"] for body in bodies if "errors" in body] == []
    values = [each for body in bodies for each in values_by_path(body["data"])]
    assert [path for path, value in values if value is None and path[-1] in set(semantic_places())] == []
    assert {path[-1] for path, value in values if value is not None} >= set(semantic_places())


@pytest.fixture
async def full_org(org: Tenant) -> Tenant:
    await create_full_client(org)
    await create_full_client(org, "Actief", is_archived=False)
    return org


@pytest.mark.parametrize("scope", [[], *([each] for each in Permission)], ids=lambda scope: scope[0] if scope else "none")
async def test_field_is_null_only_with_an_error(
    database: Database, schema: strawberry.Schema, full_org: Tenant, scope: list[Permission]
) -> None:
    """Callers lack the permissions for most fields."""
    secret = new_secret()
    await add_token(full_org.owner, full_org.id, secret, role=Role.OWNER.value, scope=scope)
    async with connect_client(schema, database, UNLIMITED) as http:
        bodies = await ask(Api(http, secret), await read_ids(full_org.owner, full_org.id))
    null_count = 0
    for body in bodies:
        failed = {tuple(error["path"]) for error in body.get("errors", ())}
        nulls = {path for path, value in values_by_path(body["data"]) if value is None and path[-1] in set(semantic_places())}
        assert nulls <= failed
        null_count += len(nulls)
    assert (null_count == 0) is (scope == [Permission.CLIENTS_READ])


def test_every_field_with_the_directive_is_nullable() -> None:
    """Otherwise the directive would say nothing."""
    for place in semantic_places():
        type_name, _, name = place.partition("_")
        kind = SCHEMA.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)
        assert not isinstance(kind.fields[name].type, GraphQLNonNull)
