"""Send the queries that an operation makes at the same time as one statement.

The relations of one level of a document make their queries in the same pass of the event loop. The first of them waits until the others
have been added, and then sends all of them as `SELECT 0, … UNION ALL SELECT 1, …`.

A page can also lead the relations of its rows (the followers): their queries are sent with the page, before the ids of its rows are known.
The page is then a common table expression of the statement, and the followers read the ids from it. If the operation makes no other
queries, the statement needs no transaction.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import chain, cycle, islice
from types import NoneType
from typing import Any, NamedTuple, TypeAlias, get_args, get_type_hints
from uuid import UUID

from db.engine.statement import Query, R, Row

# The SQL types of a batch's columns, after the first column, which has the number of the part. MORE_TYPES repeats without end. Each column
# of a query takes the first free column of its type, so its positions do not depend on the other queries of the batch, and one row class
# per query is enough. A class is a reference cycle, so a class per batch would fill the memory.
FIRST_TYPES = "uuid uuid text text text text bigint boolean"
MORE_TYPES = "text text text text timestamptz text text uuid bigint date boolean uuid bigint text[]"
TYPES = {UUID: "uuid", str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz", date: "date", list[str]: "text[]"}
# A page fetches one row more than it shows. A leader without a page size has the limit NULL, which means no limit.
LEADER_IDS = "(ARRAY(SELECT id FROM leader LIMIT {}::integer - 1))"
PARAMETER = re.compile(r"\$(\d+)")
LEADER_PART = -1  # marks a part that takes its ids from the rows of the first part
# The driver keeps 100 prepared statements of at most 15 KiB per connection. Callers who vary their documents must not displace the
# statements of others, nor fill the memory. So there are fewer batches than that, and a batch is built at the second use.
MAX_BATCHES, MAX_SEEN, MAX_LENGTH = 64, 512, 15_000
TRANSACTION_USES = 50  # how many times a batch runs in a transaction after it was wrongly expected to be the only statement


class UnknownIdsError(Exception):
    """The ids of a page's rows were read before the page was fetched. Read them after it."""


class LeaderIds(Sequence[UUID]):
    """The ids of the rows of a page that the same statement fetches. They are known once it has returned."""

    def __init__(self) -> None:
        self.ids: list[UUID] | None = None

    def get(self) -> list[UUID]:
        if self.ids is None:
            raise UnknownIdsError
        return self.ids

    def __len__(self) -> int:
        return len(self.get())

    def __iter__(self) -> Iterator[UUID]:
        return iter(self.get())

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 an id, or a list of some
        return self.get()[index]


Follower: TypeAlias = tuple[tuple[type, ...], Callable[[Sequence[UUID]], object]]
"""A relation: the row classes that have it, and a function that starts a task which queries it for the ids of such rows."""
Send: TypeAlias = Callable[..., Awaitable[list[Any]]]
"""A function that sends a statement, given its SQL, arguments and row class. `is_only_statement`: the operation sends no other."""


class PendingQuery(NamedTuple):
    """A query, its values, the future for its rows, and the ids of those rows if followers wait for them."""

    query: Query[Any]
    values: dict[str, object]
    future: "asyncio.Future[list[Any]]"
    leader_ids: LeaderIds | None

    def resolve_ids(self) -> None:
        if isinstance(ids := self.values.get("ids"), LeaderIds):
            self.values["ids"] = ids.get()

    def resolve(self, rows: list[Any]) -> None:
        if self.leader_ids is not None:
            count = self.values.get("count")
            self.leader_ids.ids = [row.id for row in (rows[: count - 1] if isinstance(count, int) else rows)]
        if not self.future.done():  # the caller may have cancelled it
            self.future.set_result(rows)


