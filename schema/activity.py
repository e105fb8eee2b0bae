"""GraphQL types of the activity of clients and contacts."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import strawberry

from db.tables import AuditAction, Channel
from domain.clients import reads as clients
from domain.core import activity
from domain.core.activity import Change, Event
from domain.organization import members
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId, make_id_encoder
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import list_size, relation
from schema.core.references import ClientReference
from schema.core.row_type import Node, attribute, computed_field, row_type
from schema.members import Member

describe_enum(
    Channel,
    "Channel of a change.",
    name="ActivityChannel",
    API="This API, with a token.",
    COMMAND_LINE="The command line of the server.",
    JOB="A background job that a member or a token started.",
)
describe_enum(
    AuditAction,
    "What happened to an object.",
    name="ActivityAction",
    CREATED="The object was created.",
    CHANGED="The object was changed.",
    REMOVED="The object was deleted.",
)
TEXT_VALUE_DESCRIPTION = (
    "as text. Enum values, numbers, dates and ids are written as elsewhere in this API, and lists are joined by commas. "
    "Null if there is no value."
)
OBJECT_ID_DESCRIPTION = """\
Id of the object. Links and addresses have no id of their own: for a `ClientContact` this is the id of the contact, for a `ClientLabel`
or `RegistrationLabel` that of the label, and for a `ClientAddress` that of the client. Once the object is gone, `node` is null for it."""


def _show_side(side: str) -> Callable[[Change], str | None]:
    def show_text(change: Change) -> str | None:
        value: str | None = getattr(change, side)
        return value if value is None or change.reference_type is None else make_id_encoder(change.reference_type)(UUID(value))

    return show_text


@row_type(Change, description="Change of one field.")
class FieldChange:
    field: str = attribute("Name of the field, for example `kvkNumber`.")
    old_value: str | None = computed_field(_show_side("old_value"), f"Value before the change, {TEXT_VALUE_DESCRIPTION}", name="from")
    new_value: str | None = computed_field(_show_side("new_value"), f"Value after the change, {TEXT_VALUE_DESCRIPTION}", name="to")


@row_type(Event, description="What one change did to one object: a client, a contact, or an object that belongs to one.")
class ActivityEvent(Node):
    at: datetime = attribute("Time of the change.")
    channel: Channel = attribute("Channel of the change.")
    operation: str = attribute("Operation that made the change, for example `clientUpdate`.")
    action: AuditAction = attribute("What happened to the object.")
    object_type: str = attribute("Type of the object, for example `Client`, `Contact`, `ClientContact` or `ClientLabel`.")
    object_id: GlobalId = computed_field(lambda event: make_id_encoder(event.subject_type)(event.object_id), OBJECT_ID_DESCRIPTION)
    client: ClientReference | None = relation(
        clients.by_id,
        "Client that was changed, or that the object belongs to. Null for a contact, and after the client was deleted.",
        key="client_id",
    )
    member: Member | None = relation(
        members.by_id, "Member who made the change. Null for machine tokens and the command line.", key="member_id"
    )
    changes: list[FieldChange] = attribute(
        "Changes by field. Without `FINANCE_READ`, fields with amounts are omitted, so the list may be empty.", directives=[list_size(10)]
    )


@strawberry.type(description="A page of the activity of a client and what belongs to it, newest first.")
class ClientActivityConnection(Connection[ActivityEvent]):
    total_count: int | None = declare_total_count(activity.counts_of_clients)


@strawberry.type(description="A page of the activity of a contact and its links to clients, newest first.")
class ContactActivityConnection(Connection[ActivityEvent]):
    total_count: int | None = declare_total_count(activity.counts_of_contacts)
