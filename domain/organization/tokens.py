"""Manage API tokens. They are random, shown once and stored as SHA-256.

A token has at most the permissions of its member. Its role and its scope can limit them further.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Annotated
from uuid import UUID

from pydantic import Field

from db.engine.database import Database
from db.queries import tokens as rows
from db.rows import ActorRow, RequesterRow, TokenRow
from db.sql import locking
from db.tables import ApiToken, Member, Role, TokenFields
from db.tables.timestamps import now
from domain.core.errors import InvalidInput, RuleViolation
from domain.core.locking import lock, lock_references
from domain.core.pagination import OrganizationPageReader, SortOrder
from domain.core.scope import ROLE_PERMISSIONS, Actor, Permission, WriteScope, hide_without, require
from domain.core.validation import validate

TOKEN_PATTERN = re.compile(r"rlt_[A-Za-z0-9_-]{43}")
NEWEST_FIRST: SortOrder[TokenRow] = SortOrder("organization.tokens.newest", attrgetter("id", "id"), is_ascending=False)
of_organization = hide_without(Permission.ORGANIZATION_WRITE, OrganizationPageReader(NEWEST_FIRST, rows.page))
"""Return the tokens, newest first, or None without ORGANIZATION_WRITE."""
counts = require(Permission.ORGANIZATION_WRITE, rows.counts)
by_id = hide_without(Permission.ORGANIZATION_WRITE, rows.by_id)
every = rows.list_tokens


def new_secret() -> str:
    """Generate a secret of 256 random bits. Its prefix lets scanners recognize a leaked secret."""
    return f"rlt_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


async def authenticate(database: Database, secret: str) -> tuple[Actor, datetime | None] | None:
    """Return the actor of a token and its time of expiry. Return None if the token is unknown, expired or revoked."""
    if not TOKEN_PATTERN.fullmatch(secret):
        return None
    actor_row = await rows.actor(database, hash_secret(secret))
    return (
        (Actor(actor_row.tenant_id, effective_permissions(actor_row), actor_row.member_id, actor_row.token_id), actor_row.expires_at)
        if actor_row
        else None
    )


def effective_permissions(actor_row: ActorRow | RequesterRow) -> frozenset[Permission]:
    """Return the permissions that the member's role, the token's role and the token's scope have in common."""
    roles = [ROLE_PERMISSIONS[Role(role)] for role in (actor_row.member_role, actor_row.token_role) if role]
    scope = frozenset(Permission) if actor_row.scope is None else frozenset(Permission(permission) for permission in actor_row.scope)
    return scope.intersection(*roles)


@dataclass(frozen=True)
class NewToken:
    """A token to create, of a member or of a machine. `scope` limits its permissions; None means no limit."""

    values: Mapping[str, object]
    member_id: UUID | None = None
    scope: Sequence[Permission] | None = None


@dataclass(frozen=True)
class CreatedToken:
    """A token and its secret. The stored outcome excludes the secret, so a repeated request returns an empty one."""

    id: UUID
    secret: Annotated[str, Field(exclude=True)] = ""


async def create(scope: WriteScope, new_token: NewToken) -> CreatedToken:
    """Create a token with at most the caller's permissions, for a machine, the caller or another member.

    The token stores the member's current role, so that its permissions never grow with the member's. Only callers with OWNERS_WRITE
    create tokens of owners, as only they can revoke them: callers can revoke every token that they can create.
    """
    scope.require(Permission.ORGANIZATION_WRITE)
    fields = validate(TokenFields, new_token.values)
    if fields.expires_at and fields.expires_at <= now():
        raise RuleViolation(InvalidInput(["expiresAt"], "`expiresAt` must be in the future, for example `2030-01-31T00:00:00Z`."))
    role = fields.role if new_token.member_id is None else await _token_role(scope, new_token.member_id, fields.role)
    if role is None:
        raise RuleViolation(InvalidInput(["role"], "A token without a member needs a role. Pass `role`."))
    scope.require_can_manage(role)
    scope.require_all(ROLE_PERMISSIONS[role] if new_token.scope is None else ROLE_PERMISSIONS[role].intersection(new_token.scope))
    secret = new_secret()
    token = ApiToken(
        tenant_id=scope.tenant,
        member_id=new_token.member_id,
        **{**fields.model_dump(), "role": role},
        scope=None if new_token.scope is None else [*dict.fromkeys(new_token.scope)],
        token_hash=hash_secret(secret),
        created_at=now(),
        created_by=scope.actor.member_id,
    )
    scope.session.add(token)
    return CreatedToken(token.id, secret)


async def _token_role(scope: WriteScope, member_id: UUID, requested_role: Role | None) -> Role:
    """Lock the member and return the role of their token, which is at most their own role."""
    member = (await lock_references(scope, Member, {member_id: ["memberId"]}))[member_id]
    if not member.is_active:
        raise RuleViolation(InvalidInput(["memberId"], f"{member.name} is not an active member. Choose an active member."))
    if member.id != scope.actor.member_id:
        scope.require_can_manage(member.role)
    if requested_role and not ROLE_PERMISSIONS[requested_role] <= ROLE_PERMISSIONS[Role(member.role)]:
        message = f"{member.name} is {member.role}, so their token cannot be {requested_role}. Choose a lower `role`."
        raise RuleViolation(InvalidInput(["role"], message))
    return requested_role or Role(member.role)


async def revoke(scope: WriteScope, token_id: UUID) -> UUID:
    """Revoke a token. Servers reject it within seconds. Revoking it again changes nothing."""
    scope.require(Permission.ORGANIZATION_WRITE)
    token = await lock(scope, ApiToken, token_id)
    role: str | None = token.role
    for member in await locking.find(scope, Member, id=token.member_id):
        role = role or member.role
        if member.id != scope.actor.member_id:
            scope.require_can_manage(member.role)
    scope.require_can_manage(role)
    token.revoked_at = token.revoked_at or now()
    return token.id
