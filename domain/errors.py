"""What a rule says when it will not: an answer for the caller. Anything else that goes wrong is a bug."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from db.tables import RegistrationStatus


class Code(StrEnum):
    """Why something was not done: stable, for programs to tell apart."""

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
class Refusal:
    """An expected refusal: a stable code, where in the input it lies, and a sentence.

    A value, carried by `Refused`: graphql-core takes an exception found in a result for the failure of that field, so none can be shown.
    A kind that has no fields of its own is a dataclass by this one: made into one again, each would take its part of a start.
    """

    code: ClassVar[Code]
    path: list[str]
    message: str


class NotFound(Refusal):
    code = Code.NOT_FOUND


class InvalidInput(Refusal):
    code = Code.INVALID


class NameTaken(Refusal):
    code = Code.NAME_TAKEN


@dataclass(frozen=True)
class NumberTaken(Refusal):
    """The client that has the number; None for a caller who may not read clients."""

    code = Code.NUMBER_TAKEN
    client_id: UUID | None


@dataclass(frozen=True)
class VersionConflict(Refusal):
    """What the object is, and the version that it has now."""

    code = Code.VERSION_CONFLICT
    object_type: str
    object_id: UUID
    current_version: int


@dataclass(frozen=True)
class InUse(Refusal):
    """By how many others."""

    code = Code.IN_USE
    uses: int


class LastOwner(Refusal):
    code = Code.LAST_OWNER


class TooMany(Refusal):
    code = Code.TOO_MANY


class IdempotencyKeyReused(Refusal):
    code = Code.IDEMPOTENCY_KEY_REUSED


@dataclass(frozen=True)
class AlreadyArchived(Refusal):
    """What is archived and stays as it is."""

    code = Code.ALREADY_ARCHIVED
    object_type: str
    object_id: UUID


class NotArchived(Refusal):
    code = Code.NOT_ARCHIVED


@dataclass(frozen=True)
class PreviewOutdated(Refusal):
    """Of which client another preview is to be read."""

    code = Code.PREVIEW_OUTDATED
    client_id: UUID


@dataclass(frozen=True)
class FiscalRetention(Refusal):
    """How many invoices the law has kept."""

    code = Code.FISCAL_RETENTION
    issued_invoice_count: int


@dataclass(frozen=True)
class RegistrationLocked(Refusal):
    """The status that a registration has, and those that it can go to."""

    code = Code.REGISTRATION_LOCKED
    status: RegistrationStatus
    allowed: list[RegistrationStatus]


class Ambiguous(Refusal):
    code = Code.AMBIGUOUS


class Duplicate(Refusal):
    code = Code.DUPLICATE


def not_found(what: str, path: Sequence[str]) -> NotFound:
    """The same for what never was and for what is another organization's."""
    return NotFound([*path], f"There is no such {what}. Look it up again: it may be gone.")


class Refused(Exception):  # noqa: N818 a refusal is a state, not an error of the program
    """A rule says no, for one or more reasons; what was done so far is rolled back."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*refusals)
        self.refusals = refusals


class WrongValue(ValueError):  # noqa: N818 of the value, not of the program
    """What a user filled in breaks a rule. Says which, with an example that does not; `domain.checks` says where."""

    def __init__(self, rule: str, example: str) -> None:
        super().__init__(f"{rule}, for example `{example}`.")
        self.example = example


class TooLong(ValueError):  # noqa: N818 of the value, not of the program
    """A text is too long to be looked at. Raised before anything is done with it, where only the limit of its field is known."""

    def __init__(self, longest: int, length: int) -> None:
        super().__init__(f"has at most {longest} characters; this has {length}")


class Faults:
    """Refusals of the parts of a whole, so that a form hears of all its faults at once."""

    def __init__(self) -> None:
        self.found: list[Refusal] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        """Goes on after a refusal; what the part would have given is missing then."""
        try:
            yield
        except Refused as refused:
            self.found += refused.refusals

    def refuse(self) -> None:
        if self.found:
            raise Refused(*self.found)


class Forbidden(Exception):  # noqa: N818
    """A right that the caller lacks: the operation's own error, never a user error."""

    extensions: ClassVar[dict[str, str]] = {"code": "FORBIDDEN"}


class BadInput(Exception):  # noqa: N818
    """An argument of a query that cannot be answered."""

    extensions: ClassVar[dict[str, str]] = {"code": "BAD_USER_INPUT"}
