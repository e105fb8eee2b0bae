"""Build the schema, with the root of all queries."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLDirective
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import Permission
from resolvers import clients, contacts, inputs, labels, nodes, projects, registrations, viewer
from resolvers.mutations import IDEMPOTENT
from schema import user_errors
from schema.clients import Client, ClientConnection
from schema.contacts import Contact, ContactConnection
from schema.core.fields import FieldOptions, resolved_field
from schema.core.row_type import DESCRIBED_BY, Node
from schema.core.scalars import SCALARS
from schema.labels import Label, LabelConnection
from schema.members import Member
from schema.mutation import Mutation
from schema.organizations import Organization
from schema.projects import Project
from schema.registrations import Registration, RegistrationConnection
from schema.viewer import Viewer

READ_OPTIONS = FieldOptions(permission=Permission.CLIENTS_READ)


@strawberry.type(description="What can be asked.")
class Query:
    viewer: Viewer | None = resolved_field(
        viewer.get_viewer, description="Who asks: the organization, the member and the rights of the token."
    )
    client: Client | None = resolved_field(clients.find_one, description="One client; null when there is none.", options=READ_OPTIONS)
    clients: ClientConnection | None = resolved_field(clients.page, description="Clients of the organization.", options=READ_OPTIONS)
    contact: Contact | None = resolved_field(contacts.find_one, description="One contact; null when there is none.", options=READ_OPTIONS)
    contacts: ContactConnection | None = resolved_field(contacts.page, description="Contacts by name.", options=READ_OPTIONS)
    labels: LabelConnection | None = resolved_field(labels.page, description="Labels by name.", options=READ_OPTIONS)
    project: Project | None = resolved_field(projects.find_one, description="One project; null when there is none.", options=READ_OPTIONS)
    registration: Registration | None = resolved_field(
        registrations.find_one, description="One registration; null when there is none.", options=READ_OPTIONS
    )
    registrations: RegistrationConnection | None = resolved_field(
        registrations.page, description="Registrations of the organization, the newest day first.", options=READ_OPTIONS
    )
    node: Node | None = resolved_field(nodes.by_id, description="Any object by its id; null when the organization has none with that id.")
    nodes: list[Node | None] | None = resolved_field(
        nodes.by_ids,
        description="Objects by their ids, in that order; null where there is none.",
        options=FieldOptions(size=MAX_PAGE_SIZE, size_argument="ids"),
    )


class _Schema(strawberry.Schema):
    def _collect_graphql_directives(self, schema_directive_types: Iterable[type]) -> tuple[GraphQLDirective, ...]:
        """Add the directive here: declared the way of Strawberry, it would run every field asynchronously."""
        return (*super()._collect_graphql_directives(schema_directive_types), IDEMPOTENT)


camel_case = cache(to_camel_case)


class _CachedNameConverter(NameConverter):
    """Cache names: Strawberry converts that of each argument and input field again for each request."""

    def apply_naming_config(self, name: str) -> str:
        return camel_case(name)


def build() -> strawberry.Schema:
    """Build the schema. Only once per process: building it changes the classes it is made of."""
    for input_type, fields in inputs.INPUT_TYPES:
        _copy_descriptions(input_type, DESCRIBED_BY[fields])
    return _Schema(
        Query,
        Mutation,
        types=[Client, Contact, Label, Member, Organization, *user_errors.USER_ERROR_TYPES],
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=_CachedNameConverter()),
    )


def _copy_descriptions(input_type: Any, described_by: Any) -> None:  # noqa: ANN401 classes with attributes of Strawberry
    """Copy missing descriptions of input fields from the type that shows the field set."""
    descriptions = {field.python_name: field.description for field in described_by.__strawberry_definition__.fields}
    for field in input_type.__strawberry_definition__.fields:
        field.description = field.description or descriptions[field.python_name]
