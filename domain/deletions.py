"""Deleting a client, for good: only what was archived, and only as it was shown."""

from dataclasses import dataclass
from uuid import UUID

from db import consequences as shown_rows
from db import deletions as rows
from db.tables import AuditAction, Client, DeletionRecord, OutboxEvent
from domain import consequences
from domain.changes import held
from domain.consequences import Shown
from domain.errors import FiscalRetention, NotArchived, PreviewOutdated, Refused, not_found
from domain.idempotency import forget
from domain.scope import Permission, WriteScope


@dataclass(frozen=True)
class Deleted:
    """The client that is gone, and how much went with it."""

    client_id: UUID
    projects: int
    registrations: int
    invoices: int
    payments: int
    quotes: int
    portals: int
    contacts: int


@dataclass(frozen=True)
class Wish:
    """What the caller saw, and what they want beyond the client itself."""

    token: str
    acknowledges_retention: bool = False
    deletes_orphans: bool = False


async def delete(scope: WriteScope, client_id: UUID, wish: Wish) -> Deleted:
    """Everything of the client goes in this one unit of work; what stays is a record of its id, the moment, who, and how much."""
    scope.must(Permission.CLIENTS_ARCHIVE)
    if wish.deletes_orphans:
        scope.must(Permission.CLIENTS_WRITE)
    client = await held(scope, Client, client_id)
    if client.archived_at is None:
        raise Refused(NotArchived(["id"], "This client is active. Archive it first with `clientArchive`; only then can it be deleted."))
    (orphans,) = await shown_rows.orphans(scope, [client_id])
    await rows.lock(scope, client_id, orphans if wish.deletes_orphans else ())
    (shown,) = await consequences.found(scope, [client_id])
    if shown is None:
        raise Refused(not_found("client", ["id"]))
    _must_be_shown(scope, shown, wish)
    going = shown.orphans if wish.deletes_orphans else ()
    scope.session.expunge(client)
    gone = await rows.delete_client(scope, client_id, going)
    await forget(scope)
    deleted = Deleted(
        client_id=client_id,
        contacts=gone["contacts left alone"],
        **{name: gone[name] for name in ("projects", "registrations", "invoices", "payments", "quotes", "portals")},
    )
    _leave_a_record(scope, deleted)
    for kind, key in [("Client", client_id), *(("Contact", key) for key in going)]:
        scope.session.add(OutboxEvent(tenant_id=scope.tenant, action=AuditAction.REMOVED, object_type=kind, object_id=key))
    return deleted


def _must_be_shown(scope: WriteScope, shown: Shown, wish: Wish) -> None:
    if not consequences.is_shown(scope, shown, wish.token):
        reason = "This is no token of a preview as it would be now, or it is older than 15 minutes. Read `preview`, and send its token."
        raise Refused(PreviewOutdated(["previewToken"], reason, shown.counts.id))
    issued = shown.counts.issued_invoices
    if issued and not wish.acknowledges_retention:
        count = "An invoice was" if issued == 1 else f"{issued} invoices were"
        reason = (
            f"{count} issued to this client. The law has invoices kept, in the Netherlands for seven years: export them first, and confirm "
            "with `acknowledgeFiscalRetention: true`."
        )
        raise Refused(FiscalRetention(["acknowledgeFiscalRetention"], reason, issued))


def _leave_a_record(scope: WriteScope, deleted: Deleted) -> None:
    """Without content."""
    counts = {name: value for name, value in vars(deleted).items() if name != "client_id"}
    record = DeletionRecord(tenant_id=scope.tenant, id=deleted.client_id, channel=scope.actor.channel, counts=counts)
    record.member_id, record.token_id = scope.actor.member_id, scope.actor.token_id
    scope.session.add(record)
