"""API tokens: random, shown once, stored as their SHA-256. A token never has more than its member; a scope narrows it."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from db import organizations
from db import tokens as rows
from db.engine import Database
from db.rows import ActorRow
from db.tables import ApiToken, Role
from db.tokens import of_organization
from domain.errors import InvalidInput, NotFound, Refused
from domain.scope import RIGHTS, Actor, Permission, WriteScope

__all__ = ["SHAPE", "NewToken", "actor_of", "create", "hash_of", "new_secret", "of_organization", "revoke"]

SHAPE = re.compile(r"rlt_[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """256 random bits, with a beginning by which a leaked one is recognised."""
    return f"rlt_{secrets.token_urlsafe(32)}"


def hash_of(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


async def actor_of(database: Database, secret: str) -> tuple[Actor, datetime | None] | None:
    """Whom a token stands for, and until when; None when it stands for nobody (any more)."""
    if not SHAPE.fullmatch(secret):
        return None
    found = await rows.actor(database, hash_of(secret))
    return (Actor(found.tenant_id, _rights(found), found.member_id, found.token_id), found.expires_at) if found else None


def _rights(found: ActorRow) -> frozenset[Permission]:
    """What the member may, and the token, and its scope: whichever is least."""
    roles = [RIGHTS[Role(role)] for role in (found.member_role, found.token_role) if role]
    scope = frozenset(Permission) if found.scope is None else frozenset(Permission(right) for right in found.scope)
    return scope.intersection(*roles)


@dataclass(frozen=True)
class NewToken:
    """A token to be made: of a member, or of a machine with a role."""

    name: str
    role: Role | None = None
    member_email: str | None = None
    scope: Sequence[Permission] | None = None
    expires_at: datetime | None = None


async def create(scope: WriteScope, wanted: NewToken) -> str:
    """The secret, which cannot be had again."""
    scope.must(Permission.ORGANIZATION_WRITE)
    if wanted.expires_at and wanted.expires_at <= datetime.now(UTC):
        raise Refused(InvalidInput(["expires"], "A token expires in the future, at 2030-01-31 for instance."))
    secret = new_secret()
    token = ApiToken(
        tenant_id=scope.tenant,
        member_id=await _member(scope, wanted),
        name=wanted.name,
        role=wanted.role,
        scope=None if wanted.scope is None else list(wanted.scope),
        token_hash=hash_of(secret),
        created_at=datetime.now(UTC),
        expires_at=wanted.expires_at,
    )
    scope.session.add(token)
    return secret


async def _member(scope: WriteScope, wanted: NewToken) -> UUID | None:
    if wanted.member_email is None:
        if wanted.role is None:
            raise Refused(InvalidInput(["role"], "A token without a member needs a role."))
        return None
    member = await organizations.member_by_email(scope, wanted.member_email)
    if member is None:
        raise Refused(NotFound(["member"], f"No member has the address {wanted.member_email}."))
    if wanted.role and not RIGHTS[wanted.role] <= RIGHTS[Role(member.role)]:
        raise Refused(InvalidInput(["role"], f"{member.name} is {member.role}, so a token of theirs cannot be {wanted.role}."))
    return member.id


async def revoke(scope: WriteScope, token_id: UUID) -> None:
    """From now on it signs nobody in; a server notices within seconds. Revoking again changes nothing."""
    scope.must(Permission.ORGANIZATION_WRITE)
    token = await rows.locked(scope, token_id)
    if token is None:
        raise Refused(NotFound(["id"], "There is no such token."))
    token.revoked_at = token.revoked_at or datetime.now(UTC)
    scope.session.add(token)
