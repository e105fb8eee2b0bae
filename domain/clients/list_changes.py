"""Change a list of a client by what to add and what to remove, so that a form opened earlier keeps what others added since."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.core.errors import InvalidInput, RuleViolation, too_many
from domain.core.locking import list_paths

T = TypeVar("T")


@dataclass(frozen=True)
class ListChanges(Generic[T]):
    """The entries to add to a list and the ids of the objects to remove from it, each with the name of its field in the input."""

    add_name: str
    add: Sequence[T] = ()
    remove_name: str = ""
    remove: Sequence[UUID] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)

    def removal_paths(self) -> dict[UUID, list[str]]:
        """Return the path of each id to remove. A repeated id has the path of its first place."""
        return list_paths(self.remove_name, self.remove)

    def reject_too_long(self, limit: int) -> None:
        """Raise `RuleViolation` for each list of the input that has more entries than the limit."""
        if names := [name for name, entries in ((self.add_name, self.add), (self.remove_name, self.remove)) if len(entries) > limit]:
            raise RuleViolation(*(too_many(name, limit) for name in names))

    def reject_in_both(self, ids_to_add: Collection[UUID], noun: str) -> None:
        """Raise `RuleViolation` for each id to remove that is also an id to add."""
        message = f"This {noun} is also in `{self.add_name}`. Leave it out of one of the two lists."
        if paths := [path for key, path in self.removal_paths().items() if key in ids_to_add]:
            raise RuleViolation(*(InvalidInput(path, message) for path in paths))


NO_CHANGES: ListChanges[Any] = ListChanges("")
