"""Queries of tokens."""

from uuid import UUID

from sqlalchemy import LargeBinary, and_, func, select
from sqlmodel import col
from sqlmodel import select as entities

from db.engine import Database, Tx, Work
from db.query import TENANT, Query, columns, compiled, parameter
from db.rows import ActorRow, TokenRow
from db.tables import ApiToken, Member

found = func.relaties.token_actor(parameter("hash", LargeBinary())).table_valued(*ActorRow.__columns__, name="found")
ACTOR, _ = compiled(select(*(found.c[name] for name in ActorRow.__columns__)).select_from(found))
ALL = Query(
    select(*columns(TokenRow, ApiToken, member_name=col(Member.name)))
    .select_from(ApiToken)
    .outerjoin(Member, and_(col(Member.tenant_id) == TENANT, col(Member.id) == col(ApiToken.member_id)))
    .where(col(ApiToken.tenant_id) == TENANT)
    .order_by(col(ApiToken.created_at), col(ApiToken.id)),
    TokenRow,
)


async def actor(database: Database, token_hash: bytes) -> ActorRow | None:
    """Whom a token stands for; None when it is unknown, expired or revoked, or its member is not active."""
    return next(iter(await database.fetch_across_tenants(ACTOR, ActorRow, token_hash)), None)


async def of_organization(tx: Tx) -> list[TokenRow]:
    return await tx.fetch(ALL)


async def locked(work: Work, token_id: UUID) -> ApiToken | None:
    """The token, held until the unit of work ends."""
    mine = entities(ApiToken).where(col(ApiToken.tenant_id) == work.tenant, col(ApiToken.id) == token_id)
    return (await work.session.exec(mine.with_for_update())).one_or_none()
