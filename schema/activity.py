"""The activity of clients and contacts."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
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
from schema.core.row_type import Node, computed_field, row_type
from schema.members import Member

if TYPE_CHECKING:
    from schema.clients import Client

describe_enum(
    Channel,
    "The way a change came in.",
    name="ActivityChannel",
    API="Over this API, with a token.",
    COMMAND_LINE="By whoever runs the server, at its command line.",
)
describe_enum(
    AuditAction,
    "What happened to an object.",
    name="ActivityAction",
    CREATED="It was made.",
    CHANGED="It was changed.",
    REMOVED="It was removed.",
)
TEXT_VALUE_DESCRIPTION = (
    "as text: words of a closed set, numbers and days as they are written, ids as they are here, lists joined by commas; null for none."
)
OBJECT_ID_DESCRIPTION = """\
Its id. Of a `ClientContact` it is the contact's, of a `ClientLabel` or `RegistrationLabel` the label's, of a `ClientAddress`
the client's: such links have none of their own. Nothing is found by it any more once the object is gone."""


def _show_side(side: str) -> Callable[[Change], str | None]:
    def show_text(change: Change) -> str | None:
        value: str | None = getattr(change, side)
        return value if value is None or change.reference_type is None else make_id_encoder(change.reference_type)(UUID(value))

    return show_text


@row_type(Change, description="What became of one field.")
class FieldChange:
    field: str = strawberry.field(description="Its name, as `kvkNumber`.")
    old_value: str | None = computed_field(_show_side("old_value"), name="from", description=f"What it was, {TEXT_VALUE_DESCRIPTION}")
    new_value: str | None = computed_field(_show_side("new_value"), name="to", description=f"What it is since, {TEXT_VALUE_DESCRIPTION}")


@row_type(Event, description="What one change did to one object: to a client or a contact, or to what belongs to it.")
class ActivityEvent(Node):
    at: datetime = strawberry.field(description="When.")
    channel: Channel = strawberry.field(description="Which way it came in.")
    operation: str = strawberry.field(description="What the change is called, `clientUpdate` for instance.")
    action: AuditAction = strawberry.field(description="What happened to the object.")
    object_type: str = strawberry.field(description="What the object is: `Client`, `Contact`, `ClientContact`, `ClientLabel` and so on.")
    object_id: GlobalId = computed_field(
        lambda event: make_id_encoder(event.subject_type)(event.object_id), description=OBJECT_ID_DESCRIPTION
    )
    client: Annotated["Client", strawberry.lazy("schema.clients")] | None = relation(
        clients.by_id,
        key="client_id",
        description="The client that the object is, or belongs to; null once that is gone, and for a contact.",
    )
    member: Member | None = relation(
        members.by_id, key="member_id", description="Whose change it was; null for a machine's and the command line's."
    )
    changes: list[FieldChange] = strawberry.field(
        description="What changed, by field. Without FINANCE_READ what concerns figures is left out; the list may then be empty.",
        directives=[list_size(10)],
    )


@strawberry.type(description="What happened to a client and what belongs to it, the newest first.")
class ClientActivityConnection(Connection[ActivityEvent]):
    total_count: int | None = declare_total_count(activity.counts_of_clients)


@strawberry.type(description="What happened to a contact and its links to clients, the newest first.")
class ContactActivityConnection(Connection[ActivityEvent]):
    total_count: int | None = declare_total_count(activity.counts_of_contacts)
