"""Delete a client permanently. It must be archived, and the preview token must be current."""

from dataclasses import dataclass
from uuid import UUID

from db.queries import deletions as rows
from db.queries import previews as shown_rows
from db.tables import AuditAction, Client, DeletionRecord, OutboxEvent
from domain.clients import previews
from domain.clients.previews import PreviewContent
from domain.core.errors import FiscalRetention, NotArchived, PreviewOutdated, RuleViolation, not_found, pluralize
from domain.core.idempotency import redact_errors
from domain.core.locking import lock
from domain.core.scope import Permission, WriteScope
from domain.jobs.erasure import erase_exports


@dataclass(frozen=True)
class DeletionResult:
    """The id of the deleted client, and the numbers of objects that were deleted with it."""

    client_id: UUID
    projects: int
    registrations: int
    invoices: int
    payments: int
    quotes: int
    portals: int
    contacts: int


@dataclass(frozen=True)
class DeletionOptions:
    """The caller's preview token and confirmations."""

    token: str
    acknowledges_retention: bool = False
    deletes_orphans: bool = False


async def delete(scope: WriteScope, client_id: UUID, options: DeletionOptions) -> DeletionResult:
    """Delete the client with all its parts in this unit of work, and the exports that may contain it.

    Keep a record of its id, the time, the actor and the counts.
    """
    scope.require(Permission.CLIENTS_ARCHIVE)
    if options.deletes_orphans:
        scope.require(Permission.CLIENTS_WRITE)
    client = await lock(scope, Client, client_id)
    if client.archived_at is None:
        raise RuleViolation(NotArchived(["id"], "Only an archived client can be deleted. Archive it first with `clientArchive`."))
    (orphans,) = await shown_rows.orphans(scope, [client_id])
    await rows.lock(scope, client_id, orphans if options.deletes_orphans else ())
    (content,) = await previews.load_contents(scope, [client_id])
    if content is None:
        raise RuleViolation(not_found("client", ["id"]))
    _require_current_preview(scope, content, options)
    orphan_ids = content.orphans if options.deletes_orphans else ()
    scope.session.expunge(client)
    counts = await rows.delete_client(scope, client_id, orphan_ids)
    await redact_errors(scope)
    await erase_exports(scope, client.created_at)
    result = DeletionResult(
        client_id=client_id,
        contacts=counts["contacts left alone"],
        **{name: counts[name] for name in ("projects", "registrations", "invoices", "payments", "quotes", "portals")},
    )
    _add_record(scope, result)
    for kind, key in [("Client", client_id), *(("Contact", key) for key in orphan_ids)]:
        scope.session.add(OutboxEvent(tenant_id=scope.tenant, action=AuditAction.REMOVED, object_type=kind, object_id=key))
    return result


def _require_current_preview(scope: WriteScope, content: PreviewContent, options: DeletionOptions) -> None:
    if not previews.is_current_token(scope, content, options.token):
        reason = "The preview token has expired or the client has changed. Use the token of the new `preview`."
        raise RuleViolation(PreviewOutdated(["previewToken"], reason, content.counts.id))
    invoice_count = content.counts.issued_invoices
    if invoice_count and not options.acknowledges_retention:
        reason = (
            f"This client has {pluralize(invoice_count, 'issued invoice')}. Issued invoices must be kept by law (in the Netherlands for "
            "seven years): save them first. Pass `acknowledgeFiscalRetention: true` to delete anyway."
        )
        raise RuleViolation(FiscalRetention(["acknowledgeFiscalRetention"], reason, invoice_count))


def _add_record(scope: WriteScope, result: DeletionResult) -> None:
    """Add the deletion record, which has counts but no data of the client."""
    counts = {name: value for name, value in vars(result).items() if name != "client_id"}
    record = DeletionRecord(tenant_id=scope.tenant, id=result.client_id, channel=scope.actor.channel, counts=counts)
    record.member_id, record.token_id = scope.actor.member_id, scope.actor.token_id
    scope.session.add(record)
