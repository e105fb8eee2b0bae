"""Queries of API tokens."""

from sqlalchemy import LargeBinary, func, select

from db.engine.database import Database
from db.engine.protocols import Transaction
from db.engine.statement import Query, compile_statement
from db.rows import ActorRow, TokenRow
from db.sql.expressions import TENANT, col, columns, id_in, parameter, reference
from db.sql.fetchers import CountFetcher, PageFetcher, RowFetcher
from db.sql.pagination import count_per_parent
from db.tables import ApiToken, Member
from db.tables.base import table_of

actor_columns = func.relaties.token_actor(parameter("hash", LargeBinary())).table_valued(*ActorRow.__columns__, name="found")
ACTOR, _ = compile_statement(select(*(actor_columns.c[name] for name in ActorRow.__columns__)).select_from(actor_columns))
ALL = (
    select(*columns(TokenRow, ApiToken, member_name=col(Member.name)))
    .select_from(table_of(ApiToken))
    .outerjoin(*reference(Member, col(ApiToken.member_id)))
    .where(col(ApiToken.tenant_id) == TENANT)
)
ALL_TOKENS = Query(ALL.order_by(col(ApiToken.created_at), col(ApiToken.id)), TokenRow)
BY_ID = Query(ALL.where(id_in(col(ApiToken.id))), TokenRow)
OF_ORGANIZATION = count_per_parent(ApiToken, "tenant_id")

page = PageFetcher.by_creation(ALL, TokenRow, ApiToken)
"""Tokens in the order of their creation."""
counts, by_id = CountFetcher(OF_ORGANIZATION), RowFetcher(BY_ID)


async def actor(database: Database, token_hash: bytes) -> ActorRow | None:
    """Return the actor of a token. None if the token is unknown, expired or revoked, or if its member is not active."""
    return next(iter(await database.fetch_across_tenants(ACTOR, ActorRow, token_hash)), None)


async def list_tokens(tx: Transaction) -> list[TokenRow]:
    return await tx.fetch(ALL_TOKENS)
