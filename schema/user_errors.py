"""GraphQL types of user errors with more fields than every user error has. Mutations declare which of them they can return."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import strawberry
from strawberry.types import get_object_definition

from db.tables import RegistrationStatus
from domain import projects
from domain.clients import contacts, labels, previews
from domain.clients import reads as clients
from domain.core import errors
from domain.core.scope import Permission
from domain.invoicing import layouts, vat_rates
from domain.organization import members, organizations
from domain.registrations import rules as registrations
from schema.clients import Client
from schema.contacts import Contact
from schema.core.errors import UserError
from schema.core.fields import FINANCE_READ_OPTIONS, NO_OPTIONS, REFERENCE_OPTIONS, FieldOptions, relation
from schema.core.row_type import Node, attribute, row_type
from schema.labels import Label
from schema.layouts import InvoiceLayout
from schema.members import Member
from schema.organizations import Organization
from schema.previews import PREVIEW_OPTIONS, DeletionPreview
from schema.projects import Project
from schema.registrations import Registration
from schema.vat_rates import VatRate

Batch: TypeAlias = Callable[..., Awaitable[Sequence[object]]]
DELETED_HINT = " Null if it was deleted since."


@row_type(errors.NumberTaken, description="Another client has this number.")
class NumberTakenError(UserError):
    existing_client: Client | None = relation(
        clients.by_id, "Client that has the number.", key="client_id", options=FieldOptions(permission=Permission.CLIENTS_READ)
    )


@strawberry.interface(
    description="The object has changed since you read it. Each type of object has its own type of this error, with the `current` object."
)
class VersionConflictError(UserError):
    current_version: int = attribute("Current version of the object.")


@strawberry.interface(
    description="The object is archived. Unarchive it before you change it. Each type of object has its own type of this error."
)
class AlreadyArchivedError(UserError):
    archived: Node | None = attribute(f"The archived object.{DELETED_HINT}")


@dataclass(frozen=True)
class ErrorFamily:
    """The types of an error that is about one object: one for each type of object, with that object in the field `field`."""

    source: type[errors.VersionConflict | errors.AlreadyArchived]
    interface: type[UserError]
    field: str
    field_description: str
    description: str

    def declare(self, shown_type: type, batch: Batch, *, options: FieldOptions = NO_OPTIONS) -> type[UserError]:
        """Declare the type of the errors about one type of object, such as `ClientVersionConflictError`."""
        name = shown_type.__name__
        return self.declare_part(name, shown_type, batch, f"`{name}`", self.field_description, options=options)

    def declare_part(  # noqa: PLR0913 all that differs between the types
        self, name: str, shown_type: type, batch: Batch, noun: str, field_description: str, *, options: FieldOptions = NO_OPTIONS
    ) -> type[UserError]:
        """Declare the type of the errors about a part of an object, such as `ClientContactVersionConflictError`. The whole object shows it.

        `name` is the class of the part's table.
        """
        field_description += "" if options.always_exists else DELETED_HINT
        object_field = relation(batch, field_description, key="object_id", options=options)
        body = {"__annotations__": {self.field: shown_type | None}, self.field: object_field}
        error_type = type(f"{name}{self.interface.__name__}", (self.interface,), body)
        description = self.description.format(noun)
        return row_type(self.source, description=description, matches=lambda error: error.object_type == name)(error_type)


VERSION_CONFLICTS = ErrorFamily(
    errors.VersionConflict,
    VersionConflictError,
    "current",
    "Current state of the object.",
    "The {} has changed since you read it.",
)
ARCHIVED = ErrorFamily(
    errors.AlreadyArchived,
    AlreadyArchivedError,
    "archived",
    "The archived object.",
    "The {} is archived. Unarchive it before you change it.",
)

ClientVersionConflictError = VERSION_CONFLICTS.declare(Client, clients.by_id)
ClientContactVersionConflictError = VERSION_CONFLICTS.declare_part(
    "ClientContact", Client, clients.by_id, "link between the contact and the client", "Current state of the client, with its links."
)
ContactVersionConflictError = VERSION_CONFLICTS.declare(Contact, contacts.by_id)
InvoiceLayoutVersionConflictError = VERSION_CONFLICTS.declare(InvoiceLayout, layouts.by_id, options=FINANCE_READ_OPTIONS)
LabelVersionConflictError = VERSION_CONFLICTS.declare(Label, labels.by_id)
MemberVersionConflictError = VERSION_CONFLICTS.declare(Member, members.by_id, options=REFERENCE_OPTIONS)
OrganizationVersionConflictError = VERSION_CONFLICTS.declare(Organization, organizations.by_id, options=REFERENCE_OPTIONS)
ProjectVersionConflictError = VERSION_CONFLICTS.declare(Project, projects.by_id)
RegistrationVersionConflictError = VERSION_CONFLICTS.declare(Registration, registrations.by_id)
VatRateVersionConflictError = VERSION_CONFLICTS.declare(VatRate, vat_rates.by_id, options=FINANCE_READ_OPTIONS)
ClientAlreadyArchivedError = ARCHIVED.declare(Client, clients.by_id)
ProjectAlreadyArchivedError = ARCHIVED.declare(Project, projects.by_id)


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


def _find_object_types(interface: type[UserError]) -> Iterator[type[UserError]]:
    """Yield the object types that implement an interface."""
    for each in interface.__subclasses__():
        if get_object_definition(each, strict=True).is_interface:
            yield from _find_object_types(each)
        else:
            yield each


USER_ERROR_TYPES = [*_find_object_types(UserError)]
"""All types but the interfaces, which no field of the schema names."""
