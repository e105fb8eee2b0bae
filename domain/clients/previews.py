"""Preview the effects of archiving or deleting a client.

The preview of a deletion has a token that signs its content. The token is valid for 15 minutes, as long as the content does not change.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.queries import contacts
from db.queries import previews as rows
from db.rows import ClientAmountsRow, ContactRow, DependentCountsRow
from domain.core.scope import Permission, Scope

PURPOSE = b"deletion 2"
TOKEN_LIFETIME = timedelta(minutes=15)
MAX_LISTED_CONTACTS = 100  # orphaned contacts per preview


@dataclass(frozen=True, slots=True)
class ArchivePreview:
    """The counts and amounts of the objects that archiving would lock. `amounts` is None without FINANCE_READ."""

    client_id: UUID
    counts: DependentCountsRow
    amounts: Sequence[ClientAmountsRow] | None


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """The objects that deleting would remove. `amounts` is None without FINANCE_READ, and `token` without CLIENTS_ARCHIVE."""

    client_id: UUID
    counts: DependentCountsRow
    amounts: Sequence[ClientAmountsRow] | None
    orphaned_contact_count: int
    token: str | None
    expires_at: datetime


async def of_archiving(scope: Scope, ids: Sequence[UUID]) -> list[ArchivePreview | None]:
    """Return the preview of each active client, and None for other ids."""
    scope.require(Permission.CLIENTS_READ)
    counts = await rows.counts(scope, ids)
    amounts: Sequence[list[ClientAmountsRow] | None] = [None] * len(ids)
    if counts and scope.allows(Permission.FINANCE_READ):  # the ids of an empty page are known only now
        amounts = await rows.amounts(scope, ids)
    return [
        None if each is None or each.archived_at else ArchivePreview(each.id, each, sums)
        for each, sums in zip(counts, amounts, strict=True)
    ]


async def of_deletion(scope: Scope, ids: Sequence[UUID]) -> list[DeletionPreview | None]:
    """Return the preview of each archived client, and None for other ids."""
    scope.require(Permission.CLIENTS_READ)
    issued_at = datetime.now(UTC).replace(microsecond=0)
    return [
        _to_deletion_preview(scope, content, issued_at) if content and content.counts.archived_at else None
        for content in await load_contents(scope, ids)
    ]


async def orphaned_contacts(scope: Scope, ids: Sequence[UUID]) -> list[list[ContactRow]]:
    """Return the contacts that only this client has, for each client, 100 at most."""
    scope.require(Permission.CLIENTS_READ)
    orphan_ids = [each[:MAX_LISTED_CONTACTS] for each in await rows.orphans(scope, ids)]
    contact_ids = [key for each in orphan_ids for key in each]
    contacts_by_id = {row.id: row for row in await contacts.by_id(scope, contact_ids) if row}
    return [[contacts_by_id[key] for key in each] for each in orphan_ids]


@dataclass(frozen=True)
class PreviewContent:
    """The complete content of a preview, including data that the caller may not see."""

    counts: DependentCountsRow
    amounts: Sequence[ClientAmountsRow]
    orphans: Sequence[UUID]

    @property
    def content(self) -> bytes:
        """The content as bytes, including amounts. Sign it, but never send it in any form."""
        values = [list(self.counts), [list(each) for each in self.amounts], list(self.orphans)]
        return json.dumps(values, default=str).encode()


async def load_contents(scope: Scope, ids: Sequence[UUID]) -> list[PreviewContent | None]:
    """Return the current content for each client, and None for a missing client."""
    counts = await rows.counts(scope, ids)
    if not counts:  # as above
        return []
    amounts, orphans = await rows.amounts(scope, ids), await rows.orphans(scope, ids)
    return [
        None if each is None else PreviewContent(each, *rest) for each, rest in zip(counts, zip(amounts, orphans, strict=True), strict=True)
    ]


def _to_deletion_preview(scope: Scope, content: PreviewContent, issued_at: datetime) -> DeletionPreview:
    sees_figures, can_delete = scope.allows(Permission.FINANCE_READ), scope.allows(Permission.CLIENTS_ARCHIVE)
    return DeletionPreview(
        client_id=content.counts.id,
        counts=content.counts,
        amounts=content.amounts if sees_figures else None,
        orphaned_contact_count=len(content.orphans),
        token=issue_token(scope, content, issued_at) if can_delete else None,
        expires_at=issued_at + TOKEN_LIFETIME,
    )


def issue_token(scope: Scope, content: PreviewContent, issued_at: datetime) -> str:
    """Return a text with the client's id and the time of issue, signed together with the content of the preview.

    The bearer may lack FINANCE_READ, so the text contains nothing that is computed from the amounts.
    """
    return scope.signer(PURPOSE, TOKEN_LIFETIME).issue(content.counts.id.hex.encode(), content.content, issued_at=issued_at)


def is_current_token(scope: Scope, content: PreviewContent, preview_token: str) -> bool:
    """Return whether the token was issued for exactly this content and has not expired."""
    try:
        payload = scope.signer(PURPOSE, TOKEN_LIFETIME).accept(preview_token, content.content)
    except ValueError:
        return False
    return payload == content.counts.id.hex.encode()
