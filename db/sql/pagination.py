"""Keyset pagination: sort keys, page slices, and the statements that read a page after a cursor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, Uuid, func, literal_column, select, true, tuple_
from sqlalchemy.types import TypeEngine

from db.engine.protocols import Transaction
from db.engine.statement import Query, R
from db.rows import CountByIdRow
from db.sql.expressions import TENANT, col, parameter, requested_ids
from db.sql.grouping import group_by_key
from db.tables.base import Entity, Table, table_of

CursorPosition: TypeAlias = tuple[str | int | date | datetime | UUID, UUID]
"""The value sorted by, and the id that breaks ties."""
S = TypeVar("S", bound=Select[*tuple[Any, ...]])
MAX_PAGE_ROWS = 1_000  # rows of a page: far more than a request may have
COUNT, MAX_ROWS = parameter("count", Integer()), literal_column(str(MAX_PAGE_ROWS + 1), Integer())


@dataclass(frozen=True)
class SortKey:
    """What rows are sorted by: an expression, its type, the id, and the name of the value in the row."""

    key: ColumnElement[Any]
    kind: TypeEngine[Any]
    id: ColumnElement[UUID]
    name: str


@dataclass(frozen=True)
class PageSlice:
    """The page to read: direction, cursor and size. One row more is fetched, to show whether there is a next page."""

    is_ascending: bool
    after: CursorPosition | None
    size: int

    def __post_init__(self) -> None:
        if self.size > MAX_PAGE_ROWS:
            raise ValueError(f"a page of {self.size} rows; {MAX_PAGE_ROWS} at most")

    async def fetch(self, tx: Transaction, build_query: Callable[..., Query[R]], **values: object) -> list[R]:
        """The rows of one page."""
        after_key, after_id = self.after or (None, None)
        query = build_query(is_ascending=self.is_ascending, is_next=self.after is not None)
        return await tx.fetch(query, **values, after_key=after_key, after_id=after_id, count=self.size + 1)

    async def fetch_per_parent(
        self, tx: Transaction, build_query: Callable[..., Query[R]], ids: Sequence[UUID], parent: str
    ) -> list[list[R]]:
        """The rows of each parent."""
        return group_by_key(await self.fetch(tx, build_query, ids=ids), ids, parent)


def after_cursor(key: ColumnElement[Any], kind: TypeEngine[Any], id_: ColumnElement[UUID], *, is_ascending: bool) -> ColumnElement[bool]:
    """Match the rows after the cursor `after_key`, `after_id`: one row comparison, which an index on both columns serves."""
    current, cursor = tuple_(key, id_), tuple_(parameter("after_key", kind), parameter("after_id", Uuid()))
    return current > cursor if is_ascending else current < cursor


def apply_order(statement: S, key: ColumnElement[Any], id_: ColumnElement[UUID], *, is_ascending: bool) -> S:
    return statement.order_by(key, id_) if is_ascending else statement.order_by(key.desc(), id_.desc())


@dataclass(frozen=True)
class Listing(Generic[R]):
    """Rows that are read by page: the statement of all of them, their class, and their sort key."""

    rows: Select[*tuple[Any, ...]]
    row: type[R]
    sort_key: SortKey

    def page(self, conditions: Sequence[ColumnElement[bool]], *, is_ascending: bool, is_next: bool, is_indexed: bool = False) -> Query[R]:
        """Return the query of a page of the rows that fulfil `conditions`: first its keys, off an index that covers them, then its rows.

        With `is_indexed` an index in this order has exactly these rows: then they are read directly.
        """
        sort_key = self.sort_key
        if is_indexed:
            return self._indexed_page(conditions, is_ascending=is_ascending, is_next=is_next)
        keys: Select[*tuple[Any, ...]] = select(sort_key.id.label("id"), sort_key.key.label("key")).where(*conditions)
        if is_next:
            keys = keys.where(after_cursor(sort_key.key, sort_key.kind, sort_key.id, is_ascending=is_ascending))
        page = apply_order(keys, sort_key.key, sort_key.id, is_ascending=is_ascending).limit(COUNT).subquery("page")
        rows = apply_order(self.rows.join(page, page.c.id == sort_key.id), page.c.key, page.c.id, is_ascending=is_ascending)
        return Query(rows, self.row).always_select("id", sort_key.name)

    def _indexed_page(self, conditions: Sequence[ColumnElement[bool]], *, is_ascending: bool, is_next: bool) -> Query[R]:
        sort_key, tenant_condition = self.sort_key, self.rows.whereclause  # the tenant's, which is in `conditions` too
        rows = self.rows.where(*(each for each in conditions if tenant_condition is None or not each.compare(tenant_condition)))
        if is_next:
            rows = rows.where(after_cursor(sort_key.key, sort_key.kind, sort_key.id, is_ascending=is_ascending))
        page = apply_order(rows, sort_key.key, sort_key.id, is_ascending=is_ascending).limit(MAX_ROWS).subquery("page")
        # PostgreSQL takes a bound that it does not know for a tenth of all rows. With many rows a plan for the bound at hand looks so much
        # cheaper that it plans the statement at each execution, which takes longer than that. Hidden, the bound is the same to both plans.
        return Query(select(*page.c).limit(select(COUNT.label("count")).scalar_subquery()), self.row).always_select("id", sort_key.name)


def in_order_of_ids(table: type[Entity]) -> SortKey:
    """Return the place of the rows of a table in the order of their ids, which is that of their creation."""
    return SortKey(col(table.id), Uuid(), col(table.id), "id")


def page_per_parent(
    statement: Select[*tuple[Any, ...]], row: type[R], sort_key: SortKey, *, is_ascending: bool, is_next: bool = False
) -> Query[R]:
    """Build the query of a page of rows for each requested parent: one statement that reads no more than those pages."""
    if is_next:
        statement = statement.where(after_cursor(sort_key.key, sort_key.kind, sort_key.id, is_ascending=is_ascending))
    page = apply_order(statement, sort_key.key, sort_key.id, is_ascending=is_ascending).limit(COUNT).lateral("page")
    rows = select(*(page.c[name] for name in row.__columns__)).select_from(requested_ids).join(page, true())
    return Query(apply_order(rows.order_by(requested_ids.c.id), page.c[sort_key.name], page.c.id, is_ascending=is_ascending), row)


def count_per_parent(table: type[Table], parent: str, *conditions: ColumnElement[bool]) -> Query[CountByIdRow]:
    """How many rows of a table each parent has; of those that fulfil `conditions`."""
    parent_conditions = col(table.tenant_id) == TENANT, col(getattr(table, parent)) == requested_ids.c.id
    count = select(func.count()).select_from(table_of(table)).where(*parent_conditions, *conditions).scalar_subquery()
    return Query(select(requested_ids.c.id, count.label("count")), CountByIdRow)


async def fetch_counts(tx: Transaction, query: Query[CountByIdRow], ids: Sequence[UUID], **values: object) -> list[int]:
    counts = {row.id: row.count for row in await tx.fetch(query, ids=ids, **values)}
    return [counts[key] for key in ids]
