"""What archiving or deleting a client would do, told before it is done.

A preview of a deletion has a token: what was shown, sealed. It is good for a quarter of an hour and for as long as nothing has changed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from db import consequences as rows
from db import contacts
from db.rows import ClientAmountsRow, ContactRow, DependentCountsRow
from domain.scope import Permission, Scope

PURPOSE = b"deletion 2"
GOOD_FOR = timedelta(minutes=15)
MOST_SHOWN = 100  # contacts left alone


@dataclass(frozen=True, slots=True)
class ArchivePreview:
    """What archiving would lock. The amounts are for who may see figures."""

    client_id: UUID
    counts: DependentCountsRow
    amounts: Sequence[ClientAmountsRow] | None


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What deleting would take along. The amounts are for who may see figures, the token for who may delete."""

    client_id: UUID
    counts: DependentCountsRow
    amounts: Sequence[ClientAmountsRow] | None
    left_alone: int
    token: str | None
    expires_at: datetime


async def of_archiving(scope: Scope, ids: Sequence[UUID]) -> list[ArchivePreview | None]:
    """Of each client that is active."""
    scope.must(Permission.CLIENTS_READ)
    counts = await rows.counts(scope, ids)
    amounts: Sequence[list[ClientAmountsRow] | None] = [None] * len(ids)
    if scope.may(Permission.FINANCE_READ):
        amounts = await rows.amounts(scope, ids)
    return [
        None if each is None or each.archived_at else ArchivePreview(each.id, each, sums)
        for each, sums in zip(counts, amounts, strict=True)
    ]


async def of_deletion(scope: Scope, ids: Sequence[UUID]) -> list[DeletionPreview | None]:
    """Of each client that is archived."""
    scope.must(Permission.CLIENTS_READ)
    at = datetime.now(UTC).replace(microsecond=0)
    return [_preview(scope, shown, at) if shown and shown.counts.archived_at else None for shown in await found(scope, ids)]


async def left_alone(scope: Scope, ids: Sequence[UUID]) -> list[list[ContactRow]]:
    """The first contacts of each client that no other client has."""
    scope.must(Permission.CLIENTS_READ)
    keys = [each[:MOST_SHOWN] for each in await rows.orphans(scope, ids)]
    wanted = [key for each in keys for key in each]
    known = {row.id: row for row in await contacts.by_id(scope, wanted) if row}
    return [[known[key] for key in each] for each in keys]


@dataclass(frozen=True)
class Shown:
    """All that a preview tells, whoever may see how much of it."""

    counts: DependentCountsRow
    amounts: Sequence[ClientAmountsRow]
    orphans: Sequence[UUID]

    @property
    def content(self) -> bytes:
        """All of it, amounts included: to be signed, never to be sent, in whatever form."""
        held = [list(self.counts), [list(each) for each in self.amounts], list(self.orphans)]
        return json.dumps(held, default=str).encode()


async def found(scope: Scope, ids: Sequence[UUID]) -> list[Shown | None]:
    """As it is at this moment, of each client there is."""
    counts, amounts, orphans = await rows.counts(scope, ids), await rows.amounts(scope, ids), await rows.orphans(scope, ids)
    return [None if each is None else Shown(each, *rest) for each, rest in zip(counts, zip(amounts, orphans, strict=True), strict=True)]


def _preview(scope: Scope, shown: Shown, at: datetime) -> DeletionPreview:
    sees_figures, deletes = scope.may(Permission.FINANCE_READ), scope.may(Permission.CLIENTS_ARCHIVE)
    return DeletionPreview(
        client_id=shown.counts.id,
        counts=shown.counts,
        amounts=shown.amounts if sees_figures else None,
        left_alone=len(shown.orphans),
        token=token(scope, shown, at) if deletes else None,
        expires_at=at + GOOD_FOR,
    )


def token(scope: Scope, shown: Shown, at: datetime) -> str:
    """Return a text of the client's id and the moment, signed together with what was shown.

    The bearer may lack the right to see amounts, so nothing that is computed from them is part of the text.
    """
    return scope.seal(PURPOSE, GOOD_FOR).issue(shown.counts.id.hex.encode(), shown.content, at=at)


def is_shown(scope: Scope, shown: Shown, given: str) -> bool:
    """Whether this is what the bearer of a token was shown, not long ago."""
    try:
        client = scope.seal(PURPOSE, GOOD_FOR).accept(given, shown.content)
    except ValueError:
        return False
    return client == shown.counts.id.hex.encode()
