"""Mutations of registrations and their payloads."""

from functools import partial

import strawberry

from domain.core.scope import Permission
from domain.registrations.rules import by_id
from resolvers import registrations
from resolvers.ids import GlobalId
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.registrations import Registration
from schema.user_errors import (
    ClientAlreadyArchivedError,
    ProjectAlreadyArchivedError,
    RegistrationLockedError,
    RegistrationVersionConflictError,
)

ACTIVE_HINT = "Fails with `ALREADY_ARCHIVED` if the client or the project is archived"
CHANGEABLE_HINT = f"{ACTIVE_HINT}, and with `REGISTRATION_LOCKED` unless the status is `OPEN`, `PENDING` or `REJECTED`."
ARCHIVED_ERRORS = [ClientAlreadyArchivedError, ProjectAlreadyArchivedError]
CHANGE_ERRORS = [*ARCHIVED_ERRORS, RegistrationLockedError, RegistrationVersionConflictError]
declare = partial(declare_mutation, permission=Permission.REGISTRATIONS_WRITE)


@strawberry.type
class RegistrationPayload(Payload):
    registration: Registration | None = changed_object(by_id)


@strawberry.type
class RegistrationDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Registration")


@mutations
class RegistrationMutations:
    registration_create: RegistrationPayload = declare(
        registrations.create,
        "Registers time, an expense or a trip. Without a `rate`, time gets the rate of the project or the client, as the project's "
        f"`invoiceMethod` says, and a trip gets the client's rate. If none is set, the amount is 0. {ACTIVE_HINT}.",
        errors=ARCHIVED_ERRORS,
    )
    registration_update: RegistrationPayload = declare(
        registrations.update,
        "Changes a registration, or moves it to another client or project. A move applies the rate of the new client or "
        f"project, unless the rate was given for the registration itself. {CHANGEABLE_HINT}",
        errors=CHANGE_ERRORS,
    )
    registration_status_update: RegistrationPayload = declare(
        registrations.set_status,
        "Submits, approves, rejects, reopens or writes off a registration. Fails with `REGISTRATION_LOCKED` if the new status "
        f"cannot follow the current one. {ACTIVE_HINT}.",
        errors=CHANGE_ERRORS,
    )
    registration_delete: RegistrationDeletePayload = declare(
        registrations.delete,
        f"Deletes a registration permanently. {CHANGEABLE_HINT}",
        errors=CHANGE_ERRORS,
    )
