"""Test that only requested columns are read, and that requested columns always are."""

import re
from collections.abc import Callable
from copy import copy
from itertools import combinations
from typing import cast

import pytest
import strawberry
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from db.engine.database import Database
from db.engine.statement import MAX_PROJECTIONS, UnselectedColumnError
from db.queries import clients
from db.rows import ClientRow
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.full_client import create_full_client
from tests.support.queries import data_statements

CURSOR_FIELDS = {
    "Client": "{ clients { nodes { %s } } labels { nodes { clients { nodes { %s } } } } contacts { nodes { clients { nodes { %s } } } } }",
    "ContactClientEdge": "{ contacts { nodes { clients { edges { %s } } } } }",
    "Contact": "{ contacts { nodes { %s } } clients { nodes { contacts { nodes { %s } } } } }",
    "ClientContactEdge": "{ clients { nodes { contacts { edges { %s } } } } }",
    "Label": "{ labels { nodes { %s } } clients { nodes { labels { %s } } } }",
    "Address": "{ clients { nodes { address { %s } } } }",
    "Project": "{ clients { nodes { projects { nodes { %s } } } } }",
    "Registration": "{ registrations { nodes { %s } } clients { nodes { registrations { nodes { %s } } } } }",
    "RegistrationTime": "{ registrations { nodes { time { %s } } } }",
    "PageInfo": "{ clients { pageInfo { %s } } registrations { pageInfo { %s } } }",
}
ORDERS = "{ clients(first: 1, orderBy: {field: %s}) { edges { cursor node { name } } pageInfo { endCursor } } }"
PARTIAL_SELECTION = "{ clients { nodes { email contacts { edges { isPrimary node { lastName } } } labels { color } } } }"


@pytest.mark.parametrize("name", CURSOR_FIELDS)
async def test_each_field_alone_has_its_value(api_for: Callable[..., Api], org: Tenant, schema: strawberry.Schema, name: str) -> None:
    """A field read alone has the same value as beside all other fields."""
    await create_full_client(org, is_archived=False)
    api, kind = api_for(org), cast("GraphQLObjectType", schema._schema.type_map[name])  # noqa: SLF001
    selections = [
        field if is_leaf_type(get_named_type(field_definition.type)) else f"{field} {{ __typename }}"
        for field, field_definition in kind.fields.items()
        if "relation" not in field_definition.extensions["strawberry-definition"].metadata
    ]
    all_of_them = await api.data(CURSOR_FIELDS[name].replace("%s", " ".join(selections)))
    for field in selections:
        alone = await api.data(CURSOR_FIELDS[name].replace("%s", field))
        assert alone == select_field(all_of_them, field.partition(" ")[0], set(kind.fields)), field


def select_field(selected: object, field: str, fields: set[str]) -> object:
    """Return the answer with only this field of each object that has `fields`."""
    if isinstance(selected, list):
        return [select_field(each, field, fields) for each in selected]
    if not isinstance(selected, dict):
        return selected
    if selected.keys() <= fields and field in selected:
        return {field: selected[field]}
    return {key: select_field(value, field, fields) for key, value in selected.items()}


@pytest.mark.parametrize("order", ["NAME", "NUMBER", "CREATED_AT", "UPDATED_AT"])
async def test_cursors_have_their_values(api_for: Callable[..., Api], sample_org: Tenant, order: str) -> None:
    connection = (await api_for(sample_org).data(ORDERS % order))["clients"]
    assert connection["edges"][0]["cursor"] == connection["pageInfo"]["endCursor"]


async def test_statement_selects_requested_columns(api_for: Callable[..., Api], sample_org: Tenant, statements: list[str]) -> None:
    """It also selects columns for sorting and grouping, but no column that is requested only of other rows under the same name."""
    for _ in range(3):
        statements.clear()
        await api_for(sample_org).data(PARTIAL_SELECTION)
    (statement,) = data_statements(statements)
    assert re.findall(r"\((SELECT \"[^(]*) FROM \(", statement) == [
        'SELECT "id", "name_key", "email"',
        'SELECT "id", "last_name", "client_id", "position", "is_primary"',
        'SELECT "id", "color", "client_id"',
    ]


async def test_missing_columns_are_not_read_as_null(database: Database, org: Tenant) -> None:
    key = await org.add_client("Een")
    tx = database.read(org.id, requested_columns=frozenset({"name"}))
    (row,) = await clients.by_id(tx, [key])
    await tx.end()
    assert isinstance(row, ClientRow)
    assert (row.id, row.name) == (key, "Een")
    with pytest.raises(UnselectedColumnError, match="ClientRow"):
        _ = row.email


def test_statement_variants_are_bounded() -> None:
    """The first variants are kept. Any further selection, and the selection of all columns, uses the full statement."""
    query = clients.BY_NUMBER
    assert query.project(frozenset({"name"})) is query, "a query that does not declare the columns that rules read"
    query = copy(clients.BY_ID)
    query._projections = {}  # noqa: SLF001 only the variants of this test
    first = query.project(frozenset({"name"}))
    assert query.project(frozenset({"name", "no column"})) is first
    variants = [query.project(frozenset(names)) for names in combinations(ClientRow.__columns__[4:16], 2)]
    assert query.project(frozenset({"name"})) is first
    assert len({id(variant) for variant in (first, *variants)} - {id(query)}) == MAX_PROJECTIONS
    assert variants[-1] is query
    assert query.project(None) is query
