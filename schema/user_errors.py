"""GraphQL types of user errors."""

from db.tables import RegistrationStatus
from domain.clients import previews
from domain.clients import reads as clients
from domain.core import errors
from domain.core.scope import Permission
from resolvers import nodes
from schema.clients import Client
from schema.core.errors import UserError
from schema.core.fields import FieldOptions, relation, resolved_field
from schema.core.row_type import Node, attribute, row_type
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
    description="The input was rejected; `code` gives the reason.",
)
class InputError(UserError): ...


@row_type(errors.NumberTaken, description="Another client has this number.")
class NumberTakenError(UserError):
    existing_client: Client | None = relation(
        clients.by_id, "Client that has the number.", key="client_id", options=FieldOptions(permission=Permission.CLIENTS_READ)
    )


@row_type(errors.VersionConflict, description="The object has changed since you read it.")
class VersionConflictError(UserError):
    current_version: int = attribute("Current version of the object.")
    current: Node | None = resolved_field(nodes.load_current, "Current state of the object. Null if it was deleted since.")


@row_type(errors.AlreadyArchived, description="The object is archived. Unarchive it before you change it.")
class AlreadyArchivedError(UserError):
    archived: Node | None = resolved_field(nodes.load_current, "The archived object. Null if it was deleted since.")


@row_type(errors.RegistrationLocked, description="The status of the registration does not allow the change.")
class RegistrationLockedError(UserError):
    status: RegistrationStatus = attribute("Current status.")
    allowed: list[RegistrationStatus] = attribute("Statuses that `registrationStatusUpdate` can set next.")


@row_type(errors.InUse, description="Other objects still use this object.")
class InUseError(UserError):
    uses: int = attribute("Number of uses.")


@row_type(
    errors.PreviewOutdated, description="The preview token has expired or the client has changed. Use the token of the new `preview`."
)
class PreviewOutdatedError(UserError):
    preview: DeletionPreview | None = relation(
        previews.of_deletion,
        "Current preview, with a new token. Null if the client was unarchived or deleted since.",
        key="client_id",
        options=PREVIEW_OPTIONS,
    )


@row_type(
    errors.FiscalRetention, description="Issued invoices must be kept by law. Pass `acknowledgeFiscalRetention: true` to delete anyway."
)
class FiscalRetentionError(UserError):
    issued_invoice_count: int = attribute("Number of issued invoices and credit notes.")


USER_ERROR_TYPES = UserError.__subclasses__()
