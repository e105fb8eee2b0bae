"""API tokens: random, shown once, stored as their SHA-256. A token never has more than its member; a scope narrows it."""

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

from db import entities
from db import tokens as rows
from db.engine import Database
from db.moments import now
from db.rows import ActorRow, TokenRow
from db.tables import ApiToken, Member, Role, TokenFields
from domain.changes import held, known
from domain.checks import checked
from domain.errors import InvalidInput, Refused
from domain.pages import Order, PagesOfOrganization
from domain.scope import RIGHTS, Actor, Permission, WriteScope, hide_without, require

SHAPE = re.compile(r"rlt_[A-Za-z0-9_-]{43}")
NEWEST: Order[TokenRow] = Order("organization.tokens.newest", attrgetter("id", "id"), is_ascending=False)
of_organization = hide_without(Permission.ORGANIZATION_WRITE, PagesOfOrganization(NEWEST, rows.page))
"""The tokens, the newest first, for callers who manage them."""
counts = require(Permission.ORGANIZATION_WRITE, rows.counts)
by_id = hide_without(Permission.ORGANIZATION_WRITE, rows.by_id)
every = rows.list_tokens


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
    """A token to be made, of a member or, with a role, of a machine; and the only rights that it is to have."""

    values: Mapping[str, object]
    member_id: UUID | None = None
    scope: Sequence[Permission] | None = None


@dataclass(frozen=True)
class MadeToken:
    """A token and its secret, which cannot be had again: it is not kept with the outcome, so a request that is sent again comes without."""

    id: UUID
    secret: Annotated[str, Field(exclude=True)] = ""


async def create(scope: WriteScope, wanted: NewToken) -> MadeToken:
    """A token with no more rights than who makes it. It keeps its member's role of today, so that its rights never grow.

    It is for a machine, for the caller, or for a member whose role is at most the caller's: the caller can revoke every token that they
    can create.
    """
    scope.must(Permission.ORGANIZATION_WRITE)
    fields = checked(TokenFields, wanted.values)
    if fields.expires_at and fields.expires_at <= now():
        raise Refused(InvalidInput(["expiresAt"], "A token expires in the future, at 2030-01-31 for instance."))
    role = fields.role if wanted.member_id is None else await _role(scope, wanted.member_id, fields.role)
    if role is None:
        raise Refused(InvalidInput(["role"], "A token without a member needs a role."))
    scope.must_manage(role)
    scope.must_have(RIGHTS[role] if wanted.scope is None else RIGHTS[role].intersection(wanted.scope))
    secret = new_secret()
    token = ApiToken(
        tenant_id=scope.tenant,
        member_id=wanted.member_id,
        **{**fields.model_dump(), "role": role},
        scope=None if wanted.scope is None else [*dict.fromkeys(wanted.scope)],
        token_hash=hash_of(secret),
        created_at=now(),
        created_by=scope.actor.member_id,
    )
    scope.session.add(token)
    return MadeToken(token.id, secret)


async def _role(scope: WriteScope, member_id: UUID, wanted: Role | None) -> Role:
    """The role of a token of a member, who is not removed meanwhile: at most the member's own."""
    member = (await known(scope, Member, {member_id: ["memberId"]}))[member_id]
    if not member.is_active:
        raise Refused(InvalidInput(["memberId"], f"{member.name} is no member any more, so a token of theirs would sign nobody in."))
    if member.id != scope.actor.member_id:
        scope.must_manage(member.role)
    if wanted and not RIGHTS[wanted] <= RIGHTS[Role(member.role)]:
        raise Refused(InvalidInput(["role"], f"{member.name} is {member.role}, so a token of theirs cannot be {wanted}."))
    return wanted or Role(member.role)


async def revoke(scope: WriteScope, token_id: UUID) -> UUID:
    """From now on it signs nobody in; a server notices within seconds. Revoking again changes nothing."""
    scope.must(Permission.ORGANIZATION_WRITE)
    token = await held(scope, ApiToken, token_id)
    role: str | None = token.role
    for member in await entities.find(scope, Member, id=token.member_id):
        role = role or member.role
        if member.id != scope.actor.member_id:
            scope.must_manage(member.role)
    scope.must_manage(role)
    token.revoked_at = token.revoked_at or now()
    return token.id
