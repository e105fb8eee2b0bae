"""The root: where every operation begins."""

from collections.abc import Callable, Sequence

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from domain.pages import LARGEST
from domain.scope import Permission
from resolvers import clients, contacts, labels, nodes, viewer
from schema.clients import Client, ClientConnection
from schema.contacts import Contact, ContactConnection
from schema.fields import Terms, answered
from schema.labels import Label, LabelConnection
from schema.lens import Node
from schema.scalars import SCALARS
from schema.viewer import Member, Organization, Viewer

READ = Terms(needs=Permission.CLIENTS_READ)


@strawberry.type(description="What can be asked.")
class Query:
    viewer: Viewer | None = answered(viewer.viewer, description="Who asks: the organization, the member and the rights of the token.")
    client: Client | None = answered(clients.one, description="One client; null when there is none.", terms=READ)
    clients: ClientConnection | None = answered(clients.page, description="Clients of the organization.", terms=READ)
    contact: Contact | None = answered(contacts.one, description="One contact; null when there is none.", terms=READ)
    contacts: ContactConnection | None = answered(contacts.page, description="Contacts by name.", terms=READ)
    labels: LabelConnection | None = answered(labels.page, description="Labels by name.", terms=READ)
    node: Node | None = answered(nodes.by_id, description="Any object by its id; null when the organization has none with that id.")
    nodes: list[Node | None] | None = answered(
        nodes.by_ids, description="Objects by their ids, in that order; null where there is none.", terms=Terms(size=LARGEST)
    )


class _Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: users' mistakes are no matter for the log, and whoever answers logs the rest."""


def build(extensions: Sequence[type[SchemaExtension] | Callable[[], SchemaExtension]] = ()) -> strawberry.Schema:
    """The schema. Only one per process: building it changes the classes it is made of."""
    return _Schema(
        Query,
        types=[Client, Contact, Label, Member, Organization],
        extensions=extensions,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
