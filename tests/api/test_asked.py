"""Columns that nobody asks for stay where they are, and whoever asks for one has it."""

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
from tests.api.test_nested_query import answering
from tests.ask import Api
from tests.builders import Tenant
from tests.full_clients import full_client

PLACES = {
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
SOME = "{ clients { nodes { email contacts { edges { isPrimary node { lastName } } } labels { color } } } }"


@pytest.mark.parametrize("name", PLACES)
async def test_each_field_alone_has_what_it_reads(as_: Callable[..., Api], org: Tenant, schema: strawberry.Schema, name: str) -> None:
    """The same as beside others that read every column."""
    await full_client(org, is_archived=False)
    api, kind = as_(org), cast("GraphQLObjectType", schema._schema.type_map[name])  # noqa: SLF001
    shown = [
        field if is_leaf_type(get_named_type(of.type)) else f"{field} {{ __typename }}"
        for field, of in kind.fields.items()
        if "relation" not in of.extensions["strawberry-definition"].metadata
    ]
    all_of_them = await api.data(PLACES[name].replace("%s", " ".join(shown)))
    for field in shown:
        alone = await api.data(PLACES[name].replace("%s", field))
        assert alone == only(all_of_them, field.partition(" ")[0], set(kind.fields)), field


def only(found: object, field: str, fields: set[str]) -> object:
    """What is left where of the fields of a type that alone is asked for; what is above them stays."""
    if isinstance(found, list):
        return [only(each, field, fields) for each in found]
    if not isinstance(found, dict):
        return found
    if found.keys() <= fields and field in found:
        return {field: found[field]}
    return {key: only(value, field, fields) for key, value in found.items()}


@pytest.mark.parametrize("order", ["NAME", "NUMBER", "CREATED_AT", "UPDATED_AT"])
async def test_cursors_have_what_they_are_made_of(as_: Callable[..., Api], crowded: Tenant, order: str) -> None:
    found = (await as_(crowded).data(ORDERS % order))["clients"]
    assert found["edges"][0]["cursor"] == found["pageInfo"]["endCursor"]


async def test_a_statement_brings_what_is_asked_for(as_: Callable[..., Api], crowded: Tenant, statements: list[str]) -> None:
    """And what rules read: places in an order, and whose a row is; not what is asked of other rows by the same name."""
    for _ in range(3):
        statements.clear()
        await as_(crowded).data(SOME)
    (sent,) = answering(statements)
    assert re.findall(r"\((SELECT \"[^(]*) FROM \(", sent) == [
        'SELECT "id", "name_key", "email"',
        'SELECT "id", "last_name", "client_id", "position", "is_primary"',
        'SELECT "id", "color", "client_id"',
    ]


async def test_what_was_left_out_is_not_read_as_nothing(database: Database, org: Tenant) -> None:
    key = await org.add_client("Een")
    tx = database.read(org.id, requested_columns=frozenset({"name"}))
    (row,) = await clients.by_id(tx, [key])
    await tx.end()
    assert isinstance(row, ClientRow)
    assert (row.id, row.name) == (key, "Een")
    with pytest.raises(UnselectedColumnError, match="ClientRow"):
        _ = row.email


def test_forms_of_a_statement_are_few() -> None:
    """The first ones are kept for good; beyond them, and for all columns together, there is the statement itself."""
    query = clients.BY_NUMBER
    assert query.project(frozenset({"name"})) is query, "nobody said what rules read of it"
    query = copy(clients.BY_ID)
    query._projections = {}  # noqa: SLF001 the forms of this test alone
    first = query.project(frozenset({"name"}))
    assert query.project(frozenset({"name", "no column"})) is first
    forms = [query.project(frozenset(names)) for names in combinations(ClientRow.__columns__[4:16], 2)]
    assert query.project(frozenset({"name"})) is first
    assert len({id(form) for form in (first, *forms)} - {id(query)}) == MAX_PROJECTIONS
    assert forms[-1] is query
    assert query.project(None) is query
