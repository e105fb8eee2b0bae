"""What a rule says when it will not: an answer for the caller. Anything else that goes wrong is a bug."""

from dataclasses import dataclass
from typing import ClassVar

LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Refusal:
    """An expected refusal: a stable code, where in the input it lies, and a sentence.

    A value, carried by `Refused`: graphql-core takes an exception found in a result for the failure of that field, so none can be shown.
    """

    code: ClassVar[str]
    path: list[str]
    message: str


class NotFound(Refusal):
    code = "NOT_FOUND"


class InvalidInput(Refusal):
    code = "INVALID"


class NameTaken(Refusal):
    code = "NAME_TAKEN"


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


class Forbidden(Exception):  # noqa: N818
    """A right that the caller lacks: the operation's own error, never a user error."""

    extensions: ClassVar[dict[str, str]] = {"code": "FORBIDDEN"}


class BadInput(Exception):  # noqa: N818
    """An argument of a query that cannot be answered."""

    extensions: ClassVar[dict[str, str]] = {"code": "BAD_USER_INPUT"}


def searched(text: str | None) -> str | None:
    """The text of a search box. Blanks alone search for nothing."""
    if text is not None and len(text) > LONGEST_SEARCH:
        raise BadInput(f"`search` has at most {LONGEST_SEARCH} characters.")
    return (text or "").strip() or None