class Batch:
    """Several queries as one statement."""

    def __init__(self, queries: Sequence[Query[Any]], ids_of: Sequence[int]) -> None:
        """Build the SQL of the batch.

        `ids_of` has for each part the part that its ids come from: itself, an earlier part with the same ids, or `LEADER_PART`.
        """
        self.transaction_uses_left = 0
        self._names: list[tuple[int, str]] = []  # the part and the name of each parameter, from `$2` on
        texts, parts = dict[tuple[int, str], str](), list[str]()
        for part, (query, id_part) in enumerate(zip(queries, ids_of, strict=True)):
            for name in query.parameter_names:
                if name == "tenant":
                    texts[part, name] = "$1"
                elif name == "ids" and id_part != part:
                    texts[part, name] = (
                        LEADER_IDS.format(texts.get((0, "count"), "NULL")) if id_part == LEADER_PART else texts[id_part, name]
                    )
                else:
                    self._names.append((part, name))
                    texts[part, name] = f"${len(self._names) + 1}"
            placeholders = [texts[part, name] for name in query.parameter_names]
            parts.append(PARAMETER.sub(lambda match, texts_of_part=placeholders: texts_of_part[int(match[1]) - 1], query.sql))  # type: ignore[misc]
        leader = ""
        if LEADER_PART in ids_of:  # MATERIALIZED, because otherwise PostgreSQL reads the page again for each relation
            leader, parts[0] = f"WITH leader AS MATERIALIZED ({parts[0]}) ", "TABLE leader"
        self._rows = [_assign_positions(query)[1] for query in queries]
        width = max(position for query in queries for position in _assign_positions(query)[0].values())
        self.sql = leader + " UNION ALL ".join(_select(part, query, parts[part], width) for part, query in enumerate(queries))

    def arguments(self, pending: Sequence[PendingQuery]) -> list[object]:
        return [pending[0].values["tenant"], *(pending[part].values[name] for part, name in self._names)]

    def split(self, records: list[Any]) -> list[list[Any]]:
        """Return the rows of each part. They are the same records, whose class is set to the row class of the part.

        PostgreSQL guarantees no order for a union. But it runs each part, a subquery with its own ORDER BY, in one process and passes its
        rows on in order. Only rows of different parts can be mixed, if parallel workers run the parts.
        """
        rows_by_part: list[list[Any]] = [[] for _ in self._rows]
        for record in records:
            part = record[0]
            record.__class__ = self._rows[part]
            rows_by_part[part].append(record)
        return rows_by_part


def _select(part: int, query: Query[Any], sql: str, width: int) -> str:
    """Return the SELECT of a part, with its columns at their positions in the batch.

    The first part gives all columns their types, because PostgreSQL takes an untyped NULL for a text.
    """
    names = {position: name for name, position in _assign_positions(query)[0].items()}
    output = [
        f'part."{names[position]}"' if position in names else f"NULL::{kind}" if part == 0 else "NULL"
        for position, kind in islice(_column_positions(), width)
    ]
    return f"SELECT {part}, {', '.join(output)} FROM ({sql}) AS part"  # noqa: S608 constants of ours


def _column_positions(sql_type: str = "") -> Iterator[tuple[int, str]]:
    """Return an endless iterator over the positions and the SQL types of a batch's columns: of all, or of one type."""
    return (column for column in enumerate(chain(FIRST_TYPES.split(), cycle(MORE_TYPES.split())), 1) if sql_type in {"", column[1]})


@cache  # unbounded, since queries are never dropped
def _assign_positions(query: Query[Any]) -> tuple[Mapping[str, int], type[Row]]:
    """Return the positions of a query's columns in a batch, and the row class for records of a batch."""
    hints = get_type_hints(query.row)
    free = {kind: _column_positions(kind) for kind in TYPES.values()}
    positions: dict[str, int] = {}
    for name in query.row.__columns__:
        kind = hints[name] if hints[name] in TYPES else next(argument for argument in get_args(hints[name]) if argument is not NoneType)
        positions[name] = next(free[TYPES[kind]])[0]
    return positions, query.row.with_positions(positions)


