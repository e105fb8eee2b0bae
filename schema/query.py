"""The root of all queries."""

import strawberry

from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import Permission
from resolvers import clients, contacts, labels, nodes, projects, registrations, viewer
from schema.clients import Client, ClientConnection
from schema.contacts import Contact, ContactConnection
from schema.core.fields import FieldOptions, resolved_field
from schema.core.row_type import Node
from schema.labels import LabelConnection
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
