"""Queries of members."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, func, or_, select
from sqlmodel import select as entities

from db.engine import Tx, Work
from db.paging import Listing, Place, Slice, counted, counts_of
from db.query import TENANT, Query, among, by_key, col, columns, parameter
from db.rows import MemberRow
from db.tables import Member, Role

MINE = col(Member.tenant_id) == TENANT
ALL = select(*columns(MemberRow, Member)).where(MINE)
BY_ID = Query(ALL.where(among(col(Member.id))), MemberRow)
BY_EMAIL = Query(ALL.where(func.lower(col(Member.email)) == func.lower(parameter("email", Text()))), MemberRow)
IN_ORDER = Listing(ALL, MemberRow, Place(col(Member.id), Uuid(), col(Member.id), "id"))
OF_ORGANIZATION = counted(Member, "tenant_id")


@cache
def _page(*, is_ascending: bool, is_next: bool) -> Query[MemberRow]:
    return IN_ORDER.page([MINE], is_ascending=is_ascending, is_next=is_next)


async def page(tx: Tx, part: Slice) -> list[MemberRow]:
    """Members in the order of their making."""
    return await part.fetch(tx, _page)


async def counts(tx: Tx, ids: Sequence[UUID]) -> list[int]:
    return await counts_of(tx, OF_ORGANIZATION, ids)


async def by_id(tx: Tx, ids: Sequence[UUID]) -> list[MemberRow | None]:
    return by_key(await tx.fetch(BY_ID, ids=ids), ids)


async def by_email(tx: Tx, email: str) -> MemberRow | None:
    return next(iter(await tx.fetch(BY_EMAIL, email=email)), None)


async def held_with_owners(work: Work, member_id: UUID) -> dict[UUID, Member]:
    """A member and all owners who can sign in, held in the order of their ids: two who leave at once wait for each other, and see it."""
    is_owner = and_(col(Member.role) == Role.OWNER, col(Member.is_active))
    wanted = entities(Member).where(col(Member.tenant_id) == work.tenant, or_(col(Member.id) == member_id, is_owner))
    return {row.id: row for row in await work.session.exec(wanted.order_by(col(Member.id)).with_for_update())}
