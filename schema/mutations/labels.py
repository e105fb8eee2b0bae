"""Mutations of labels and their payloads."""

import strawberry

from domain.clients.labels import by_id
from resolvers import labels
from resolvers.ids import GlobalId
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.labels import Label
from schema.user_errors import InUseError, LabelVersionConflictError


@strawberry.type
class LabelPayload(Payload):
    label: Label | None = changed_object(by_id)


@strawberry.type
class LabelDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Label")


@mutations
class LabelMutations:
    label_create: LabelPayload = declare_mutation(labels.create, "Creates a label. Fails with `NAME_TAKEN` if a label has this name.")
    label_update: LabelPayload = declare_mutation(
        labels.update,
        "Changes a label. Fails with `NAME_TAKEN` if another label has the new name.",
        errors=[LabelVersionConflictError],
    )
    label_delete: LabelDeletePayload = declare_mutation(
        labels.delete,
        "Deletes a label and removes it from all clients and registrations. Fails with `IN_USE` while an archived client or "
        "a locked registration has it; set `isActive: false` instead.",
        errors=[InUseError, LabelVersionConflictError],
    )
