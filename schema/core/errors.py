"""The interface of user errors, and their codes."""

import strawberry

from domain.core.errors import UserErrorCode
from resolvers.enums import describe_enum

describe_enum(
    UserErrorCode,
    "Why something was not done.",
    name="UserErrorCode",
    INVALID="A value is not right; the message says what is.",
    NOT_FOUND="There is no such thing in the organization.",
    NAME_TAKEN="Another one has this name.",
    NUMBER_TAKEN="Another client has this number.",
    VERSION_CONFLICT="Somebody else changed it first.",
    IN_USE="Others still need it.",
    LAST_OWNER="An organization has an owner.",
    TOO_MANY="More than there may be at once.",
    IDEMPOTENCY_KEY_REUSED="The key was used for another request.",
    ALREADY_ARCHIVED="It is archived, and stays as it is until it is taken back.",
    NOT_ARCHIVED="It is active, and this is only for what is archived.",
    PREVIEW_OUTDATED="The preview is not of now, or older than 15 minutes.",
    FISCAL_RETENTION="The law has invoices kept, and nobody said that they know.",
    REGISTRATION_LOCKED="How far the registration is does not allow it.",
    AMBIGUOUS="Several are meant by it.",
    DUPLICATE="It is in the input twice.",
)


@strawberry.interface(description="Why something was not done: nothing of the mutation was, unless it was asked to go on without.")
class UserError:
    code: UserErrorCode = strawberry.field(description="For programs: it does not change.")
    message: str = strawberry.field(description="For people: what is wrong, and how to put it right.")
    path: list[str] = strawberry.field(description="Where in the input it lies, places of lists included; empty when it lies nowhere.")
