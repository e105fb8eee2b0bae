"""Check what the requester of a job may do now: a job has at most the permissions that its requester still has."""

from uuid import UUID

from db.engine.protocols import Transaction
from db.queries import jobs as rows
from db.rows import RequesterRow
from db.tables.timestamps import now
from domain.core.scope import ALL_PERMISSIONS, Permission
from domain.organization.tokens import effective_permissions


async def find_permissions(tx: Transaction, job_id: UUID) -> frozenset[Permission]:
    """Return the current permissions of the requester of a job. They are empty once the member is removed or the token revoked."""
    requester = await rows.find_requester(tx, job_id)
    return frozenset() if requester is None or _is_gone(requester) else _permissions(requester)


def _is_gone(requester: RequesterRow) -> bool:
    is_removed = requester.member_id is not None and not requester.member_is_active
    is_expired = requester.expires_at is not None and requester.expires_at <= now()
    return is_removed or is_expired or requester.revoked_at is not None


def _permissions(requester: RequesterRow) -> frozenset[Permission]:
    """Return all permissions for a job that the operator started at the command line, without a token."""
    is_operator = requester.member_id is None and requester.token_id is None
    return ALL_PERMISSIONS if is_operator else effective_permissions(requester)
