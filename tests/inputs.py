"""Inputs of every mutation, made of the schema itself: right ones, and each place in them, to try something else there.

What is added to the schema joins by itself. What its type does not tell stands in the three tables here: `WORDS`, `TYPES` and `RIGHT`.
"""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from pydantic.alias_generators import to_snake

from db.tables.keys import new_id
from domain.core.scope import Permission
from resolvers.ids import PREFIXES
from resolvers.inputs import INPUT_TYPES
from schema.build import build
from tests.builders import EARLY, Tenant, changing, insert, tenant
from tests.directly import token_of
from tests.ids import global_id

CORE = build()._schema  # noqa: SLF001
MUTATIONS: dict[str, GraphQLField] = CORE.mutation_type.fields if CORE.mutation_type else {}
NODES = [kind.name for kind in CORE.get_possible_types(cast("GraphQLInterfaceType", CORE.type_map["Node"]))]
FIELD_SETS = {made.__strawberry_definition__.name: fields for made, fields in INPUT_TYPES}  # type: ignore[attr-defined]
Path = tuple[str | int, ...]
Value = Any  # JSON

WORDS: dict[str, tuple[Value, Value]] = {  # by the name of a field, two that are right
    "baseCurrency": ("EUR", "USD"),
    "bic": ("ABNANL2A", "INGBNL2A"),
    "clientNumberFormat": ("K-####", "L-####"),
    "color": ("#112233", "#445566"),
    "country": ("NL", "BE"),
    "currency": ("EUR", "USD"),
    "distanceKm": ("12.5", "13.7"),
    "email": ("an@test.example", "bo@test.example"),
    "endedAt": ("2026-01-31T10:00:00Z", "2026-01-31T10:30:00Z"),
    "expectedVersion": (1, 1),
    "iban": ("NL91ABNA0417164300", "NL02ABNA0123456789"),
    "invoiceNumberFormat": ("F-####", "G-####"),
    "kboNumber": ("0403170701", "0403199702"),
    "kvkBranchNumber": ("000012345678", "000087654321"),
    "kvkNumber": ("12345678", "87654321"),
    "language": ("nl", "en"),
    "locale": ("nl-NL", "nl-BE"),
    "mobile": ("+31 6 12345678", "+31 6 87654321"),
    "phone": ("+31 20 123 4567", "+31 20 765 4321"),
    "postalCode": ("1012 AB", "2511 CV"),
    "startedAt": ("2026-01-31T09:00:00Z", "2026-01-31T09:05:00Z"),
    "takesNextNumber": (False, False),
    "timeZone": ("Europe/Amsterdam", "Europe/Brussels"),
    "timezone": ("Europe/Amsterdam", "Europe/Brussels"),
    "vatNumber": ("NL123456782B01", "NL004495445B01"),
    "website": ("https://test.example", "https://other.example"),
}
BY_TYPE: dict[str, tuple[Value, Value]] = {
    "Boolean": (False, True),
    "Date": ("2026-01-31", "2026-02-28"),
    "DateTime": ("2040-01-31T09:00:00Z", "2041-01-31T09:00:00Z"),
    "Decimal": ("12.50", "13.75"),
    "Int": (1, 2),
    "String": ("Word", "Other"),
}
TYPES = {  # of an id whose name, or that of its input, does not begin or end with its type
    "ClientLabelInput.id": "Label",
    "OrganizationUpdateInput.defaultLayoutId": "InvoiceLayout",
    "TokenRevokeInput.id": "ApiToken",
}


@dataclass(frozen=True)
class World:
    """An organization with one of everything that an input can name, by the name of its type; at version 1."""

    tenant: Tenant
    ids: dict[str, str]

    @property
    def id(self) -> UUID:
        return self.tenant.id


RIGHT: dict[str, Callable[[World], dict[str, Value]]] = {  # by mutation, what its rules ask for beyond its types
    "clientDelete": lambda world: {
        "id": world.ids["ArchivedClient"],
        "previewToken": world.ids["PreviewToken"],
        "deleteOrphanContacts": True,
    },
    "clientUnarchive": lambda world: {"id": world.ids["ArchivedClient"]},
    "clientContactUnlink": lambda world: {"contactId": world.ids["ContactOfClient"]},
    "clientContactUpdate": lambda world: {"contactId": world.ids["ContactOfClient"]},
    "tokenCreate": lambda _: {"role": "VIEWER"},
    "clientLabelsRemove": lambda world: {"labelIds": [world.ids["LabelOfClient"]]},
    "projectDelete": lambda world: {"id": world.ids["EmptyProject"]},
    "projectUnarchive": lambda world: {"id": world.ids["ArchivedProject"]},
}


KINDS = ("Registration", "RegistrationOfExpense", "RegistrationOfMileage")
IN_TURN: dict[str, Callable[[World, int], dict[str, Value]]] = {  # and what they ask for of each alternative
    "registrationUpdate": lambda world, turn: {"id": world.ids[KINDS[turn]]},
}


