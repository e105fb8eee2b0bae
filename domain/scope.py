"""Who asks, what they may, and the transaction in which they ask."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database, Transaction, UnitOfWork
from db.query import Query, R
from db.tables import Channel, Role
from db.tally import QueryStats
from db.traces import ChangeOrigin
from domain.cursors import Cursors
from domain.errors import Forbidden
from domain.seals import TimedSeal

P = ParamSpec("P")
V = TypeVar("V")


class Permission(StrEnum):
    """A right. Every rule asks for the one it needs."""

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


EVERYTHING = frozenset(Permission)
_ADMIN = EVERYTHING - {Permission.OWNERS_WRITE}
_FINANCE = _ADMIN - {Permission.CLIENTS_ARCHIVE, Permission.ORGANIZATION_WRITE}
_VIEWER = frozenset({Permission.CLIENTS_READ})
_MEMBER = _VIEWER | {Permission.CLIENTS_WRITE, Permission.REGISTRATIONS_WRITE}
RIGHTS = {Role.OWNER: EVERYTHING, Role.ADMIN: _ADMIN, Role.FINANCE: _FINANCE, Role.MEMBER: _MEMBER, Role.VIEWER: _VIEWER}


@dataclass(frozen=True)
class Actor:
    """Who asks: of one organization, and of no other."""

    tenant: UUID
    permissions: frozenset[Permission]
    member_id: UUID | None = None
    token_id: UUID | None = None
    channel: Channel = Channel.API

    @classmethod
    def operator(cls, tenant: UUID) -> Self:
        """Whoever runs the server, at its command line: needs no token, since the owner's address is one."""
        return cls(tenant, EVERYTHING, channel=Channel.COMMAND_LINE)


class Scope:
    """A transaction and who asks. It is itself a `Transaction`, so that a query without a rule needs no wrapper."""

    def __init__(self, actor: Actor, tx: Transaction, secrets: Sequence[bytes] = ()) -> None:
        self.actor = actor
        self.has_asked = False
        self._tx = tx
        self._secrets = secrets

    def seal(self, purpose: bytes, max_age: timedelta) -> TimedSeal:
        """Of what is given out for a purpose, and taken back within that time."""
        return TimedSeal(self._secrets, self.actor.tenant, purpose, max_age)

    def may(self, permission: Permission) -> bool:
        self.has_asked = True
        return permission in self.actor.permissions

    def must(self, permission: Permission) -> None:
        if not self.may(permission):
            raise Forbidden(f"This needs the right {permission}.")

    def must_have(self, rights: Iterable[Permission]) -> None:
        """All of them, since nobody gives another what they may not do themselves."""
        for right in sorted(rights):
            self.must(right)

    def name(self, name: str, otherwise: str) -> str:
        """Return a name from the database for a message, or words without content where the caller may not read names.

        Every message that names a client, a project, a contact or a label of the organization takes the name from here.
        """
        return name if Permission.CLIENTS_READ in self.actor.permissions else otherwise

    def must_manage(self, role: str | None) -> None:
        """What is of an owner is for owners alone."""
        if role == Role.OWNER:
            self.must(Permission.OWNERS_WRITE)

    async def fetch(self, query: Query[R], **values: object) -> list[R]:
        return await self._tx.fetch(query, **values)

    def is_requested(self, attribute: str) -> bool:
        return self._tx.is_requested(attribute)


class ReadScope(Scope):
    """A read transaction, who asks, and the cursors that they are given."""

    def __init__(self, actor: Actor, tx: Transaction, secrets: Sequence[bytes]) -> None:
        super().__init__(actor, tx, secrets)
        self.cursors = Cursors(secrets, actor.tenant)


def require(
    right: Permission, read: Callable[Concatenate[ReadScope, P], Awaitable[V]]
) -> Callable[Concatenate[ReadScope, P], Awaitable[V]]:
    """Return the read for callers with the right. For others it raises `Forbidden`."""

    async def read_with_right(scope: ReadScope, /, *arguments: P.args, **named: P.kwargs) -> V:
        scope.must(right)
        return await read(scope, *arguments, **named)

    read_with_right.__wrapped__ = read  # type: ignore[attr-defined]  # whose parameters and values these are
    return read_with_right


def hide_without(
    right: Permission, read: Callable[Concatenate[ReadScope, Sequence[UUID], P], Awaitable[Sequence[V]]]
) -> Callable[Concatenate[ReadScope, Sequence[UUID], P], Awaitable[Sequence[V | None]]]:
    """Return the read for callers with the right. Others get None for each key, and no error."""

    async def read_with_right(scope: ReadScope, ids: Sequence[UUID], /, *arguments: P.args, **named: P.kwargs) -> Sequence[V | None]:
        return await read(scope, ids, *arguments, **named) if scope.may(right) else [None] * len(ids)

    read_with_right.__wrapped__ = read  # type: ignore[attr-defined]  # whose parameters these are
    return read_with_right


class NoRightAskedError(Exception):
    """A rule changed something without asking for a right: a bug, so nothing is kept."""


class WriteScope(Scope):
    """A unit of work and who asks for it."""

    def __init__(self, actor: Actor, work: UnitOfWork, secrets: Sequence[bytes]) -> None:
        super().__init__(actor, work, secrets)
        self.tenant = actor.tenant
        self.session: AsyncSession = work.session
        self.savepoint = work.savepoint
        self.execute = work.execute


@dataclass(frozen=True)
class Means:
    """What an operation of the server works with: the count of its statements, and the secrets that seal what it gives out."""

    tally: QueryStats = field(default_factory=QueryStats)
    secrets: Sequence[bytes] = ()


@asynccontextmanager
async def writing(
    database: Database, actor: Actor, operation: str, means: Means | None = None, *, is_long: bool = False
) -> AsyncIterator[WriteScope]:
    """A unit of work of this name, kept at its end if a right was asked for."""
    who, means = ChangeOrigin(actor.member_id, actor.token_id, actor.channel, operation), means or Means()
    async with database.unit_of_work(actor.tenant, who, means.tally, is_long=is_long) as work:
        scope = WriteScope(actor, work, means.secrets)
        yield scope
        if work.has_changed and not scope.has_asked:
            raise NoRightAskedError(operation)
