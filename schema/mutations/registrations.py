"""Mutations of registrations, and their payloads."""

from functools import partial

import strawberry

from domain.core.scope import Permission
from domain.registrations.rules import by_id
from resolvers import registrations
from resolvers.ids import GlobalId
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.registrations import Registration

ACTIVE_HINT = "Refused where its client or its project is archived (ALREADY_ARCHIVED), whatever its day."
CHANGEABLE_HINT = f"{ACTIVE_HINT} So is one that is neither open, pending nor rejected (REGISTRATION_LOCKED)."
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
        description=f"""Registers time, an expense or a trip. An hour costs what the project's method says, or else the client's default;
a kilometre the client's default; without either nothing. {ACTIVE_HINT}""",
    )
    registration_update: RegistrationPayload = declare(
        registrations.update,
        description=f"""Changes a registration, or moves it to another client or project, whose rate counts then unless one was given.
{CHANGEABLE_HINT}""",
    )
    registration_status_update: RegistrationPayload = declare(
        registrations.set_status,
        description=f"Hands a registration in, approves it, rejects it, writes it off, or takes it back. {ACTIVE_HINT}",
    )
    registration_delete: RegistrationDeletePayload = declare(
        registrations.delete, description=f"Deletes a registration for good. {CHANGEABLE_HINT}"
    )
