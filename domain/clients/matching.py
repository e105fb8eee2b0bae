"""Decide which existing clients incoming ones match, by number or else by name, with pure functions.

If either client has a number, only the numbers count: equal numbers mean the same client whatever the names are, and different or missing
numbers mean different clients despite equal names. Names count only if neither client has a number. Archived clients match like others,
but are not changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

MatchKey: TypeAlias = tuple[str, str]
"""The name of a key (`number` or `name`) and its value."""


class Match(StrEnum):
    """The result of matching one incoming client."""

    NEW = "NEW"
    SAME = "SAME"
    ARCHIVED = "ARCHIVED"
    AMBIGUOUS = "AMBIGUOUS"
    DUPLICATE = "DUPLICATE"


@dataclass(frozen=True)
class MatchKeys:
    """The keys of a client. A client without keys matches no other."""

    number_key: str | None
    name_key: str | None

    @property
    def key(self) -> MatchKey | None:
        if self.number_key is not None:
            return "number", self.number_key
        return None if self.name_key is None else ("name", self.name_key)


@dataclass(frozen=True, kw_only=True)
class ExistingClient(MatchKeys):
    """A stored client."""

    id: UUID
    is_archived: bool = False


@dataclass(frozen=True)
class Decision:
    """The match, the key that decided it, the clients that match, and the index of an earlier duplicate."""

    match: Match
    matched_by: str = "name"
    clients: Sequence[UUID] = field(default=())
    first_index: int | None = None


def match_clients(incoming: Iterable[MatchKeys], existing: Iterable[ExistingClient]) -> list[Decision]:
    """Return a decision for each incoming client, in order."""
    clients_by_key: dict[MatchKey, list[ExistingClient]] = {}
    for client in existing:
        if client.key:
            clients_by_key.setdefault(client.key, []).append(client)
    decisions, first_indexes = list[Decision](), dict[MatchKey, int]()
    for index, each in enumerate(incoming):
        key = each.key
        if key is None:
            decisions.append(Decision(Match.NEW))
        elif first_indexes.setdefault(key, index) != index:
            decisions.append(Decision(Match.DUPLICATE, key[0], first_index=first_indexes[key]))
        else:
            decisions.append(_match(key[0], clients_by_key.get(key, ())))
    return decisions


def _match(matched_by: str, matches: Sequence[ExistingClient]) -> Decision:
    if not matches:
        return Decision(Match.NEW, matched_by)
    ids = [client.id for client in matches]
    if len(matches) > 1:
        return Decision(Match.AMBIGUOUS, matched_by, ids)
    return Decision(Match.ARCHIVED if matches[0].is_archived else Match.SAME, matched_by, ids)
