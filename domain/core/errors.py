"""Define the errors that rules report to the caller. Any other exception is a bug."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from db.tables import RegistrationStatus


class UserErrorCode(StrEnum):
    """A stable code that tells programs why a rule was violated."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    NAME_TAKEN = "NAME_TAKEN"
    NUMBER_TAKEN = "NUMBER_TAKEN"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    IN_USE = "IN_USE"
    LAST_OWNER = "LAST_OWNER"
    TOO_MANY = "TOO_MANY"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    ALREADY_ARCHIVED = "ALREADY_ARCHIVED"
    NOT_ARCHIVED = "NOT_ARCHIVED"
    PREVIEW_OUTDATED = "PREVIEW_OUTDATED"
    FISCAL_RETENTION = "FISCAL_RETENTION"
    REGISTRATION_LOCKED = "REGISTRATION_LOCKED"
    AMBIGUOUS = "AMBIGUOUS"
    DUPLICATE = "DUPLICATE"


@dataclass(frozen=True)
class UserError:
    """An expected error: a stable code, its path in the input, and a message.

    It is a value and not an exception, because graphql-core treats an exception in a result as the failure of that field.
    `RuleViolation` carries it. Subclasses without fields of their own have no decorator: building a dataclass for each would
    slow down startup.
    """

    code: ClassVar[UserErrorCode]
    path: list[str]
    message: str


class NotFound(UserError):
    code = UserErrorCode.NOT_FOUND


class InvalidInput(UserError):
    code = UserErrorCode.INVALID


class NameTaken(UserError):
    code = UserErrorCode.NAME_TAKEN


@dataclass(frozen=True)
class NumberTaken(UserError):
    """Another client has the number. `client_id` is None if the caller may not read clients."""

    code = UserErrorCode.NUMBER_TAKEN
    client_id: UUID | None


@dataclass(frozen=True)
class VersionConflict(UserError):
    """The object was changed since the caller read it."""

    code = UserErrorCode.VERSION_CONFLICT
    object_type: str
    object_id: UUID
    current_version: int


@dataclass(frozen=True)
class InUse(UserError):
    """Other objects use the object; `uses` is their number."""

    code = UserErrorCode.IN_USE
    uses: int


class LastOwner(UserError):
    code = UserErrorCode.LAST_OWNER


class TooMany(UserError):
    code = UserErrorCode.TOO_MANY


class IdempotencyKeyReused(UserError):
    code = UserErrorCode.IDEMPOTENCY_KEY_REUSED


@dataclass(frozen=True)
class AlreadyArchived(UserError):
    """The object is archived and cannot be changed."""

    code = UserErrorCode.ALREADY_ARCHIVED
    object_type: str
    object_id: UUID


class NotArchived(UserError):
    code = UserErrorCode.NOT_ARCHIVED


@dataclass(frozen=True)
class PreviewOutdated(UserError):
    """The preview of this client has changed or expired."""

    code = UserErrorCode.PREVIEW_OUTDATED
    client_id: UUID


@dataclass(frozen=True)
class FiscalRetention(UserError):
    """The client has issued invoices, which must be kept by law."""

    code = UserErrorCode.FISCAL_RETENTION
    issued_invoice_count: int


@dataclass(frozen=True)
class RegistrationLocked(UserError):
    """The status of the registration forbids the change; `allowed` has the statuses that it can change to."""

    code = UserErrorCode.REGISTRATION_LOCKED
    status: RegistrationStatus
    allowed: list[RegistrationStatus]


class Ambiguous(UserError):
    code = UserErrorCode.AMBIGUOUS


class Duplicate(UserError):
    code = UserErrorCode.DUPLICATE


def not_found(noun: str, path: Sequence[str]) -> NotFound:
    """Build the error for an unknown object. It is the same for an object of another organization, so that it reveals nothing."""
    return NotFound([*path], f"There is no {noun} with this ID. It may have been deleted: look it up again.")


def too_many(argument: str, limit: int) -> TooMany:
    """Build the error for a list argument with more entries than the limit."""
    return TooMany([argument], f"`{argument}` must have at most {limit} entries. Pass fewer entries.")


def pluralize(count: int, noun: str) -> str:
    """Return the count and its noun, such as `1 client` or `2 clients`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class RuleViolation(Exception):
    """One or more rules were violated. The unit of work is rolled back."""

    def __init__(self, *user_errors: UserError) -> None:
        super().__init__(*user_errors)
        self.user_errors = user_errors


class ErrorCollector:
    """Collect the errors of the parts of a form, so that all of them are reported at once."""

    def __init__(self) -> None:
        self.user_errors: list[UserError] = []

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Collect the errors of the block and continue after it. The block may end early, without its result."""
        try:
            yield
        except RuleViolation as violation:
            self.user_errors += violation.user_errors

    def raise_collected(self) -> None:
        if self.user_errors:
            raise RuleViolation(*self.user_errors)


class ForbiddenError(Exception):
    """The caller lacks a permission. This is an error of the operation, not a user error."""

    extensions: ClassVar[dict[str, str]] = {"code": "FORBIDDEN"}


class BadInput(Exception):
    """An argument of a query is invalid."""

    extensions: ClassVar[dict[str, str]] = {"code": "BAD_USER_INPUT"}
