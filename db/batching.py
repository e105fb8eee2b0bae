"""Send the queries that an operation asks at the same time as one statement.

The relations of a level ask in the same pass of the event loop, so the first of them waits and then sends all: `SELECT 0, … UNION ALL
SELECT 1, …`. A page leads the relations of its rows: they are asked before its ids are known, and take them from the page, which is a
common table expression of the statement. Where that is all that is asked, it needs no transaction.
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

from db.query import Query, R, Row

# The types of a batch's columns behind the first, which has the number of the part; the second list again and again. Each column of a row
# takes the first free one of its type. So a query needs one row class, whatever it is sent with; a class is a reference cycle.
FIRST_TYPES = "uuid uuid text text text text bigint boolean"
MORE_TYPES = "text text text text timestamptz text text uuid bigint date boolean uuid bigint text[]"
TYPES = {UUID: "uuid", str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz", date: "date", list[str]: "text[]"}
# A page is asked for one row more than it shows. Other rows have no limit, as NULL says.
LEADER_IDS = "(ARRAY(SELECT id FROM leader LIMIT {}::integer - 1))"
PARAMETER = re.compile(r"\$(\d+)")
LED = -1  # instead of the part that has the same ids: they are those of the first part's rows
# A connection keeps 100 prepared statements of at most 15 KiB. Callers who vary their documents shall neither displace those that others
# use nor fill the memory: there are fewer batches than that, and one is made only for what was asked before.
MAX_BATCHES, MAX_SEEN, MAX_LENGTH = 64, 512, 15_000
DOUBTS = 50  # times that a batch is sent in a transaction after it turned out not to be all of an operation


class UnknownIdsError(Exception):
    """The ids of a page's rows were read before the page was answered: the reader asks again when they are known."""


class LeaderIds(Sequence[UUID]):
    """The ids of the rows of a page that is asked in the same statement. They are known once it is answered."""

    def __init__(self) -> None:
        self.known: list[UUID] | None = None

    def read(self) -> list[UUID]:
        if self.known is None:
            raise UnknownIdsError
        return self.known

    def __len__(self) -> int:
        return len(self.read())

    def __iter__(self) -> Iterator[UUID]:
        return iter(self.read())

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 an id, or a list of some
        return self.read()[place]


Follower: TypeAlias = tuple[tuple[type, ...], Callable[[Sequence[UUID]], object]]
"""The row classes that have a relation, and what starts a task that asks for it, given the ids of such rows."""
Send: TypeAlias = Callable[..., Awaitable[list[Any]]]
"""Sends a statement with its arguments and its row class, in the operation's turn; with `is_whole` it is expected to be the only one."""


class Asked(NamedTuple):
    """A query, its values, the future for its rows, and the ids of those where others wait for them."""

    query: Query[Any]
    values: dict[str, object]
    answer: "asyncio.Future[list[Any]]"
    leads: LeaderIds | None

    def take_ids(self) -> None:
        if isinstance(ids := self.values.get("ids"), LeaderIds):
            self.values["ids"] = ids.read()

    def give(self, rows: list[Any]) -> None:
        if self.leads is not None:
            count = self.values.get("count")
            self.leads.known = [row.id for row in (rows[: count - 1] if isinstance(count, int) else rows)]
        if not self.answer.done():  # nobody may be waiting any more
            self.answer.set_result(rows)


class Batch:
    """Several queries as one statement."""

    def __init__(self, queries: Sequence[Query[Any]], ids_of: Sequence[int]) -> None:
        """`ids_of` has for each part the part whose ids it takes: itself, or an earlier one that has the same; or LED."""
        self.doubts = 0
        self._names: list[tuple[int, str]] = []  # of the parameters from `$2` on: the part, and the name there
        texts, parts = dict[tuple[int, str], str](), list[str]()
        for part, (query, of) in enumerate(zip(queries, ids_of, strict=True)):
            for name in query.order:
                if name == "tenant":
                    texts[part, name] = "$1"
                elif name == "ids" and of != part:
                    texts[part, name] = LEADER_IDS.format(texts.get((0, "count"), "NULL")) if of == LED else texts[of, name]
                else:
                    self._names.append((part, name))
                    texts[part, name] = f"${len(self._names) + 1}"
            given = [texts[part, name] for name in query.order]
            parts.append(PARAMETER.sub(lambda found, given=given: given[int(found[1]) - 1], query.sql))  # type: ignore[misc]
        leader = ""
        if LED in ids_of:  # materialized, or the page would be read again for each of its relations
            leader, parts[0] = f"WITH leader AS MATERIALIZED ({parts[0]}) ", "TABLE leader"
        self._rows = [_placed(query)[1] for query in queries]
        width = max(place for query in queries for place in _placed(query)[0].values())
        self.sql = leader + " UNION ALL ".join(_select(part, query, parts[part], width) for part, query in enumerate(queries))

    def arguments(self, asked: Sequence[Asked]) -> list[object]:
        return [asked[0].values["tenant"], *(asked[part].values[name] for part, name in self._names)]

    def split(self, records: list[Any]) -> list[list[Any]]:
        """Return the rows of each part: the same records, of the part's class.

        PostgreSQL promises no order of the union. But each part is a subquery with its own ORDER BY, which it runs in one process and whose
        rows it passes on one after the other; only those of different parts may come mixed, where workers run them in parallel.
        """
        found: list[list[Any]] = [[] for _ in self._rows]
        for record in records:
            part = record[0]
            record.__class__ = self._rows[part]
            found[part].append(record)
        return found


