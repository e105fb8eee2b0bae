"""Rules of labels. Whoever sees a client sees its labels, so that query needs no rule."""

from collections.abc import Sequence
from uuid import UUID

from db import labels as rows
from db.labels import of_clients
from db.rows import LabelRow
from domain.scope import Permission, Scope

__all__ = ["by_id", "of_clients"]


async def by_id(scope: Scope, ids: Sequence[UUID]) -> list[LabelRow | None]:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_id(scope, ids)
