"""Generate the operations for `benchmarks.points` from the schema, so that no field can be forgotten.

Each root field, each connection with and without its total, and each field with its own weight has one or more cases. A field of an object
is measured for one object, and for 100 objects at once, since one statement reads a relation of many objects.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import asyncpg
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLNamedType, GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type

from db.demo import TENANT
from domain.core.pagination import MAX_PAGE_SIZE
from resolvers.ids import make_id_encoder
from schema.core.directives import Cost

PAGING = {"first", "after", "last", "before"}
TOTAL = "totalCount"
# Argument values to measure, by `Type.field.argument`, most expensive first. A test fails until a new argument is added here.
EXPENSIVE_VALUES = {
    "Query.clients.filter": ("{hasInvoiceContact: true}", '{updatedSince: "1990-01-01T00:00:00Z"}', '{country: "NL", status: ACTIVE}'),
    "Query.clients.search": ('"a"', '"van"'),
    "Query.clients.orderBy": ("{field: UPDATED_AT, direction: DESC}",),
    "Query.contacts.search": ('"a"', '"van"'),
    "Query.labels.search": ('"a"',),
    "Query.jobs.kinds": ("[REVENUE_REBUILD]",),
    "Query.jobs.statuses": ("[QUEUED, RUNNING]", "[SUCCEEDED]"),
    "Query.registrations.filter": ("{isBillable: true}", '{period: {since: "1990-01-01", until: "2090-12-31"}}', "{kind: TIME}"),
    "Client.projects.isArchived": ("false",),
    "Client.registrations.filter": ("{isBillable: true}",),
    "Project.registrations.filter": ("{isBillable: true}",),
    "Client.revenue.period": ('{since: "2020-02-10", until: "2026-11-10"}',),
    "ClientConnection.revenue.period": ('{since: "2020-02-10", until: "2026-11-10"}',),
}
BY_ID = {"id": "id: $id", "by": "by: {id: $id}", "ids": "ids: $ids"}  # arguments with ids of objects
OF_INTERFACE = {"Node": "Client", "Job": "RevenueRebuildJob"}  # the type to request from fields that return an interface
# For each type, the objects with the most related objects, or else the oldest objects.
MOST = {
    "Client": "SELECT client_id FROM relaties.registration WHERE tenant_id = $1 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 100",
    "Project": "SELECT project_id FROM relaties.registration WHERE tenant_id = $1 AND project_id IS NOT NULL"
    " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 100",
    "Contact": "SELECT contact_id FROM relaties.client_contact WHERE tenant_id = $1 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 100",
    "Label": "SELECT label_id FROM relaties.client_label WHERE tenant_id = $1 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 100",
    "Organization": "SELECT tenant_id FROM relaties.organization WHERE tenant_id = $1",
    "Registration": "SELECT id FROM relaties.registration WHERE tenant_id = $1 ORDER BY id LIMIT 100",
    "RevenueRebuildJob": "SELECT id FROM relaties.job WHERE tenant_id = $1 AND kind = 'REVENUE_REBUILD' ORDER BY id LIMIT 100",
    "ArchivedClient": "SELECT id FROM relaties.client c WHERE tenant_id = $1 AND archived_at IS NOT NULL"
    " ORDER BY (SELECT count(*) FROM relaties.registration r WHERE r.tenant_id = $1 AND r.client_id = c.id) DESC, id LIMIT 100",
}
SOURCES = {"Client.deletionPreview": "ArchivedClient"}  # fields that are null for other objects of the type
Ids: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class CostCase:
    """One operation: the field that it measures, a description of its arguments, and the objects in its variables."""

    field: str
    arguments: str
    query: str
    source: str | None = None
    objects: int = 1

    def body(self, ids: Ids) -> dict[str, Any]:
        """Return the request body. Raises `IndexError` if the data has no such object."""
        if self.source is None:
            return {"query": self.query}
        known_ids = [*ids[self.source]][: self.objects]
        return {"query": self.query, "variables": {"id": known_ids[0], "ids": known_ids}}


def build_cases(schema: GraphQLSchema) -> list[CostCase]:
    root = cast("GraphQLObjectType", schema.query_type)
    all_cases = [case for name, field in root.fields.items() for case in _cases_of_root(schema, root.name, name, field)]
    return [*all_cases, *_cases_of_objects(schema)]


def priced_fields(schema: GraphQLSchema) -> set[str]:
    """Return the fields that must have a case, as `Type.field`: root fields, connections, totals, and fields with a weight.

    Mutations have no case.
    """
    field_names = set[str]()
    for kind in _object_types(schema):
        if any(each.name == "UserError" for each in kind.interfaces):
            continue
        for name, field in kind.fields.items():
            if kind is schema.query_type or is_connection(get_named_type(field.type)) or read_weight(field) or name == TOTAL:
                field_names.add(f"{kind.name}.{name}")
    return field_names


def read_weight(field: GraphQLField) -> int:
    """Return the weight of the field itself in the schema."""
    definition: Any = (field.extensions or {}).get("strawberry-definition")
    return sum(int(each.weight) for each in definition.directives if isinstance(each, Cost)) if definition else 0


def is_connection(kind: GraphQLNamedType) -> bool:
    return isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection")


async def read_ids(owner: asyncpg.Connection) -> Ids:
    """Return the ids of objects of the demo organization, by type."""
    ids_by_type = {}
    for source, sql in MOST.items():
        keys = [row[0] for row in await owner.fetch(sql, TENANT)]
        ids_by_type[source] = [make_id_encoder(source.removeprefix("Archived"))(key) for key in keys]
    return ids_by_type


def _object_types(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__") and kind is not schema.mutation_type:
            yield kind


def _cases_of_root(schema: GraphQLSchema, root: str, name: str, field: GraphQLField) -> Iterator[CostCase]:
    path, kind = f"{root}.{name}", get_named_type(field.type)
    if isinstance(kind, GraphQLObjectType) and is_connection(kind):
        for field_path, arguments, selection in _cases_of_connection(path, name, field, kind):
            yield CostCase(field_path, arguments, f"{{ {selection} }}")
        return
    id_arguments = [argument for argument in field.args if argument in BY_ID]
    object_type = kind
    if isinstance(kind, GraphQLInterfaceType):
        object_type = schema.type_map[OF_INTERFACE[kind.name]]
        selection = f"{{ ... on {object_type.name} {_plain_selection(object_type)} }}"
    else:
        selection = _plain_selection(kind)
    if not id_arguments:
        yield CostCase(path, "all of it", f"{{ {name} {selection} }}")
    elif id_arguments == ["ids"]:
        yield CostCase(path, "100", f"query ($ids: [ID!]!) {{ {name}({BY_ID['ids']}) {selection} }}", object_type.name, MAX_PAGE_SIZE)
    else:
        yield CostCase(path, "one", f"query ($id: ID!) {{ {name}({BY_ID[id_arguments[0]]}) {selection} }}", object_type.name)


def _cases_of_objects(schema: GraphQLSchema) -> Iterator[CostCase]:
    """Yield the cases of fields of objects that have an id."""
    for kind in _object_types(schema):
        if not any(each.name == "Node" for each in kind.interfaces):
            continue
        for name, field in kind.fields.items():
            path, below = f"{kind.name}.{name}", get_named_type(field.type)
            if isinstance(below, GraphQLObjectType) and is_connection(below):
                selections = list(_cases_of_connection(path, name, field, below))
            elif read_weight(field):
                selections = [
                    (path, argument_text, f"{name}{_format_arguments(argument_text)} {_plain_selection(below)}")
                    for argument_text in _argument_sets(path, field)
                ]
            else:
                continue
            source = SOURCES.get(path, kind.name)
            for objects in (1,) if kind.name == "Organization" else (1, MAX_PAGE_SIZE):
                for field_path, argument_names, selection in selections:
                    if objects == 1 or "nodes {" not in selection:  # 100 pages of 100 exceed the limits
                        query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind.name} {{ {selection} }} }} }}"
                        yield CostCase(field_path, f"of {objects}{', ' if argument_names else ''}{argument_names}", query, source, objects)


def _cases_of_connection(path: str, name: str, field: GraphQLField, kind: GraphQLObjectType) -> Iterator[tuple[str, str, str]]:
    """Yield the measured field, its arguments and its selection, for the pages of a connection and its fields with a weight."""
    node = get_named_type(kind.fields["nodes"].type)
    for argument_text in _argument_sets(path, field):
        page = ", ".join(filter(None, (argument_text, f"first: {MAX_PAGE_SIZE}")))
        yield path, f"a page {argument_text}".strip(), f"{name}({page}) {{ nodes {_plain_selection(node)} }}"
        if "orderBy" not in argument_text:
            least = ", ".join(filter(None, (argument_text, "first: 1")))
            yield f"{kind.name}.{TOTAL}", f"{path} {argument_text}".strip(), f"{name}({least}) {{ {TOTAL} }}"
    for weighted_field, below in kind.fields.items():
        if read_weight(below) and weighted_field != TOTAL:
            weighted_path = f"{kind.name}.{weighted_field}"
            for argument_text in _argument_sets(weighted_path, below):
                yield (
                    weighted_path,
                    f"{path} {argument_text}".strip(),
                    (
                        f"{name}(first: 1) {{ {weighted_field}{_format_arguments(argument_text)} "
                        f"{_plain_selection(get_named_type(below.type))} }}"
                    ),
                )


def _argument_sets(path: str, field: GraphQLField) -> list[str]:
    """Return sets of arguments: none, each expensive value alone, and the first value of each argument together."""
    names = [name for name in field.args if name not in PAGING]
    each = [[f"{name}: {value}" for value in EXPENSIVE_VALUES[f"{path}.{name}"]] for name in names]
    together = ", ".join(values[0] for values in each if not values[0].startswith("orderBy"))
    return list(dict.fromkeys(["", *(value for values in each for value in values), together]))


def _format_arguments(argument_text: str) -> str:
    return f"({argument_text})" if argument_text else ""


def _plain_selection(kind: GraphQLNamedType, depth: int = 2) -> str:
    """Return a selection of all plain fields of a type, including values such as money and addresses, without fields that use a loader."""
    fields = cast("GraphQLObjectType", kind).fields
    selections = list[str]()
    for name, field in fields.items():
        below = get_named_type(field.type)
        if field.args or read_weight(field):
            continue
        if is_leaf_type(below):
            selections.append(name)
        elif depth > 1 and isinstance(below, GraphQLObjectType) and not below.interfaces and below.name in VALUES:
            selections.append(f"{name} {_plain_selection(below, depth - 1)}")
    return f"{{ {' '.join(selections)} }}"


VALUES = {"Money", "Address", "CurrencyRevenue"}
