"""The types of user errors."""

import strawberry

from db.tables import RegistrationStatus
from domain.clients import previews
from domain.clients import reads as clients
from domain.core import errors
from domain.core.scope import Permission
from resolvers import nodes
from schema.clients import Client
from schema.core.errors import UserError
from schema.core.fields import FieldOptions, relation, resolved_field
from schema.core.row_type import Node, row_type
from schema.previews import PREVIEW_OPTIONS, DeletionPreview


@row_type(
    errors.InvalidInput,
    errors.NotFound,
    errors.NameTaken,
    errors.LastOwner,
    errors.TooMany,
    errors.IdempotencyKeyReused,
    errors.NotArchived,
    errors.Ambiguous,
    errors.Duplicate,
    description="The input is not right, or for another reason that its code tells.",
)
class InputError(UserError): ...


@row_type(errors.NumberTaken, description="Another client has this number.")
class NumberTakenError(UserError):
    existing_client: Client | None = relation(
        clients.by_id, key="client_id", description="The client that has it.", options=FieldOptions(permission=Permission.CLIENTS_READ)
    )


@row_type(errors.VersionConflict, description="Somebody else changed it first.")
class VersionConflictError(UserError):
    current_version: int = strawberry.field(description="The version that it has now.")
    current: Node | None = resolved_field(nodes.load_current, description="What it is now.")


@row_type(errors.AlreadyArchived, description="It is archived, and stays as it is until it is taken back.")
class AlreadyArchivedError(UserError):
    archived: Node | None = resolved_field(nodes.load_current, description="What is archived.")


@row_type(errors.RegistrationLocked, description="How far the registration is does not allow it.")
class RegistrationLockedError(UserError):
    status: RegistrationStatus = strawberry.field(description="How far it is.")
    allowed: list[RegistrationStatus] = strawberry.field(description="Where `registrationStatusUpdate` can take it from there.")


@row_type(errors.InUse, description="Others still need it.")
class InUseError(UserError):
    uses: int = strawberry.field(description="How many others.")


@row_type(errors.PreviewOutdated, description="What was shown is not what would happen now.")
class PreviewOutdatedError(UserError):
    preview: DeletionPreview | None = relation(
        previews.of_deletion, key="client_id", description="What would happen now, with a token for it.", options=PREVIEW_OPTIONS
    )


@row_type(errors.FiscalRetention, description="Invoices were issued, which the law has kept.")
class FiscalRetentionError(UserError):
    issued_invoice_count: int = strawberry.field(description="How many.")


USER_ERROR_TYPES = UserError.__subclasses__()
