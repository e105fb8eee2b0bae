"""The root type of queries."""

import strawberry

from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import Permission
from resolvers import clients, contacts, jobs, labels, nodes, projects, registrations, viewer
from schema.clients import Client, ClientConnection
from schema.contacts import Contact, ContactConnection
from schema.core.fields import FieldOptions, resolved_field
from schema.core.row_type import Node
from schema.jobs import Job, JobConnection
from schema.labels import LabelConnection
from schema.projects import Project
from schema.registrations import Registration, RegistrationConnection
from schema.viewer import Viewer

READ_OPTIONS = FieldOptions(permission=Permission.CLIENTS_READ)


@strawberry.type(description="Queries. All of them concern the organization of the caller's token.")
class Query:
    viewer: Viewer | None = resolved_field(viewer.get_viewer, "The caller: organization, member and permissions of the token.")
    client: Client | None = resolved_field(clients.find_one, "A client. Null if there is none.", options=READ_OPTIONS)
    clients: ClientConnection | None = resolved_field(clients.page, "Clients of the organization.", options=READ_OPTIONS)
    contact: Contact | None = resolved_field(contacts.find_one, "A contact. Null if there is none.", options=READ_OPTIONS)
    contacts: ContactConnection | None = resolved_field(contacts.page, "Contacts, sorted by last, then first name.", options=READ_OPTIONS)
    labels: LabelConnection | None = resolved_field(labels.page, "Labels, sorted by name.", options=READ_OPTIONS)
    project: Project | None = resolved_field(projects.find_one, "A project. Null if there is none.", options=READ_OPTIONS)
    registration: Registration | None = resolved_field(
        registrations.find_one, "A registration. Null if there is none.", options=READ_OPTIONS
    )
    registrations: RegistrationConnection | None = resolved_field(
        registrations.page, "Registrations of the organization, newest day first.", options=READ_OPTIONS
    )
    job: Job | None = resolved_field(
        jobs.find_one, "A background job. Null if there is none that the caller may see: their own jobs, or all with `ORGANIZATION_WRITE`."
    )
    jobs: JobConnection | None = resolved_field(jobs.page, "Background jobs that the caller may see, newest first.")
    node: Node | None = resolved_field(nodes.by_id, "An object of any type. Null if the organization has none with this id.")
    nodes: list[Node | None] | None = resolved_field(
        nodes.by_ids,
        "Objects of any type, in the order of `ids`. Null for each id without an object.",
        options=FieldOptions(size=MAX_PAGE_SIZE, size_argument="ids"),
    )
