"""Send the queries that an operation runs at the same time as one statement.

The relations of a level query in the same pass of the event loop, so the first of them waits and then sends all: `SELECT 0, … UNION ALL
SELECT 1, …`. A page leads the relations of its rows: they are queried before its ids are known, and take them from the page, which is a
common table expression of the statement. If nothing else is queried, the statement needs no transaction.
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

# The types of a batch's columns behind the first, which has the number of the part; the second list again and again. Each column of a row
# takes the first free one of its type. So a query needs one row class, whatever it is sent with; a class is a reference cycle.
FIRST_TYPES = "uuid uuid text text text text bigint boolean"
MORE_TYPES = "text text text text timestamptz text text uuid bigint date boolean uuid bigint text[]"
TYPES = {UUID: "uuid", str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz", date: "date", list[str]: "text[]"}
# A page is asked for one row more than it shows. Other rows have no limit, as NULL says.
LEADER_IDS = "(ARRAY(SELECT id FROM leader LIMIT {}::integer - 1))"
PARAMETER = re.compile(r"\$(\d+)")
LEADER_PART = -1  # marks a part whose ids are those of the rows of the first part
# A connection keeps 100 prepared statements of at most 15 KiB. Callers who vary their documents shall neither displace those that others
# use nor fill the memory: there are fewer batches than that, and one is made only for what was asked before.
MAX_BATCHES, MAX_SEEN, MAX_LENGTH = 64, 512, 15_000
TRANSACTION_USES = 50  # uses of a batch in a transaction after it proved not to be the only statement of an operation


class UnknownIdsError(Exception):
    """The ids of a page's rows were read before the page was fetched: read them again when they are known."""


class LeaderIds(Sequence[UUID]):
    """The ids of the rows of a page that is fetched by the same statement. They are known once it has returned."""

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
"""The row classes that have a relation, and a function that starts a task which queries it, given the ids of such rows."""
Send: TypeAlias = Callable[..., Awaitable[list[Any]]]
"""Send a statement with its arguments and its row class under the operation's lock; with `is_only_statement` no other is expected."""


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
        if not self.future.done():  # it may be cancelled
            self.future.set_result(rows)


class Batch:
    """Several queries as one statement."""

    def __init__(self, queries: Sequence[Query[Any]], ids_of: Sequence[int]) -> None:
        """`ids_of` names for each part the part whose ids it takes: itself, an earlier one with the same ids, or `LEADER_PART`."""
        self.transaction_uses_left = 0
        self._names: list[tuple[int, str]] = []  # of the parameters from `$2` on: the part, and the name there
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
        if LEADER_PART in ids_of:  # materialized, or the page would be read again for each of its relations
            leader, parts[0] = f"WITH leader AS MATERIALIZED ({parts[0]}) ", "TABLE leader"
        self._rows = [_assign_positions(query)[1] for query in queries]
        width = max(position for query in queries for position in _assign_positions(query)[0].values())
        self.sql = leader + " UNION ALL ".join(_select(part, query, parts[part], width) for part, query in enumerate(queries))

    def arguments(self, pending: Sequence[PendingQuery]) -> list[object]:
        return [pending[0].values["tenant"], *(pending[part].values[name] for part, name in self._names)]

    def split(self, records: list[Any]) -> list[list[Any]]:
        """Return the rows of each part: the same records, of the part's class.

        PostgreSQL promises no order of the union. But each part is a subquery with its own ORDER BY, which it runs in one process and whose
        rows it passes on one after the other; only those of different parts may come mixed, where workers run them in parallel.
        """
        rows_by_part: list[list[Any]] = [[] for _ in self._rows]
        for record in records:
            part = record[0]
            record.__class__ = self._rows[part]
            rows_by_part[part].append(record)
        return rows_by_part


def _select(part: int, query: Query[Any], sql: str, width: int) -> str:
    """The first part gives the columns their types: NULL alone would be a text."""
    names = {position: name for name, position in _assign_positions(query)[0].items()}
    output = [
        f'part."{names[position]}"' if position in names else f"NULL::{kind}" if part == 0 else "NULL"
        for position, kind in islice(_column_positions(), width)
    ]
    return f"SELECT {part}, {', '.join(output)} FROM ({sql}) AS part"  # noqa: S608 our own words


def _column_positions(sql_type: str = "") -> Iterator[tuple[int, str]]:
    """Iterate without end over the positions and SQL types of the columns, or over those of one type."""
    return (column for column in enumerate(chain(FIRST_TYPES.split(), cycle(MORE_TYPES.split())), 1) if sql_type in {"", column[1]})


@cache  # queries are never dropped
def _assign_positions(query: Query[Any]) -> tuple[Mapping[str, int], type[Row]]:
    """Return the positions of a query's columns in a batch, and the class of those records."""
    hints = get_type_hints(query.row)
    free = {kind: _column_positions(kind) for kind in TYPES.values()}
    positions: dict[str, int] = {}
    for name in query.row.__columns__:
        kind = hints[name] if hints[name] in TYPES else next(argument for argument in get_args(hints[name]) if argument is not NoneType)
        positions[name] = next(free[TYPES[kind]])[0]
    return positions, query.row.with_positions(positions)


class BatchCache:
    """The most recently used batches of a database."""

    def __init__(self) -> None:
        self._candidates: OrderedDict[object, Batch | None] = OrderedDict()
        self._batches: OrderedDict[object, Batch | None] = OrderedDict()

    def find(self, pending: Sequence[PendingQuery]) -> Batch | None:
        """Return the batch of these queries. None where they are to be sent one by one: the first time, and where it were too long.

        Of the values only ids are compared: a batch that depended on which numbers are equal by chance would have many forms.
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
    """Collect the queries of one pass of the event loop and send them as one statement. The first query leads."""

    def __init__(self, batches: BatchCache, lock: asyncio.Lock, followers: Sequence[Follower], *, has_only_followers: bool) -> None:
        """`has_only_followers`: the operation asks nothing but its first query and the followers."""
        self._batches = batches
        self._has_only_followers = has_only_followers
        self._follower_count = 0  # followers
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
        """Send all queries that are pending when the lock is free. The number of queries to come is unknown, so none is waited for."""
        pending: list[PendingQuery] = []
        try:
            await asyncio.sleep(0)
            async with self._lock:
                pending, self._pending = self._pending, []
                await self._send_all(pending, send)
        except Exception as error:  # noqa: BLE001 each caller raises it
            for each in pending:
                if not each.future.done():
                    each.future.set_exception(error)
        finally:
            if not pending:  # cancelled before
                pending, self._pending = self._pending, []
            for each in pending:
                each.future.cancel()  # callers without a result would wait for ever

    async def _send_all(self, pending: Sequence[PendingQuery], send: Send) -> None:
        if self._only_batch:
            self._only_batch.transaction_uses_left = TRANSACTION_USES
        for each in pending if pending[0].leader_ids is None else ():  # the page was fetched before
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
