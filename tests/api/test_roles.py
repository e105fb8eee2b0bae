"""Every role on every mutation: done where the table of rights gives the role all that it takes, refused whole where it does not."""

import re
from collections.abc import Callable, Iterator

import asyncpg
import pytest
from graphql import GraphQLInputObjectType

from db.tables import Role
from domain.core.scope import ROLE_PERMISSIONS, Permission
from tests.ask import Api
from tests.inputs import ANYWHERE, CORE, MUTATIONS, TRIES, Value, World, document, input_type, needed, places, right, world
from tests.snapshots import unchanged

TABLE = """
                     OWNER  ADMIN  FINANCE  MEMBER  VIEWER
CLIENTS_READ           x      x       x       x       x
CLIENTS_WRITE          x      x       x       x       -
REGISTRATIONS_WRITE    x      x       x       x       -
FINANCE_READ           x      x       x       -       -
FINANCE_WRITE          x      x       x       -       -
CLIENTS_ARCHIVE        x      x       -       -       -
CLIENTS_IMPORT         x      x       x       -       -
CLIENTS_EXPORT         x      x       x       -       -
ORGANIZATION_WRITE     x      x       -       -       -
OWNERS_WRITE           x      -       -       -       -
"""
ROLES, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
GIVEN = {Role(role): {Permission(row[0]) for row in ROWS if row[1 + place] == "x"} for place, role in enumerate(ROLES)}
OF_PART, AS_WELL = re.compile(r"Needs ([A-Z_]+)\."), re.compile(r"Takes ([A-Z_]+) as well\.")


def of_parts(name: str, given: Value) -> Iterator[Permission]:
    """The rights that the parts of an input that are filled in take, and those that the role that it gives away has."""
    for place in places(input_type(name), given):
        owner = CORE.type_map[place.owner]
        if isinstance(place.path[-1], str) and isinstance(owner, GraphQLInputObjectType):
            yield from map(Permission, OF_PART.findall(owner.fields[place.name].description or ""))
    yield from GIVEN[Role(given["role"])] if "role" in given else ()


def taken(name: str, given: Value) -> set[Permission]:
    """All the rights that a mutation takes with an input."""
    (own,) = needed(name)
    return {own, *map(Permission, AS_WELL.findall(MUTATIONS[name].description or "")), *of_parts(name, given)}


def may(name: str, turn: int, role: Role) -> bool:
    return taken(name, right(ANYWHERE, name, turn)) <= GIVEN[role]


ASKED = [(name, turn, role) for name, turn in TRIES for role in Role]


@pytest.fixture(scope="module")
async def mine(owner: asyncpg.Connection) -> World:
    """What no test here changes: it is only asked for what must be refused."""
    return await world(owner)


def test_the_rights_of_the_roles_are_those_of_the_table() -> None:
    """No more and no less; and each mutation is tried both by one who may and by one who may not."""
    assert ROLE_PERMISSIONS == GIVEN
    for wanted in (True, False):
        assert {name for name, turn, role in ASKED if may(name, turn, role) is wanted} == MUTATIONS.keys()


@pytest.mark.parametrize(("name", "turn", "role"), [each for each in ASKED if may(*each)])
async def test_a_role_that_has_all_that_it_takes_does_it(
    owner: asyncpg.Connection, as_: Callable[..., Api], name: str, turn: int, role: Role
) -> None:
    """Without a refusal."""
    made = await world(owner)
    payload = (await as_(made.tenant, role).data(document(name), input=right(made, name, turn)))[name]
    assert payload["userErrors"] == []


@pytest.mark.parametrize(("name", "turn", "role"), [each for each in ASKED if not may(*each)])
async def test_a_role_that_lacks_any_of_it_is_forbidden(
    owner: asyncpg.Connection, as_: Callable[..., Api], mine: World, name: str, turn: int, role: Role
) -> None:
    """The whole of it: an error of the operation and no payload, and nothing is changed."""
    async with unchanged(owner, mine.id):
        body = await as_(mine.tenant, role).ask(document(name), input=right(mine, name, turn))
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({name: None}, ["FORBIDDEN"])
