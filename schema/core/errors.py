"""The interface of user errors, their codes, and an interface for each mutation with the errors that it can return."""

import warnings
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry.types import get_object_definition

from domain.core import errors
from domain.core.errors import UserErrorCode
from resolvers.enums import describe_enum
from schema.core.row_type import attribute, row_type

T = TypeVar("T")

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


# The type of any error: one that a mutation does not declare still reaches the caller. `resolve_type` tries the declared types first.
@row_type(errors.UserError, description="The input was rejected; `code` gives the reason.")
class InputError(UserError): ...


class UndeclaredErrorWarning(RuntimeWarning):
    """A mutation returned an error of a type that it does not declare."""


def error_interface(mutation: str, *types: type[UserError]) -> Callable[[type[T]], type[T]]:
    """Make a class the interface of the errors that a mutation can return: an `InputError`, or an error of one of these types."""

    def decorate(cls: type[T]) -> type[T]:
        candidates = [get_object_definition(each, strict=True) for each in (*types, InputError)]

        def resolve_type(error: errors.UserError, info: GraphQLResolveInfo[Any], _interface: GraphQLAbstractType) -> str:
            name = next(each.name for each in candidates if each.is_type_of and each.is_type_of(error, info))
            # The tests turn the warning into an error. In production it is logged, and the caller gets the code and the message.
            if name == InputError.__name__ and len(fields(error)) > len(fields(errors.UserError)):
                warnings.warn(f"{mutation} does not declare {type(error).__name__}", UndeclaredErrorWarning, stacklevel=2)
            return name

        cls.resolve_type = staticmethod(resolve_type)  # type: ignore[attr-defined]
        interface = strawberry.interface(cls, description=f"An error of `{mutation}`.")
        for each in candidates:
            each.interfaces.append(get_object_definition(interface, strict=True))
            each.interfaces.sort(key=attrgetter("name"))  # the schema does not depend on the order of imports
        return interface

    return decorate
