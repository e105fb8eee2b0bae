"""How portals are answered."""

from uuid import UUID

from db.rows import PortalContactRow, PortalProjectRow, PortalRow
from resolvers.batches import Loader
from resolvers.loaders import Loaders


def of_client(loaders: Loaders) -> Loader[UUID, list[PortalRow]]:
    return loaders.portals_of_client


def projects(loaders: Loaders) -> Loader[UUID, list[PortalProjectRow]]:
    return loaders.projects_of_portal


def contacts(loaders: Loaders) -> Loader[UUID, list[PortalContactRow]]:
    return loaders.contacts_of_portal