class BatchCache:
    """The most recently used batches of a connection pool, and the combinations of queries that were seen once."""

    def __init__(self) -> None:
        self._candidates: OrderedDict[object, Batch | None] = OrderedDict()
        self._batches: OrderedDict[object, Batch | None] = OrderedDict()

    def find(self, pending: Sequence[PendingQuery]) -> Batch | None:
        """Return the batch of these queries. None if they must be sent one by one: the first time, or if the SQL would be too long.

        Parts with equal ids share one parameter. Other values are not compared: which of them happen to be equal varies, and each case
        would be a batch of its own.
        """
        queries, ids = [each.query for each in pending], [each.values.get("ids") for each in pending]
        ids_of = [
            part if own_ids is None else LEADER_PART if isinstance(own_ids, LeaderIds) else ids.index(own_ids)
            for part, own_ids in enumerate(ids)
        ]
        key = (*queries, *ids_of)
        if key in self._batches:
            self._batches.move_to_end(key)
        elif key in self._candidates:
            del self._candidates[key]
            batch = Batch(queries, ids_of)
            self._batches[key] = batch if len(batch.sql) <= MAX_LENGTH else None
        else:
            self._candidates[key] = None
        for memory, most in ((self._batches, MAX_BATCHES), (self._candidates, MAX_SEEN)):
            if len(memory) > most:
                memory.popitem(last=False)
        return self._batches.get(key)


class Batcher:
    """Collect the queries of one pass of the event loop and send them as one statement. The operation's first query leads followers."""

    def __init__(self, batches: BatchCache, lock: asyncio.Lock, followers: Sequence[Follower], *, has_only_followers: bool) -> None:
        """Create a batcher. `has_only_followers`: the operation makes no other queries than its first one and the followers."""
        self._batches = batches
        self._has_only_followers = has_only_followers
        self._follower_count = 0
        self._only_batch: Batch | None = None
        self._lock = lock
        self._followers = followers
        self._pending: list[PendingQuery] = []

    async def fetch(self, query: Query[R], values: dict[str, object], send: Send) -> list[R]:
        pending = PendingQuery(query, values, asyncio.get_running_loop().create_future(), self._start_followers(query))
        self._pending.append(pending)
        if len(self._pending) == 1:
            await self._send_pending(send)
        return await pending.future

    def _start_followers(self, query: Query[Any]) -> LeaderIds | None:
        followers, self._followers = self._followers, ()
        starts = [start for rows, start in followers if issubclass(query.row, rows)]
        if not starts or "id" not in query.row.__columns__:
            return None
        self._follower_count, ids = len(starts), LeaderIds()
        for start in starts:
            start(ids)
        return ids

    async def _send_pending(self, send: Send) -> None:
        """Send all queries that are pending once the lock is free. It is unknown how many will come, so it waits for one pass only."""
        pending: list[PendingQuery] = []
        try:
            await asyncio.sleep(0)
            async with self._lock:
                pending, self._pending = self._pending, []
                await self._send_all(pending, send)
        except Exception as error:  # noqa: BLE001 the future of each caller raises it
            for each in pending:
                if not each.future.done():
                    each.future.set_exception(error)
        finally:
            if not pending:  # this task was cancelled before it took the queries
                pending, self._pending = self._pending, []
            for each in pending:
                each.future.cancel()  # no effect on futures that are done; the callers of others would wait for ever

    async def _send_all(self, pending: Sequence[PendingQuery], send: Send) -> None:
        if self._only_batch:  # it was not the only statement after all
            self._only_batch.transaction_uses_left = TRANSACTION_USES
        for each in pending if pending[0].leader_ids is None else ():  # without a leader, the page was fetched before
            each.resolve_ids()
        batch = self._batches.find(pending) if len(pending) > 1 else None
        if batch:
            is_only_statement = (
                self._has_only_followers
                and pending[0].leader_ids is not None
                and len(pending) == 1 + self._follower_count
                and not batch.transaction_uses_left
            )
            self._only_batch = batch if is_only_statement else None
            batch.transaction_uses_left = max(batch.transaction_uses_left - 1, 0)
            records = await send(batch.sql, batch.arguments(pending), Row, is_only_statement=is_only_statement)
            for each, rows in zip(pending, batch.split(records), strict=True):
                each.resolve(rows)
            return
        for each in pending:
            each.resolve_ids()
            each.resolve(await send(each.query.sql, each.query.arguments(each.values), each.query.row))
