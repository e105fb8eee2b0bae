"""Queries of members."""

from functools import cache, partial
from uuid import UUID

from sqlalchemy import Text, and_, func, or_, select
from sqlmodel import select as entities

from db.engine import Tx, Work
from db.fetching import ByKey, Counts, Pages
from db.paging import Listing, counted, in_order_of_ids
from db.query import TENANT, Query, among, col, columns, parameter
from db.rows import MemberRow
from db.tables import Member, Role

MINE = col(Member.tenant_id) == TENANT
ALL = select(*columns(MemberRow, Member)).where(MINE)
BY_ID = Query(ALL.where(among(col(Member.id))), MemberRow)
BY_EMAIL = Query(ALL.where(func.lower(col(Member.email)) == func.lower(parameter("email", Text()))), MemberRow)
IN_ORDER = Listing(ALL, MemberRow, in_order_of_ids(Member))
OF_ORGANIZATION = counted(Member, "tenant_id")
_page = cache(partial(IN_ORDER.page, [MINE]))

page = Pages(_page)
"""Members in the order of their creation."""
counts, by_id = Counts(OF_ORGANIZATION), ByKey(BY_ID)


async def by_email(tx: Tx, email: str) -> MemberRow | None:
    return next(iter(await tx.fetch(BY_EMAIL, email=email)), None)


async def held_with_owners(work: Work, member_id: UUID) -> dict[UUID, Member]:
    """A member and all owners who can sign in, held in the order of their ids: two who leave at once wait for each other, and see it."""
    is_owner = and_(col(Member.role) == Role.OWNER, col(Member.is_active))
    wanted = entities(Member).where(col(Member.tenant_id) == work.tenant, or_(col(Member.id) == member_id, is_owner))
    return {row.id: row for row in await work.session.exec(wanted.order_by(col(Member.id)).with_for_update())}