async def world(owner: asyncpg.Connection, name: str = "World") -> World:
    made = await tenant(owner, name)
    client, contact, label = await made.add_client("A client"), await made.add_contact("Nobody's"), await made.add_label("Nobody's")
    linked, worn = await made.add_contact("Theirs", client), await made.add_label("Theirs", client)
    archived, project = await made.add_client("Archived", archived_at=EARLY), await made.add_project(client)
    archived_project = await made.add_project(client, "Archived", archived_at=EARLY)
    rate, layout = new_id(), new_id()
    of_rate = {"name": "High", "country": "NL", "percentage": 21, "category": "S", "is_active": True}
    await insert(owner, "vat_rate", [{"tenant_id": made.id, "id": rate, **of_rate, **changing()}])
    of_layout = {"name": "Plain", "language": "nl", "template": "standard", "is_default": False, "is_active": True}
    await insert(owner, "invoice_layout", [{"tenant_id": made.id, "id": layout, **of_layout, **changing()}])
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'VIEWER'", made.id)
    token = await owner.fetchval("SELECT id FROM relaties.api_token WHERE tenant_id = $1 AND member_id = $2", made.id, member)
    keys = {"Client": client, "Contact": contact, "Label": label, "VatRate": rate, "InvoiceLayout": layout, "Member": member}
    keys |= {"ApiToken": token, "Organization": made.id, "Project": project}
    ids = {kind: global_id(kind, key) for kind, key in keys.items()}
    others = {
        "ArchivedClient": ("Client", archived),
        "ArchivedProject": ("Project", archived_project),
        "ContactOfClient": ("Contact", linked),
        "EmptyProject": ("Project", await made.add_project(client, "Empty")),
        "LabelOfClient": ("Label", worn),
    }
    preview = await token_of(made, archived, timedelta(minutes=5))
    busy = await made.add_project(client, "Busy")
    of_kinds = [await made.add_registration(client, busy, status="PENDING", **fields) for fields in OF_KINDS]
    ids |= {kind: global_id("Registration", key) for kind, key in zip(KINDS, of_kinds, strict=True)}
    return World(made, ids | {name: global_id(*of) for name, of in others.items()} | {"PreviewToken": preview})


OF_KINDS: tuple[dict[str, object], ...] = (
    {},
    {"kind": "EXPENSE", "minutes": None, "quantity": 1, "unit_price": 100, "rate_source": "EXPLICIT"},
    {"kind": "MILEAGE", "minutes": None, "distance_km": 1},
)


class Ids(dict[str, str]):
    """Where it matters not which."""

    def __missing__(self, kind: str) -> str:
        return global_id(kind if kind in PREFIXES else "Client", NOBODYS)

    def __contains__(self, _: object) -> bool:
        return True


NOBODYS = UUID(int=1)
ANYWHERE = World(Tenant(None, NOBODYS, {}), Ids())  # type: ignore[arg-type]
"""Only for the shape of inputs."""


def type_of_id(owner: str, name: str) -> str:
    """What an id is of: `clientId` of a client, the `id` of a LabelDeleteInput of a label."""
    stem = re.sub("Ids?$", "", name).lower()
    fits = [kind for kind in NODES if (owner.startswith(kind) if name == "id" else stem.endswith(kind.lower()))]
    found = TYPES.get(f"{owner}.{name}") or max(fits, key=len, default=None)
    assert found, f"Of which type is {owner}.{name}? Its name does not say: put it into TYPES of tests/inputs.py."
    return found


def is_one_of(kind: GraphQLInputObjectType) -> bool:
    found: bool = (kind.extensions or {})["strawberry-definition"].is_one_of
    return found


def breadth(kind: GraphQLInputType) -> int:
    """How many inputs it takes to try each alternative once; a list has room for all of its own."""
    bare = get_nullable_type(kind)
    if not isinstance(bare, GraphQLInputObjectType):
        return 1
    return len(bare.fields) if is_one_of(bare) else max((breadth(field.type) for field in bare.fields.values()), default=1)


@dataclass(frozen=True)
class Filling:
    """Fills in every field of an input with the first or the second value that is right."""

    ids: dict[str, str]
    second: bool = False

    def of(self, kind: GraphQLInputType, owner: str = "", name: str = "", turn: int = 0) -> Value:
        bare = get_nullable_type(kind)
        if isinstance(bare, GraphQLList):
            return [self.of(bare.of_type, owner, name, each) for each in range(breadth(bare.of_type))]
        if isinstance(bare, GraphQLInputObjectType):
            chosen = [*bare.fields][turn % len(bare.fields)] if is_one_of(bare) else None
            fields = {each: field for each, field in bare.fields.items() if chosen in {None, each}}
            return {each: self.of(field.type, bare.name, each, turn) for each, field in fields.items()}
        if bare.name == "ID":
            wanted = type_of_id(owner, name)
            assert wanted in self.ids, f"{owner}.{name} is of a {wanted}, and the world of tests/inputs.py has none: add one."
            return self.ids[wanted]
        words = tuple(bare.values) * 2 if isinstance(bare, GraphQLEnumType) else WORDS.get(name) or BY_TYPE.get(bare.name)
        assert words, f"What is a right {bare.name}? Put one into BY_TYPE of tests/inputs.py."
        return words[self.second]