def _select(part: int, query: Query[Any], sql: str, width: int) -> str:
    """The first part gives the columns their types: NULL alone would be a text."""
    names = {place: name for name, place in _placed(query)[0].items()}
    shown = [
        f'part."{names[place]}"' if place in names else f"NULL::{kind}" if part == 0 else "NULL"
        for place, kind in islice(_columns(), width)
    ]
    return f"SELECT {part}, {', '.join(shown)} FROM ({sql}) AS part"  # noqa: S608 our own words


def _columns(wanted: str = "") -> Iterator[tuple[int, str]]:
    """The places and types of the columns, those of a type where one is given; without an end."""
    return (column for column in enumerate(chain(FIRST_TYPES.split(), cycle(MORE_TYPES.split())), 1) if wanted in {"", column[1]})


@cache  # queries are never dropped
def _placed(query: Query[Any]) -> tuple[Mapping[str, int], type[Row]]:
    """Return the places of a query's columns in a batch, and the class of those records."""
    hints = get_type_hints(query.row)
    free = {kind: _columns(kind) for kind in TYPES.values()}
    places: dict[str, int] = {}
    for name in query.row.__columns__:
        kind = hints[name] if hints[name] in TYPES else next(each for each in get_args(hints[name]) if each is not NoneType)
        places[name] = next(free[TYPES[kind]])[0]
    return places, query.row.placed(places)


class Batches:
    """The batches of a database that were used last."""

    def __init__(self) -> None:
        self._seen: OrderedDict[object, Batch | None] = OrderedDict()
        self._kept: OrderedDict[object, Batch | None] = OrderedDict()

    def find(self, asked: Sequence[Asked]) -> Batch | None:
        """Return the batch of these queries. None where they are to be sent one by one: the first time, and where it were too long.

        Of the values only ids are compared: a batch that depended on which numbers are equal by chance would have many forms.
        """
        queries, ids = [each.query for each in asked], [each.values.get("ids") for each in asked]
        ids_of = [part if own is None else LED if isinstance(own, LeaderIds) else ids.index(own) for part, own in enumerate(ids)]
        key = (*queries, *ids_of)
        if key in self._kept:
            self._kept.move_to_end(key)
        elif key in self._seen:
            del self._seen[key]
            batch = Batch(queries, ids_of)
            self._kept[key] = batch if len(batch.sql) <= MAX_LENGTH else None
        else:
            self._seen[key] = None
        for memory, most in ((self._kept, MAX_BATCHES), (self._seen, MAX_SEEN)):
            if len(memory) > most:
                memory.popitem(last=False)
        return self._kept.get(key)


class Gatherer:
    """What an operation asks in one pass of the event loop. The first that it asks leads."""

    def __init__(self, batches: Batches, turn: asyncio.Lock, followers: Sequence[Follower], *, is_led: bool) -> None:
        """`is_led`: the operation asks nothing but its first query and the followers."""
        self._batches = batches
        self._is_led = is_led
        self._led = 0  # followers
        self._whole: Batch | None = None
        self._turn = turn
        self._followers = followers
        self._waiting: list[Asked] = []

    async def fetch(self, query: Query[R], values: dict[str, object], send: Send) -> list[R]:
        asked = Asked(query, values, asyncio.get_running_loop().create_future(), self._start_followers(query))
        self._waiting.append(asked)
        if len(self._waiting) == 1:
            await self._send_waiting(send)
        return await asked.answer

    def _start_followers(self, query: Query[Any]) -> LeaderIds | None:
        followers, self._followers = self._followers, ()
        starts = [start for rows, start in followers if issubclass(query.row, rows)]
        if not starts or "id" not in query.row.__columns__:
            return None
        self._led, ids = len(starts), LeaderIds()
        for start in starts:
            start(ids)
        return ids

    async def _send_waiting(self, send: Send) -> None:
        """Send all that is asked until the turn comes. Nobody counts who is to ask, so nobody waits for one who does not."""
        asked: list[Asked] = []
        try:
            await asyncio.sleep(0)
            async with self._turn:
                asked, self._waiting = self._waiting, []
                await self._answer(asked, send)
        except Exception as failed:  # noqa: BLE001 each caller raises it
            for each in asked:
                if not each.answer.done():
                    each.answer.set_exception(failed)
        finally:
            if not asked:  # cancelled before
                asked, self._waiting = self._waiting, []
            for each in asked:
                each.answer.cancel()  # or they would wait for ever; unless they are answered

    async def _answer(self, asked: Sequence[Asked], send: Send) -> None:
        if self._whole:
            self._whole.doubts = DOUBTS
        for each in asked if asked[0].leads is None else ():  # the page was answered before
            each.take_ids()
        batch = self._batches.find(asked) if len(asked) > 1 else None
        if batch:
            is_whole = self._is_led and asked[0].leads is not None and len(asked) == 1 + self._led and not batch.doubts
            self._whole = batch if is_whole else None
            batch.doubts = max(batch.doubts - 1, 0)
            records = await send(batch.sql, batch.arguments(asked), Row, is_whole=is_whole)
            for each, rows in zip(asked, batch.split(records), strict=True):
                each.give(rows)
            return
        for each in asked:
            each.take_ids()
            each.give(await send(each.query.sql, each.query.arguments(each.values), each.query.row))
