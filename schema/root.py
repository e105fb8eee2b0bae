"""The root: where every operation begins."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLDirective
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

from domain.pages import MAX_PAGE_SIZE
from domain.scope import Permission
from resolvers import clients, contacts, inputs, labels, nodes, projects, registrations, viewer
from resolvers.mutations import IDEMPOTENT
from schema import errors
from schema.changes import Mutation
from schema.clients import Client, ClientConnection
from schema.contacts import Contact, ContactConnection
from schema.fields import Terms, answered
from schema.labels import Label, LabelConnection
from schema.lens import SHOWN, Node
from schema.members import Member
from schema.organizations import Organization
from schema.projects import Project
from schema.registrations import Registration, RegistrationConnection
from schema.scalars import SCALARS
from schema.viewer import Viewer

READ = Terms(needs=Permission.CLIENTS_READ)


@strawberry.type(description="What can be asked.")
class Query:
    viewer: Viewer | None = answered(viewer.viewer, description="Who asks: the organization, the member and the rights of the token.")
    client: Client | None = answered(clients.one, description="One client; null when there is none.", terms=READ)
    clients: ClientConnection | None = answered(clients.page, description="Clients of the organization.", terms=READ)
    contact: Contact | None = answered(contacts.one, description="One contact; null when there is none.", terms=READ)
    contacts: ContactConnection | None = answered(contacts.page, description="Contacts by name.", terms=READ)
    labels: LabelConnection | None = answered(labels.page, description="Labels by name.", terms=READ)
    project: Project | None = answered(projects.one, description="One project; null when there is none.", terms=READ)
    registration: Registration | None = answered(registrations.one, description="One registration; null when there is none.", terms=READ)
    registrations: RegistrationConnection | None = answered(
        registrations.page, description="Registrations of the organization, the newest day first.", terms=READ
    )
    node: Node | None = answered(nodes.by_id, description="Any object by its id; null when the organization has none with that id.")
    nodes: list[Node | None] | None = answered(
        nodes.by_ids,
        description="Objects by their ids, in that order; null where there is none.",
        terms=Terms(size=MAX_PAGE_SIZE, as_many_as="ids"),
    )


class _Schema(strawberry.Schema):
    def _collect_graphql_directives(self, schema_directive_types: Iterable[type]) -> tuple[GraphQLDirective, ...]:
        """Strawberry's own way to declare a directive of operations would run every field asynchronously."""
        return (*super()._collect_graphql_directives(schema_directive_types), IDEMPOTENT)


camel_case = cache(to_camel_case)


class _Names(NameConverter):
    """Strawberry asks for the name of each argument and input field anew with each request."""

    def apply_naming_config(self, name: str) -> str:
        return camel_case(name)


def build() -> strawberry.Schema:
    """The schema. Only one per process: building it changes the classes it is made of."""
    for made, fields in inputs.MADE:
        _describe(made, SHOWN[fields])
    return _Schema(
        Query,
        Mutation,
        types=[Client, Contact, Label, Member, Organization, *errors.KINDS],
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=_Names()),
    )


def _describe(made: Any, shown: Any) -> None:  # noqa: ANN401 classes that Strawberry has added to
    """A field of an input is what the type that shows it says."""
    said = {field.python_name: field.description for field in shown.__strawberry_definition__.fields}
    for field in made.__strawberry_definition__.fields:
        field.description = field.description or said[field.python_name]
