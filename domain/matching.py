"""Which clients incoming ones are: by number, else by name. What there is goes in, a decision for each comes out; nothing is asked.

Numbers lead: a client with the same number is the same client, whatever its name, and one without it is another, even of the same name.
Names count only where neither side has a number. Archived clients are matched like others, and then left alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

Key: TypeAlias = tuple[str, str]
"""What a client is matched by, and its text."""


class Match(StrEnum):
    """What an incoming client is."""

    NEW = "NEW"
    SAME = "SAME"
    ARCHIVED = "ARCHIVED"
    AMBIGUOUS = "AMBIGUOUS"
    DUPLICATE = "DUPLICATE"


@dataclass(frozen=True)
class Named:
    """The keys of a client; without either it is like no other."""

    number_key: str | None
    name_key: str | None

    @property
    def key(self) -> Key | None:
        if self.number_key is not None:
            return "number", self.number_key
        return None if self.name_key is None else ("name", self.name_key)


@dataclass(frozen=True, kw_only=True)
class Existing(Named):
    """A client there is."""

    id: UUID
    is_archived: bool = False


@dataclass(frozen=True)
class Decision:
    """What it is, by what; the clients that it may be; and the place of the incoming one that was the same before it."""

    match: Match
    by: str = "name"
    clients: Sequence[UUID] = field(default=())
    before: int | None = None


def decided(incoming: Iterable[Named], existing: Iterable[Existing]) -> list[Decision]:
    """A decision for each that comes in, in their order."""
    there: dict[Key, list[Existing]] = {}
    for client in existing:
        if client.key:
            there.setdefault(client.key, []).append(client)
    found, first = list[Decision](), dict[Key, int]()
    for place, each in enumerate(incoming):
        key = each.key
        if key is None:
            found.append(Decision(Match.NEW))
        elif first.setdefault(key, place) != place:
            found.append(Decision(Match.DUPLICATE, key[0], before=first[key]))
        else:
            found.append(_decided(key[0], there.get(key, ())))
    return found


def _decided(by: str, same: Sequence[Existing]) -> Decision:
    if not same:
        return Decision(Match.NEW, by)
    ids = [client.id for client in same]
    if len(same) > 1:
        return Decision(Match.AMBIGUOUS, by, ids)
    return Decision(Match.ARCHIVED if same[0].is_archived else Match.SAME, by, ids)