def input_type(mutation: str) -> GraphQLInputType:
    return MUTATIONS[mutation].args["input"].type


def right(world: World, mutation: str, turn: int = 0) -> dict[str, Value]:
    """An input of the mutation with everything filled in, which its rules take."""
    filled: dict[str, Value] = Filling(world.ids).of(input_type(mutation), turn=turn)
    filled |= RIGHT[mutation](world) if mutation in RIGHT else {}
    return filled | (IN_TURN[mutation](world, turn) if mutation in IN_TURN else {})


TRIES = [(name, turn) for name in MUTATIONS for turn in range(breadth(input_type(name)))]
"""Each mutation, and the turn of its alternatives."""


@dataclass(frozen=True)
class Place:
    """Somewhere in an input: what it is of there, and the field of which input type."""

    path: Path
    kind: GraphQLNamedType | GraphQLList[Any]
    owner: str

    @property
    def name(self) -> str:
        return next(str(step) for step in reversed(self.path) if isinstance(step, str))

    @property
    def of(self) -> str:
        """The name of its type; of what a list's entries are."""
        return str(get_named_type(self.kind).name)

    @property
    def shown_path(self) -> list[str]:
        """As user errors have it."""
        return [str(step) for step in self.path]


def places(kind: GraphQLInputType, value: Value, path: Path = (), owner: str = "") -> Iterator[Place]:
    """Every place in a value, outer ones first."""
    bare = get_nullable_type(kind)
    if path:
        yield Place(path, bare, owner)
    if isinstance(bare, GraphQLList):
        for place, each in enumerate(value):
            yield from places(bare.of_type, each, (*path, place), owner)
    elif isinstance(bare, GraphQLInputObjectType):
        for name, each in value.items():
            yield from places(bare.fields[name].type, each, (*path, name), bare.name)


def leaves(kind: GraphQLInputType, value: Value, *names: str) -> list[Place]:
    """The places of some scalars; of all that are neither objects nor lists when none is named."""
    return [place for place in places(kind, value) if is_leaf_type(place.kind) and (not names or place.of in names)]


def replaced(value: Value, path: Path, new: Value) -> Value:
    """A copy with something else at one place."""
    copy = deepcopy(value)
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = new
    return copy


def longest(place: Place) -> int:
    """The most characters that a text may have; where no field set says it, none that anybody types is as long."""
    fields = FIELD_SETS.get(place.owner)
    field = fields.model_fields.get(to_snake(place.name)) if fields else None
    limits = [limit for limit in (getattr(rule, "max_length", None) for rule in (field.metadata if field else ())) if limit]
    return limits[0] if limits else 100_000


def kept(place: Place, value: Value) -> Value:
    """As the database has it: the words of an enum may be others there."""
    kind = get_named_type(place.kind)
    if not isinstance(kind, GraphQLEnumType) or value is None:
        return value
    return [kept(place, each) for each in value] if isinstance(value, list) else kind.parse_value(value).value


def literal(kind: GraphQLInputType, value: Value) -> str:
    """The value as it stands in a document; texts with escapes."""
    bare = get_nullable_type(kind)
    if value is None:
        return "null"
    if isinstance(bare, GraphQLList):
        return f"[{', '.join(literal(bare.of_type, each) for each in value)}]"
    if isinstance(bare, GraphQLInputObjectType):
        return "{" + ", ".join(f"{name}: {literal(bare.fields[name].type, each)}" for name, each in value.items()) + "}"
    return str(value) if isinstance(bare, GraphQLEnumType) else json.dumps(value)


def answer(mutation: str) -> str:
    """What is asked of a payload: the refusals, and the ids of what there is now."""
    payload = get_named_type(MUTATIONS[mutation].type)
    assert isinstance(payload, GraphQLObjectType)
    asked = ["userErrors { __typename code message path }"]
    for name, field in payload.fields.items():
        of = get_named_type(field.type)
        if name not in {"userErrors", "query"}:
            has_id = isinstance(of, GraphQLObjectType) and "id" in of.fields
            asked.append(name if is_leaf_type(of) else f"{name} {{ __typename {'id' if has_id else ''} }}")
    return "{ " + " ".join(asked) + " }"


def document(mutation: str, directive: str = "", input: Value = None) -> str:
    """With the input as the variable, unless it is to stand in the document."""
    given = "$input" if input is None else literal(input_type(mutation), input)
    head = f"mutation ($input: {input_type(mutation)})" if input is None else "mutation"
    return f"{head} {{ {mutation}(input: {given}) {directive} {answer(mutation)} }}"


def needed(mutation: str) -> list[Permission]:
    """The rights that the field's directive names: any of them will do."""
    field = (MUTATIONS[mutation].extensions or {})["strawberry-definition"]
    (found,) = [each.any_of for each in field.directives if each.__strawberry_directive__.graphql_name == "permission"]
    return [Permission(right) for right in found]
