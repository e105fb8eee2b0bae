"""Places in an order of rows, and the statements that read on from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, Uuid, func, literal_column, select, true, tuple_
from sqlalchemy.types import TypeEngine

from db.engine import Tx
from db.query import TENANT, Query, R, asked, col, grouped, parameter, table_of
from db.rows import CountOfRow
from db.tables.base import Row, Table

Key: TypeAlias = tuple[str | int | date | datetime | UUID, UUID]
"""The value sorted by, and the id that breaks ties."""
S = TypeVar("S", bound=Select[*tuple[Any, ...]])
LARGEST = 1_000  # rows of a page: far more than anybody may ask for
COUNT, MOST = parameter("count", Integer()), literal_column(str(LARGEST + 1), Integer())


@dataclass(frozen=True)
class Place:
    """What rows are in order by: a value, its type and the id; and the value's name in the row."""

    key: ColumnElement[Any]
    kind: TypeEngine[Any]
    id: ColumnElement[UUID]
    name: str


@dataclass(frozen=True)
class Slice:
    """The part of an order to read: which way, from where on, and how many; one more shows that there are more."""

    is_ascending: bool
    after: Key | None
    size: int

    def __post_init__(self) -> None:
        if self.size > LARGEST:
            raise ValueError(f"a page of {self.size} rows; {LARGEST} at most")

    async def fetch(self, tx: Tx, made: Callable[..., Query[R]], **values: object) -> list[R]:
        """The rows of one page."""
        after_key, after_id = self.after or (None, None)
        query = made(is_ascending=self.is_ascending, is_next=self.after is not None)
        return await tx.fetch(query, **values, after_key=after_key, after_id=after_id, count=self.size + 1)

    async def of_each(self, tx: Tx, made: Callable[..., Query[R]], ids: Sequence[UUID], parent: str) -> list[list[R]]:
        """The rows of each parent."""
        return grouped(await self.fetch(tx, made, ids=ids), ids, parent)


def beyond(key: ColumnElement[Any], kind: TypeEngine[Any], id_: ColumnElement[UUID], *, is_ascending: bool) -> ColumnElement[bool]:
    """What comes after the place `after_key`, `after_id`: one comparison of both, which an index on both answers."""
    here, after = tuple_(key, id_), tuple_(parameter("after_key", kind), parameter("after_id", Uuid()))
    return here > after if is_ascending else here < after


def ordered(statement: S, key: ColumnElement[Any], id_: ColumnElement[UUID], *, is_ascending: bool) -> S:
    return statement.order_by(key, id_) if is_ascending else statement.order_by(key.desc(), id_.desc())


@dataclass(frozen=True)
class Listing(Generic[R]):
    """Rows that are read by page: the statement of all of them, their class, and what they are in order by."""

    rows: Select[*tuple[Any, ...]]
    row: type[R]
    place: Place

    def page(self, found: Sequence[ColumnElement[bool]], *, is_ascending: bool, is_next: bool, is_indexed: bool = False) -> Query[R]:
        """A page of the rows that fulfil `found`. Its keys are read off an index that holds all that is asked of it; only then the rows.

        With `is_indexed` an index in this order has the rows that fulfil it and no others: then they are read as they come.
        """
        at = self.place
        if is_indexed:
            return self._indexed_page(found, is_ascending=is_ascending, is_next=is_next)
        keys: Select[*tuple[Any, ...]] = select(at.id.label("id"), at.key.label("key")).where(*found)
        if is_next:
            keys = keys.where(beyond(at.key, at.kind, at.id, is_ascending=is_ascending))
        page = ordered(keys, at.key, at.id, is_ascending=is_ascending).limit(COUNT).subquery("page")
        rows = ordered(self.rows.join(page, page.c.id == at.id), page.c.key, page.c.id, is_ascending=is_ascending)
        return Query(rows, self.row).keeping("id", at.name)

    def _indexed_page(self, found: Sequence[ColumnElement[bool]], *, is_ascending: bool, is_next: bool) -> Query[R]:
        at, own = self.place, self.rows.whereclause  # the tenant's, which is in `found` too
        rows = self.rows.where(*(each for each in found if own is None or not each.compare(own)))
        if is_next:
            rows = rows.where(beyond(at.key, at.kind, at.id, is_ascending=is_ascending))
        page = ordered(rows, at.key, at.id, is_ascending=is_ascending).limit(MOST).subquery("page")
        # PostgreSQL takes a bound that it does not know for a tenth of all rows. With many rows a plan for the bound at hand looks so much
        # cheaper that it plans the statement at each execution, which takes longer than that. Hidden, the bound is the same to both plans.
        return Query(select(*page.c).limit(select(COUNT.label("count")).scalar_subquery()), self.row).keeping("id", at.name)


def in_order_of_ids(table: type[Row]) -> Place:
    """Return the place of the rows of a table in the order of their ids, which is that of their creation."""
    return Place(col(table.id), Uuid(), col(table.id), "id")


def per_parent(each: Select[*tuple[Any, ...]], row: type[R], place: Place, *, is_ascending: bool, is_next: bool = False) -> Query[R]:
    """A page of rows for each parent asked for, in one statement that reads no more than that of any."""
    if is_next:
        each = each.where(beyond(place.key, place.kind, place.id, is_ascending=is_ascending))
    page = ordered(each, place.key, place.id, is_ascending=is_ascending).limit(COUNT).lateral("page")
    rows = select(*(page.c[name] for name in row.__columns__)).select_from(asked).join(page, true())
    return Query(ordered(rows.order_by(asked.c.id), page.c[place.name], page.c.id, is_ascending=is_ascending), row)


def counted(table: type[Table], parent: str, *found: ColumnElement[bool]) -> Query[CountOfRow]:
    """How many rows of a table each parent has; of those that fulfil `found`."""
    mine = col(table.tenant_id) == TENANT, col(getattr(table, parent)) == asked.c.id
    count = select(func.count()).select_from(table_of(table)).where(*mine, *found).scalar_subquery()
    return Query(select(asked.c.id, count.label("count")), CountOfRow)


async def counts_of(tx: Tx, query: Query[CountOfRow], ids: Sequence[UUID], **values: object) -> list[int]:
    found = {row.id: row.count for row in await tx.fetch(query, ids=ids, **values)}
    return [found[key] for key in ids]
