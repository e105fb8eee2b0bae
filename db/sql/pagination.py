"""Keyset pagination: sort keys, page slices, and the statements that read a page after a cursor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, Text, Uuid, func, literal_column, select, true, tuple_
from sqlalchemy.types import TypeEngine

from db.engine.protocols import Transaction
from db.engine.statement import Query, R
from db.rows import CountByIdRow, CountRow
from db.sql.expressions import TENANT, col, parameter, requested_ids
from db.sql.grouping import group_by_key
from db.tables.base import Entity, Table, table_of

CursorPosition: TypeAlias = tuple[str | int | date | datetime | UUID, UUID]
"""The value of the sort key, and the id that breaks ties."""
S = TypeVar("S", bound=Select[*tuple[Any, ...]])
MAX_PAGE_ROWS = 1_000  # far more than a request can ask for
COUNT, MAX_ROWS = parameter("count", Integer()), literal_column(str(MAX_PAGE_ROWS + 1), Integer())


@dataclass(frozen=True)
class SortKey:
    """A sort key: its expression, the SQL type of that, the id that breaks ties, and the row's column that has the value."""

    key: ColumnElement[Any]
    kind: TypeEngine[Any]
    id: ColumnElement[UUID]
    name: str


@dataclass(frozen=True)
class PageSlice:
    """The page to read: direction, cursor and size. One more row is fetched, which shows whether there is a next page."""

    is_ascending: bool
    after: CursorPosition | None
    size: int

    def __post_init__(self) -> None:
        if self.size > MAX_PAGE_ROWS:
            raise ValueError(f"A page has at most {MAX_PAGE_ROWS} rows, not {self.size}.")

    async def fetch(self, tx: Transaction, build_query: Callable[..., Query[R]], **values: object) -> list[R]:
        """Return the rows of one page. `values` are the query's other parameters."""
        after_key, after_id = self.after or (None, None)
        query = build_query(is_ascending=self.is_ascending, is_next=self.after is not None)
        return await tx.fetch(query, **values, after_key=after_key, after_id=after_id, count=self.size + 1)

    async def fetch_per_parent(
        self, tx: Transaction, build_query: Callable[..., Query[R]], ids: Sequence[UUID], parent: str, **values: object
    ) -> list[list[R]]:
        """Return the rows of a page of each parent. `parent` is the row's column that holds the parent's id."""
        return group_by_key(await self.fetch(tx, build_query, ids=ids, **values), ids, parent)


def after_cursor(key: ColumnElement[Any], kind: TypeEngine[Any], id_: ColumnElement[UUID], *, is_ascending: bool) -> ColumnElement[bool]:
    """Return the condition that a row follows the cursor: one row comparison, which an index on both columns can answer."""
    current, cursor = tuple_(key, id_), tuple_(parameter("after_key", kind), parameter("after_id", Uuid()))
    return current > cursor if is_ascending else current < cursor


def apply_order(statement: S, key: ColumnElement[Any], id_: ColumnElement[UUID], *, is_ascending: bool) -> S:
    return statement.order_by(key, id_) if is_ascending else statement.order_by(key.desc(), id_.desc())


@dataclass(frozen=True)
class Listing(Generic[R]):
    """Rows that are read page by page: the statement that selects all of them, their class, and their sort key."""

    rows: Select[*tuple[Any, ...]]
    row: type[R]
    sort_key: SortKey

    def page(self, conditions: Sequence[ColumnElement[bool]], *, is_ascending: bool, is_next: bool, is_indexed: bool = False) -> Query[R]:
        """Return the query of a page of the rows that match `conditions`.

        It first reads the sort keys of the page, which a covering index can answer, then the rows of those keys. `is_indexed` says that
        an index in this order has exactly these rows; then they are read directly.
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
        # PostgreSQL estimates an unknown LIMIT as a tenth of all rows. With many rows, a plan for the actual value looks so much cheaper
        # that it plans the statement again at each execution, which takes longer than it saves. A subquery hides the value from both plans.
        return Query(select(*page.c).limit(select(COUNT.label("count")).scalar_subquery()), self.row).always_select("id", sort_key.name)


def in_order_of_ids(table: type[Entity]) -> SortKey:
    """Return the sort key of creation: ids are UUIDv7, which sort by time."""
    return SortKey(col(table.id), Uuid(), col(table.id), "id")


def in_order_of_names(table: type[Entity]) -> SortKey:
    """Return the sort key of the folded name, of a table that has one."""
    return SortKey(table_of(table).c.name_key, Text(), col(table.id), "name_key")


def page_per_parent(
    statement: Select[*tuple[Any, ...]], row: type[R], sort_key: SortKey, *, is_ascending: bool, is_next: bool = False
) -> Query[R]:
    """Return the query of a page of rows for each requested parent. It reads only the rows of those pages."""
    if is_next:
        statement = statement.where(after_cursor(sort_key.key, sort_key.kind, sort_key.id, is_ascending=is_ascending))
    page = apply_order(statement, sort_key.key, sort_key.id, is_ascending=is_ascending).limit(COUNT).lateral("page")
    rows = select(*(page.c[name] for name in row.__columns__)).select_from(requested_ids).join(page, true())
    return Query(apply_order(rows.order_by(requested_ids.c.id), page.c[sort_key.name], page.c.id, is_ascending=is_ascending), row)


def count_per_parent(table: type[Table], parent: str, *conditions: ColumnElement[bool]) -> Query[CountByIdRow]:
    """Return the query that counts the rows of each requested parent that match `conditions`. `parent` is the foreign key."""
    parent_conditions = col(table.tenant_id) == TENANT, col(getattr(table, parent)) == requested_ids.c.id
    count = select(func.count()).select_from(table_of(table)).where(*parent_conditions, *conditions).scalar_subquery()
    return Query(select(requested_ids.c.id, count.label("count")), CountByIdRow)


def count_rows(table: type[Table], conditions: Sequence[ColumnElement[bool]]) -> Query[CountRow]:
    """Return the query that counts the rows of a table that match `conditions`."""
    return Query(select(func.count().label("count")).select_from(table_of(table)).where(*conditions), CountRow)


async def fetch_counts(tx: Transaction, query: Query[CountByIdRow], ids: Sequence[UUID], **values: object) -> list[int]:
    counts = {row.id: row.count for row in await tx.fetch(query, ids=ids, **values)}
    return [counts[key] for key in ids]
