"""How the viewer is answered."""

from uuid import UUID

from db.rows import MemberRow, OrganizationRow
from domain.scope import Actor
from resolvers.context import Info
from resolvers.loaders import Loader, Loaders


def viewer(info: Info) -> Actor:
    return info.context.actor


def organization(loaders: Loaders) -> Loader[UUID, OrganizationRow | None]:
    return loaders.organizations


def member(loaders: Loaders) -> Loader[UUID, MemberRow | None]:
    return loaders.members
