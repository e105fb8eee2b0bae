"""Queries of tokens."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, and_, func, select

from db.engine import Database, Tx
from db.paging import Listing, Place, Slice, counted, counts_of
from db.query import TENANT, Query, among, by_key, col, columns, compiled, parameter, table_of
from db.rows import ActorRow, TokenRow
from db.tables import ApiToken, Member

found = func.relaties.token_actor(parameter("hash", LargeBinary())).table_valued(*ActorRow.__columns__, name="found")
ACTOR, _ = compiled(select(*(found.c[name] for name in ActorRow.__columns__)).select_from(found))
MINE = col(ApiToken.tenant_id) == TENANT
ALL = (
    select(*columns(TokenRow, ApiToken, member_name=col(Member.name)))
    .select_from(table_of(ApiToken))
    .outerjoin(table_of(Member), and_(col(Member.tenant_id) == TENANT, col(Member.id) == col(ApiToken.member_id)))
    .where(MINE)
)
EVERY = Query(ALL.order_by(col(ApiToken.created_at), col(ApiToken.id)), TokenRow)
BY_ID = Query(ALL.where(among(col(ApiToken.id))), TokenRow)
NEWEST = Listing(ALL, TokenRow, Place(col(ApiToken.id), Uuid(), col(ApiToken.id), "id"))
OF_ORGANIZATION = counted(ApiToken, "tenant_id")


async def actor(database: Database, token_hash: bytes) -> ActorRow | None:
    """Whom a token stands for; None when it is unknown, expired or revoked, or its member is not active."""
    return next(iter(await database.fetch_across_tenants(ACTOR, ActorRow, token_hash)), None)


async def every(tx: Tx) -> list[TokenRow]:
    return await tx.fetch(EVERY)


@cache
def _page(*, is_ascending: bool, is_next: bool) -> Query[TokenRow]:
    return NEWEST.page([MINE], is_ascending=is_ascending, is_next=is_next)


async def page(tx: Tx, part: Slice) -> list[TokenRow]:
    """Tokens in the order of their making."""
    return await part.fetch(tx, _page)


async def counts(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_ORGANIZATION, ids)


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[TokenRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)
