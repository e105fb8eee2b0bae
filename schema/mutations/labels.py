"""Mutations of labels, and their payloads."""

import strawberry

from domain.clients.labels import by_id
from resolvers import labels
from resolvers.ids import GlobalId
from schema.core.payload import Payload, changed_object, declare_deleted_id, declare_mutation, mutations
from schema.labels import Label


@strawberry.type
class LabelPayload(Payload):
    label: Label | None = changed_object(by_id)


@strawberry.type
class LabelDeletePayload(Payload):
    deleted_id: GlobalId | None = declare_deleted_id("Label")


@mutations
class LabelMutations:
    label_create: LabelPayload = declare_mutation(labels.create, description="Adds a label.")
    label_update: LabelPayload = declare_mutation(labels.update, description="Changes a label.")
    label_delete: LabelDeletePayload = declare_mutation(
        labels.delete,
        description="""Deletes a label and takes it off every client and registration, which stay. While one wears it that is archived or
locked, it is refused (IN_USE); `isActive` of `labelUpdate` keeps it from being chosen.""",
    )
