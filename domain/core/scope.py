"""Combine the caller, their permissions and the transaction of an operation."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from db.audit import ChangeOrigin
from db.engine.database import Database
from db.engine.protocols import Transaction, UnitOfWork
from db.engine.query_stats import QueryStats
from db.engine.statement import Query, R
from db.tables import Channel, Role
from domain.core.cursors import Cursors
from domain.core.errors import ForbiddenError
from domain.core.signing import TimedSigner

P = ParamSpec("P")
V = TypeVar("V")


class Permission(StrEnum):
    """A permission. Each rule requires the permission that it needs."""

    CLIENTS_READ = "CLIENTS_READ"
    CLIENTS_WRITE = "CLIENTS_WRITE"
    REGISTRATIONS_WRITE = "REGISTRATIONS_WRITE"
    FINANCE_READ = "FINANCE_READ"
    FINANCE_WRITE = "FINANCE_WRITE"
    CLIENTS_ARCHIVE = "CLIENTS_ARCHIVE"
    CLIENTS_IMPORT = "CLIENTS_IMPORT"
    CLIENTS_EXPORT = "CLIENTS_EXPORT"
    ORGANIZATION_WRITE = "ORGANIZATION_WRITE"
    OWNERS_WRITE = "OWNERS_WRITE"


ALL_PERMISSIONS = frozenset(Permission)
_ADMIN = ALL_PERMISSIONS - {Permission.OWNERS_WRITE}
_FINANCE = _ADMIN - {Permission.CLIENTS_ARCHIVE, Permission.ORGANIZATION_WRITE}
_VIEWER = frozenset({Permission.CLIENTS_READ})
_MEMBER = _VIEWER | {Permission.CLIENTS_WRITE, Permission.REGISTRATIONS_WRITE}
ROLE_PERMISSIONS = {Role.OWNER: ALL_PERMISSIONS, Role.ADMIN: _ADMIN, Role.FINANCE: _FINANCE, Role.MEMBER: _MEMBER, Role.VIEWER: _VIEWER}


@dataclass(frozen=True)
class Actor:
    """The caller, who belongs to exactly one organization."""

    tenant: UUID
    permissions: frozenset[Permission]
    member_id: UUID | None = None
    token_id: UUID | None = None
    channel: Channel = Channel.API

    @classmethod
    def operator(cls, tenant: UUID) -> Self:
        """Return the operator of the server at the command line. They need no token, since they have the owner's database URL."""
        return cls(tenant, ALL_PERMISSIONS, channel=Channel.COMMAND_LINE)


class Scope:
    """A transaction and its caller. It is itself a `Transaction`, so that a query without a rule needs no wrapper."""

    def __init__(self, actor: Actor, transaction: Transaction, secrets: Sequence[bytes] = ()) -> None:
        self.actor = actor
        self.permission_checked = False
        self._transaction = transaction
        self._secrets = secrets

    def signer(self, purpose: bytes, max_age: timedelta) -> TimedSigner:
        """Return a signer for texts of this purpose, valid for `max_age`."""
        return TimedSigner(self._secrets, self.actor.tenant, purpose, max_age)

    def allows(self, permission: Permission) -> bool:
        self.permission_checked = True
        return permission in self.actor.permissions

    def require(self, permission: Permission) -> None:
        if not self.allows(permission):
            raise ForbiddenError(f"This requires the permission {permission}. Ask an owner of your organization for it.")

    def require_any(self, permissions: Sequence[Permission]) -> None:
        """Require one of the permissions."""
        if not any(map(self.allows, permissions)):
            names = " or ".join(permissions)
            raise ForbiddenError(f"This requires the permission {names}. Ask an owner of your organization for it.")

    def require_all(self, permissions: Iterable[Permission]) -> None:
        """Require all permissions. A caller who grants permissions must have them, since nobody can grant one that they lack."""
        for permission in sorted(permissions):
            self.require(permission)

    def visible_name(self, name: str, fallback: str) -> str:
        """Return a name from the database for a message, or the fallback if the caller may not read names.

        Every message with the name of a client, project, contact or label must get the name here.
        """
        return name if Permission.CLIENTS_READ in self.actor.permissions else fallback

    def require_can_manage(self, role: str | None) -> None:
        """Require OWNERS_WRITE to change a member or token with the role OWNER."""
        if role == Role.OWNER:
            self.require(Permission.OWNERS_WRITE)

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        return await self._transaction.fetch(query, **values)

    def is_requested(self, attribute: str) -> bool:
        return self._transaction.is_requested(attribute)


class ReadScope(Scope):
    """A read transaction, its caller, and the cursors of their organization."""

    def __init__(self, actor: Actor, transaction: Transaction, secrets: Sequence[bytes]) -> None:
        super().__init__(actor, transaction, secrets)
        self.cursors = Cursors(secrets, actor.tenant)


def require(
    permission: Permission, read: Callable[Concatenate[ReadScope, P], Awaitable[V]]
) -> Callable[Concatenate[ReadScope, P], Awaitable[V]]:
    """Wrap `read` so that it raises `ForbiddenError` for callers without the permission."""

    async def read_with_permission(scope: ReadScope, /, *arguments: P.args, **named: P.kwargs) -> V:
        scope.require(permission)
        return await read(scope, *arguments, **named)

    read_with_permission.__wrapped__ = read  # type: ignore[attr-defined]  # so that its signature can be inspected
    return read_with_permission


def hide_without(
    permission: Permission, read: Callable[Concatenate[ReadScope, Sequence[UUID], P], Awaitable[Sequence[V]]]
) -> Callable[Concatenate[ReadScope, Sequence[UUID], P], Awaitable[Sequence[V | None]]]:
    """Wrap `read` so that callers without the permission get None for each key, and no error."""

    async def read_with_permission(scope: ReadScope, ids: Sequence[UUID], /, *arguments: P.args, **named: P.kwargs) -> Sequence[V | None]:
        return await read(scope, ids, *arguments, **named) if scope.allows(permission) else [None] * len(ids)

    read_with_permission.__wrapped__ = read  # type: ignore[attr-defined]  # so that its signature can be inspected
    return read_with_permission


class PermissionNotCheckedError(Exception):
    """A rule changed data without checking a permission. This is a bug, so the unit of work is rolled back."""


class WriteScope(Scope):
    """A unit of work and its caller."""

    def __init__(self, actor: Actor, work: UnitOfWork, secrets: Sequence[bytes]) -> None:
        super().__init__(actor, work, secrets)
        self.tenant = actor.tenant
        self.session: AsyncSession = work.session
        self.driver = work.driver
        self.savepoint = work.savepoint
        self.execute = work.execute


@dataclass(frozen=True)
class OperationResources:
    """The query statistics of an operation, and the secrets that sign the tokens it issues."""

    stats: QueryStats = field(default_factory=QueryStats)
    secrets: Sequence[bytes] = ()


@asynccontextmanager
async def open_write_scope(
    database: Database, actor: Actor, operation: str, resources: OperationResources | None = None, *, is_long: bool = False
) -> AsyncIterator[WriteScope]:
    """Open a unit of work for the operation. Roll back and raise `PermissionNotCheckedError` if no permission was checked."""
    origin, resources = ChangeOrigin(actor.member_id, actor.token_id, actor.channel, operation), resources or OperationResources()
    async with database.unit_of_work(actor.tenant, origin, resources.stats, is_long=is_long) as work:
        scope = WriteScope(actor, work, resources.secrets)
        yield scope
        if work.has_changed and not scope.permission_checked:
            raise PermissionNotCheckedError(operation)
