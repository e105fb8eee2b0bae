"""The interface of user errors and their codes."""

import strawberry

from domain.core.errors import UserErrorCode
from resolvers.enums import describe_enum
from schema.core.row_type import attribute

describe_enum(
    UserErrorCode,
    "Reason why a mutation failed.",
    name="UserErrorCode",
    INVALID="A value breaks a rule, which `message` explains.",
    NOT_FOUND="The organization has no object of the expected type with this id, or the text is not an id.",
    NAME_TAKEN="The name or e-mail address is in use, or the link exists already.",
    NUMBER_TAKEN="Another client has this number.",
    VERSION_CONFLICT="The object has changed since you read it: `expectedVersion` is no longer its version.",
    IN_USE="Other objects still use this object.",
    LAST_OWNER="The change would leave the organization without an active owner.",
    TOO_MANY="A list has too many entries.",
    IDEMPOTENCY_KEY_REUSED="The idempotency key was used with other input.",
    ALREADY_ARCHIVED="The object is archived. Unarchive it before you change it.",
    NOT_ARCHIVED="The object is active, but this mutation is only for archived ones.",
    PREVIEW_OUTDATED="The preview token is older than 15 minutes, or the client has changed since.",
    FISCAL_RETENTION="Issued invoices must be kept by law, and `acknowledgeFiscalRetention` is not true.",
    REGISTRATION_LOCKED="The status of the registration does not allow the change.",
    AMBIGUOUS="Several existing clients match.",
    DUPLICATE="An earlier entry of the input is the same client.",
)


@strawberry.interface(
    description="An expected failure of a mutation, which then has changed nothing. The exception is `clientBulkUpsert` with `SKIP_FAILED`."
)
class UserError:
    code: UserErrorCode = attribute("Stable code for programs.")
    message: str = attribute("Explanation for people: what is wrong, and how to correct it.")
    path: list[str] = attribute("Path of the wrong value in `input`, with the indexes of list entries. Empty if no single value is wrong.")
