"""How labels are answered."""

from uuid import UUID

from db.rows import ClientLabelRow
from resolvers.loaders import Loader, Loaders


def of_client(loaders: Loaders) -> Loader[UUID, list[ClientLabelRow]]:
    return loaders.labels_of_client
