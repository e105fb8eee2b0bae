"""Queries of clients."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, Text, Uuid, and_, select, tuple_
from sqlmodel import col

from db.engine import Tx
from db.paging import Key
from db.query import TENANT, Query, among, by_key, columns, parameter, word
from db.rows import ClientRow
from db.tables import AddressFields, AddressType, Client, ClientAddress

PRIMARY = and_(
    col(ClientAddress.tenant_id) == TENANT,
    col(ClientAddress.client_id) == col(Client.id),
    col(ClientAddress.type) == word(AddressType.PRIMARY),
)
ADDRESS = {name: col(getattr(ClientAddress, name)) for name in AddressFields.model_fields}
PLACE = tuple_(col(Client.name_key), col(Client.id))
AFTER = tuple_(parameter("after_key", Text()), parameter("after_id", Uuid()))


def _clients() -> Select[Any]:
    shown = columns(ClientRow, Client, has_address=col(ClientAddress.client_id).is_not(None), **ADDRESS)
    return select(*shown).select_from(Client).outerjoin(ClientAddress, PRIMARY).where(col(Client.tenant_id) == TENANT)


BY_ID = Query(_clients().where(among(col(Client.id))), ClientRow)


@cache
def _page(*, is_next: bool) -> Query[ClientRow]:
    """One text per shape: whether the page follows another."""
    found = _clients().where(PLACE > AFTER) if is_next else _clients()
    ordered = found.order_by(col(Client.name_key), col(Client.id)).limit(parameter("count", Integer()))
    return Query(ordered, ClientRow)


async def page(tx: Tx, *, after: Key | None, size: int) -> list[ClientRow]:
    """Clients by name; one more than `size` when there is a next page."""
    after_key, after_id = after or (None, None)
    return await tx.fetch(_page(is_next=after is not None), after_key=after_key, after_id=after_id, count=size + 1)


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[ClientRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
