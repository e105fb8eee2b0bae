"""Build valid inputs of every mutation from the schema, and list each location in them so that a test can replace it.

New mutations and fields are covered without a change here. `VALUES_BY_FIELD`, `ID_TYPES` and `EXTRA_VALUES`
contain what the types do not express.
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
from tests.support.builders import CREATED_AT, Tenant, create_tenant, insert_rows, version_columns
from tests.support.ids import global_id
from tests.support.owner import sign_preview_token

SCHEMA = build()._schema  # noqa: SLF001
MUTATIONS: dict[str, GraphQLField] = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}
NODES = [kind.name for kind in SCHEMA.get_possible_types(cast("GraphQLInterfaceType", SCHEMA.type_map["Node"]))]
FIELD_SETS = {input_class.__strawberry_definition__.name: fields for input_class, fields in INPUT_TYPES}  # type: ignore[attr-defined]
Path = tuple[str | int, ...]
Value = Any  # JSON

VALUES_BY_FIELD: dict[str, tuple[Value, Value]] = {  # two valid values by field name
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
VALUES_BY_TYPE: dict[str, tuple[Value, Value]] = {
    "Boolean": (False, True),
    "Date": ("2026-01-31", "2026-02-28"),
    "DateTime": ("2040-01-31T09:00:00Z", "2041-01-31T09:00:00Z"),
    "Decimal": ("12.50", "13.75"),
    "Int": (1, 2),
    "String": ("Word", "Other"),
}
ID_TYPES = {  # types of ids that cannot be inferred from the name of the field or of its input
    "ClientLabelInput.id": "Label",
    "ClientUpdateInput.contactsRemove": "Contact",
    "ClientUpdateInput.labelsRemove": "Label",
    "ClientUpsertInput.labelsRemove": "Label",
    "JobCancelInput.id": "RevenueRebuildJob",
    **dict.fromkeys(("LabelFilterInput.any", "LabelFilterInput.all", "LabelFilterInput.none"), "Label"),
    "OrganizationUpdateInput.defaultLayoutId": "InvoiceLayout",
    "TokenRevokeInput.id": "ApiToken",
}
OBJECTS_BY_FIELD = {  # names in `World.ids` of ids that must be of another object than the first of their type
    "ClientUpdateInput.contactsRemove": "ContactOfClient",
    "ClientUpdateInput.labelsRemove": "LabelOfClient",
    "ClientUpsertInput.labelsRemove": "LabelOfClient",
}


@dataclass(frozen=True)
class World:
    """An organization with an object of every type that an input can refer to. All objects are at version 1.

    `ids` maps a type name to the id of its object. Names such as `ArchivedClient` stand for further objects.
    """

    tenant: Tenant
    ids: dict[str, str]

    @property
    def id(self) -> UUID:
        return self.tenant.id


EXTRA_VALUES: dict[str, Callable[[World], dict[str, Value]]] = {  # by mutation: values that its rules require and its types do not express
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


REGISTRATIONS: dict[str, dict[str, object]] = {  # fields of the registration of each kind, by its name in `World.ids`
    "Registration": {},
    "RegistrationOfExpense": {"kind": "EXPENSE", "minutes": None, "quantity": 1, "unit_price": 100, "rate_source": "EXPLICIT"},
    "RegistrationOfMileage": {"kind": "MILEAGE", "minutes": None, "distance_km": 1},
}
EXTRA_VALUES_BY_ALTERNATIVE: dict[str, Callable[[World, int], dict[str, Value]]] = {  # extra values that depend on the alternative
    "registrationUpdate": lambda world, alternative: {"id": world.ids[[*REGISTRATIONS][alternative]]},
}


async def create_world(owner: asyncpg.Connection, name: str = "World") -> World:
    org = await create_tenant(owner, name)
    client, contact, label = await org.add_client("A client"), await org.add_contact("Nobody's"), await org.add_label("Nobody's")
    linked_contact, linked_label = await org.add_contact("Theirs", client), await org.add_label("Theirs", client)
    archived, project = await org.add_client("Archived", archived_at=CREATED_AT), await org.add_project(client)
    archived_project = await org.add_project(client, "Archived", archived_at=CREATED_AT)
    rate, layout = new_id(), new_id()
    rate_values = {"name": "High", "country": "NL", "percentage": 21, "category": "S", "is_active": True}
    await insert_rows(owner, "vat_rate", [{"tenant_id": org.id, "id": rate, **rate_values, **version_columns()}])
    layout_values = {"name": "Plain", "language": "nl", "template": "standard", "is_default": False, "is_active": True}
    await insert_rows(owner, "invoice_layout", [{"tenant_id": org.id, "id": layout, **layout_values, **version_columns()}])
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'VIEWER'", org.id)
    token = await owner.fetchval("SELECT id FROM relaties.api_token WHERE tenant_id = $1 AND member_id = $2", org.id, member)
    keys = {"Client": client, "Contact": contact, "Label": label, "VatRate": rate, "InvoiceLayout": layout, "Member": member}
    keys |= {"ApiToken": token, "Organization": org.id, "Project": project}
    ids = {kind: global_id(kind, key) for kind, key in keys.items()}
    others = {
        "ArchivedClient": ("Client", archived),
        "ArchivedProject": ("Project", archived_project),
        "ContactOfClient": ("Contact", linked_contact),
        "EmptyProject": ("Project", await org.add_project(client, "Empty")),
        "RevenueRebuildJob": ("RevenueRebuildJob", await org.add_job()),
        "LabelOfClient": ("Label", linked_label),
    }
    preview = await sign_preview_token(org, archived, timedelta(minutes=5))
    busy = await org.add_project(client, "Busy")
    for reference, fields in REGISTRATIONS.items():
        ids[reference] = global_id("Registration", await org.add_registration(client, busy, status="PENDING", **fields))
    return World(org, ids | {name: global_id(*type_and_key) for name, type_and_key in others.items()} | {"PreviewToken": preview})


class AnyIds(dict[str, str]):
    """Ids by type name. A missing type gets a valid id that belongs to no object."""

    def __missing__(self, kind: str) -> str:
        return global_id(kind if kind in PREFIXES else "Client", UNKNOWN_ID)

    def __contains__(self, _: object) -> bool:
        return True


UNKNOWN_ID = UUID(int=1)
SHAPE_ONLY_WORLD = World(Tenant(None, UNKNOWN_ID, {}), AnyIds())  # type: ignore[arg-type]
"""A world without objects, to compute the shape of inputs without a database."""


def type_of_id(owner: str, name: str) -> str:
    """Return the type of an id: `clientId` is of a `Client`, and `id` in `LabelDeleteInput` of a `Label`."""
    stem = re.sub("Ids?$", "", name).lower()
    fits = [kind for kind in NODES if (owner.startswith(kind) if name == "id" else stem.endswith(kind.lower()))]
    id_type = ID_TYPES.get(f"{owner}.{name}") or max(fits, key=len, default=None)
    assert id_type, f"The name of {owner}.{name} does not tell its type. Add it to `ID_TYPES` in tests/support/mutation_inputs.py."
    return id_type


def is_one_of(kind: GraphQLInputObjectType) -> bool:
    has_one_of: bool = (kind.extensions or {})["strawberry-definition"].is_one_of
    return has_one_of


def count_alternatives(kind: GraphQLInputType) -> int:
    """Return the number of inputs that are needed to use each alternative of a one-of input once. One list can contain all alternatives."""
    bare = get_nullable_type(kind)
    if not isinstance(bare, GraphQLInputObjectType):
        return 1
    return len(bare.fields) if is_one_of(bare) else max((count_alternatives(field.type) for field in bare.fields.values()), default=1)


@dataclass(frozen=True)
class InputFiller:
    """Fill in every field of an input with its first valid value, or with its second if `is_second`."""

    ids: dict[str, str]
    is_second: bool = False

    def fill(self, kind: GraphQLInputType, owner: str = "", name: str = "", alternative: int = 0) -> Value:
        bare = get_nullable_type(kind)
        if isinstance(bare, GraphQLList):
            return [self.fill(bare.of_type, owner, name, each) for each in range(count_alternatives(bare.of_type))]
        if isinstance(bare, GraphQLInputObjectType):
            chosen_field = [*bare.fields][alternative % len(bare.fields)] if is_one_of(bare) else None
            fields = {each: field for each, field in bare.fields.items() if chosen_field in {None, each}}
            return {each: self.fill(field.type, bare.name, each, alternative) for each, field in fields.items()}
        if bare.name == "ID":
            id_type = type_of_id(owner, name)
            assert id_type in self.ids, (
                f"{owner}.{name} refers to {id_type}, and `create_world` in tests/support/mutation_inputs.py creates none. Add one."
            )
            return self.ids[OBJECTS_BY_FIELD.get(f"{owner}.{name}", id_type)]
        values = tuple(bare.values) * 2 if isinstance(bare, GraphQLEnumType) else VALUES_BY_FIELD.get(name) or VALUES_BY_TYPE.get(bare.name)
        assert values, f"There are no values for {bare.name}. Add two to `VALUES_BY_TYPE` in tests/support/mutation_inputs.py."
        return values[self.is_second]


def input_type(mutation: str) -> GraphQLInputType:
    return MUTATIONS[mutation].args["input"].type


def valid_input(world: World, mutation: str, alternative: int = 0) -> dict[str, Value]:
    """Return an input of the mutation that has every field filled in and keeps all rules."""
    input_values: dict[str, Value] = InputFiller(world.ids).fill(input_type(mutation), alternative=alternative)
    input_values |= EXTRA_VALUES[mutation](world) if mutation in EXTRA_VALUES else {}
    return input_values | (EXTRA_VALUES_BY_ALTERNATIVE[mutation](world, alternative) if mutation in EXTRA_VALUES_BY_ALTERNATIVE else {})


MUTATION_CASES = [(name, index) for name in MUTATIONS for index in range(count_alternatives(input_type(name)))]
"""Each mutation with the index of each alternative of its input: one test case each."""


@dataclass(frozen=True)
class InputLocation:
    """A location in an input: its path, its type, and the name of the input type that has the field."""

    path: Path
    kind: GraphQLNamedType | GraphQLList[Any]
    owner: str

    @property
    def name(self) -> str:
        return next(str(step) for step in reversed(self.path) if isinstance(step, str))

    @property
    def type_name(self) -> str:
        """The name of the type. For a list, that of its entries."""
        return str(get_named_type(self.kind).name)

    @property
    def error_path(self) -> list[str]:
        """The path as in user errors."""
        return [str(step) for step in self.path]


def iterate_locations(kind: GraphQLInputType, value: Value, path: Path = (), owner: str = "") -> Iterator[InputLocation]:
    """Yield every location in a value, outer ones first."""
    bare = get_nullable_type(kind)
    if path:
        yield InputLocation(path, bare, owner)
    if isinstance(bare, GraphQLList):
        for index, each in enumerate(value):
            yield from iterate_locations(bare.of_type, each, (*path, index), owner)
    elif isinstance(bare, GraphQLInputObjectType):
        for name, each in value.items():
            yield from iterate_locations(bare.fields[name].type, each, (*path, name), bare.name)


def scalar_locations(kind: GraphQLInputType, value: Value, *names: str) -> list[InputLocation]:
    """Return the locations of the named scalars, or of all scalars and enums if none is named."""
    return [
        location
        for location in iterate_locations(kind, value)
        if is_leaf_type(location.kind) and (not names or location.type_name in names)
    ]


def replace_at(value: Value, path: Path, new: Value) -> Value:
    """Return a copy of the value with `new` at the path."""
    copy = deepcopy(value)
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = new
    return copy


def max_text_length(location: InputLocation) -> int:
    """Return the maximum length of a text, or 100,000 if the field set has none."""
    fields = FIELD_SETS.get(location.owner)
    field = fields.model_fields.get(to_snake(location.name)) if fields else None
    limits = [limit for limit in (getattr(rule, "max_length", None) for rule in (field.metadata if field else ())) if limit]
    return limits[0] if limits else 100_000


def write_literal(kind: GraphQLInputType, value: Value) -> str:
    """Return the value as a GraphQL literal."""
    bare = get_nullable_type(kind)
    if value is None:
        return "null"
    if isinstance(bare, GraphQLList):
        return f"[{', '.join(write_literal(bare.of_type, each) for each in value)}]"
    if isinstance(bare, GraphQLInputObjectType):
        return "{" + ", ".join(f"{name}: {write_literal(bare.fields[name].type, each)}" for name, each in value.items()) + "}"
    return str(value) if isinstance(bare, GraphQLEnumType) else json.dumps(value)


def payload_selection(mutation: str) -> str:
    """Return the selection of a payload: its user errors, and the ids of its objects."""
    payload = get_named_type(MUTATIONS[mutation].type)
    assert isinstance(payload, GraphQLObjectType)
    selections = ["userErrors { __typename code message path }"]
    for name, field in payload.fields.items():
        field_type = get_named_type(field.type)
        if name not in {"userErrors", "query"}:
            has_id = isinstance(field_type, GraphQLObjectType) and "id" in field_type.fields
            selections.append(name if is_leaf_type(field_type) else f"{name} {{ __typename {'id' if has_id else ''} }}")
    return "{ " + " ".join(selections) + " }"


def mutation_document(mutation: str, directive: str = "", input: Value = None) -> str:
    """Return a document of the mutation, with the input as a variable or, if it is given, as a literal."""
    argument_text = "$input" if input is None else write_literal(input_type(mutation), input)
    head = f"mutation ($input: {input_type(mutation)})" if input is None else "mutation"
    return f"{head} {{ {mutation}(input: {argument_text}) {directive} {payload_selection(mutation)} }}"


def required_permissions(mutation: str) -> list[Permission]:
    """Return the permissions that the field's directive names. Any one of them is sufficient."""
    field = (MUTATIONS[mutation].extensions or {})["strawberry-definition"]
    (permission_names,) = [each.any_of for each in field.directives if each.__strawberry_directive__.graphql_name == "permission"]
    return [Permission(right) for right in permission_names]
