"""Several queries as one statement: whose rows are whose, who waits for whom, and how many statements there can be."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import combinations
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import pytest
import strawberry
from sqlalchemy import Integer, Text, func, literal_column, select

from db.engine.batching import LEADER_PART, MAX_BATCHES, MAX_SEEN, Batch, BatchCache, LeaderIds, PendingQuery, UnknownIdsError
from db.engine.database import Database, DatabaseLimits
from db.engine.read_transaction import ReadTransaction
from db.engine.statement import Query, Row
from db.queries import clients, contacts, labels
from db.rows import ClientLabelRow, ClientRow, LabelRow
from db.sql.expressions import TENANT
from db.sql.pagination import PageSlice
from db.tables import Role
from tests.ask import UNLIMITED, Api, connected
from tests.builders import Tenant
from tests.conftest import runtime_url
from tests.db.test_golden import QUERIES
from tests.directly import Directly

PAGE = PageSlice(is_ascending=True, after=None, size=2)
HELD = {name for name in QUERIES if name.startswith("labels.hold_")}  # of a change alone


class Server(NamedTuple):
    """A database on one connection, and what is sent to it."""

    database: Database
    sent: list[str]

    async def asked(self) -> list[str]:
        await asyncio.sleep(0)  # the driver tells of a statement a turn later
        return [text for text in self.sent if "relaties." in text or "1 / 0" in text]


@pytest.fixture
async def server(owner_url: str) -> AsyncIterator[Server]:
    sent: list[str] = []
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=1, write_pool_size=1), on_statement=sent.append)
    yield Server(database, sent)
    await database.close()


@pytest.fixture
async def tx(server: Server, org: Tenant) -> AsyncIterator[ReadTransaction]:
    made = server.database.read(org.id)
    made.batch_queries()
    yield made
    await made.end()


class Number(Row):
    number: int


def number(text: str) -> Query[Number]:
    return Query(select(literal_column(text, Integer()).label("number")).where(TENANT.is_not(None)), Number)


ONE, WRONG = number("1"), number("1 / 0")


async def test_what_is_asked_at_the_same_time_is_one_statement(server: Server, tx: ReadTransaction, org: Tenant) -> None:
    """Each has its own rows in its own order, of its own class."""
    many, none = await org.add_client("Een"), await org.add_client("Twee")
    for name in ("Zilver", "Goud"):
        await org.add_label(name, many)
    await org.add_contact("Bos", many, none)

    for _ in range(2):  # what was never asked before is sent one by one
        server.sent.clear()
        worn, counts, found = await asyncio.gather(
            labels.of_clients(tx, [many, none]), contacts.counts_of_clients(tx, [none, many]), clients.by_id(tx, [none, many])
        )
    assert [[label.name for label in each] for each in worn] == [["Goud", "Zilver"], []]
    assert counts == [1, 1]
    assert [client and client.name for client in found] == ["Twee", "Een"]
    assert [type(worn[0][0]).__mro__[1], type(found[0]).__mro__[1]] == [ClientLabelRow, ClientRow]
    assert len(await server.asked()) == 1


async def test_a_record_of_a_batch_is_read_like_one_alone(tx: ReadTransaction, org: Tenant) -> None:
    """All its values in the order of its columns, whatever else the statement has."""
    key = await org.add_label("Goud")
    (alone,) = await labels.by_id(Directly(org.owner, org.id), [key])
    for _ in range(2):
        (found,), _ = await asyncio.gather(labels.by_id(tx, [key]), contacts.counts_of_clients(tx, [key]))
    assert isinstance(found, LabelRow)
    assert alone is not None
    assert list(found) == list(alone)
    assert [getattr(found, name) for name in LabelRow.__columns__] == list(alone)


async def test_a_query_alone_is_sent_as_it_is(server: Server, tx: ReadTransaction) -> None:
    for _ in range(3):
        assert await labels.by_id(tx, []) == []
    assert [text.partition(" ")[2] for text in await server.asked()] == [labels.BY_ID.sql.partition(" ")[2]] * 3


async def test_a_page_leads_the_relations_of_its_rows(server: Server, org: Tenant) -> None:
    """They are asked by the ids of those that are shown, and not of the row that tells that there are more."""
    keys = [await org.add_client(name) for name in ("A", "B", "C")]
    for key in keys:
        await org.add_label("L" + str(key), key)
    for statements in (3, 1):
        led: list[asyncio.Task[Any]] = []
        asked: list[Sequence[UUID]] = []

        def start(ids: Sequence[UUID], ask: Callable[..., Awaitable[Any]], asked: Any = asked, led: Any = led) -> None:  # noqa: ANN401
            asked.append(ids)
            led.append(asyncio.ensure_future(ask(ids)))

        tx = server.database.read(org.id)
        server.sent.clear()
        tx.batch_queries(
            [
                ((ClientRow,), lambda ids: start(ids, lambda ids: labels.of_clients(tx, ids))),  # noqa: B023
                ((ClientRow,), lambda ids: start(ids, lambda ids: contacts.counts_of_clients(tx, ids))),  # noqa: B023
                ((LabelRow,), lambda ids: start(ids, lambda ids: labels.by_id(tx, ids))),  # noqa: B023
            ]
        )
        page = await clients.page(tx, clients.ClientFilter(), clients.ClientSortField.NAME, PAGE)
        worn, counts = await asyncio.gather(*led)
        await tx.end()
        assert [row.id for row in page] == keys
        assert [list(ids) for ids in asked] == [keys[:2]] * 2
        assert [[label.name for label in each] for each in worn] == [["L" + str(key)] for key in keys[:2]]
        assert counts == [0, 0]
        assert len(await server.asked()) == statements


def test_ids_of_a_page_are_not_read_before_it() -> None:
    """Neither how many they are nor which."""
    ids = LeaderIds()
    for read in (len, list, bool, lambda ids: ids[0]):
        with pytest.raises(UnknownIdsError):
            read(ids)
    ids.ids = [UUID(int=1)]
    assert (len(ids), list(ids), ids[0]) == (1, [UUID(int=1)], UUID(int=1))


async def test_a_failure_is_that_of_all_who_asked_with_it(server: Server, tx: ReadTransaction) -> None:
    """And of nobody who asks afterwards, in a new transaction."""
    for _ in range(2):
        server.sent.clear()
        found = await asyncio.gather(tx.fetch(ONE), tx.fetch(WRONG), tx.fetch(ONE), return_exceptions=True)
    assert [type(each) for each in found] == [asyncpg.DivisionByZeroError] * 3
    assert len(await server.asked()) == 1
    assert [row.number for row in await tx.fetch(ONE)] == [1]


@pytest.mark.parametrize("turns", range(4))
async def test_who_gives_up_leaves_nobody_waiting(server: Server, tx: ReadTransaction, turns: int) -> None:
    """The first, who sends for the others, takes them along, before it sends or while it waits; another leaves alone."""
    for _ in range(2):
        assert len(await asyncio.gather(tx.fetch(ONE), tx.fetch(ONE))) == 2
    first, second, third = (asyncio.ensure_future(tx.fetch(ONE)) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    first.cancel()
    assert [type(each) for each in await asyncio.gather(first, second, third, return_exceptions=True)] == [asyncio.CancelledError] * 3
    assert [row.number for row in await tx.fetch(ONE)] == [1]
    assert server.database.read_connections_in_use == 1


async def test_who_asks_during_a_statement_is_answered_by_the_next(server: Server, tx: ReadTransaction) -> None:
    """Levels that gather at once, in whatever order: nobody counts who is to come, so nobody waits for one who does not."""

    async def level(depth: int) -> int:
        """Ask, and then ask twice further down, once a turn later."""
        (row,) = await tx.fetch(ONE)
        for _ in range(depth % 2):
            await asyncio.sleep(0)
        return row.number + (sum(await asyncio.gather(level(depth - 1), level(depth - 1))) if depth else 0)

    assert await asyncio.gather(*(level(depth) for depth in (3, 2, 3))) == [15, 7, 15]
    assert len(server.sent) > 1


NESTED = """{ clients(first: 5) { nodes {
  contacts { totalCount nodes { clients { totalCount nodes {
    labels { name } projects { totalCount nodes { registrations { totalCount } } } } } } }
  projects { totalCount nodes { client { name contacts { nodes { fullName } } } registrations { totalCount nodes { labels { name } } } } }
  portals { contacts { fullName } projects { client { labels { name } } } } } } }"""


async def test_nested_levels_that_gather_at_once_are_all_answered(
    server: Server, schema: strawberry.Schema, crowded: Tenant, database: Database
) -> None:
    """By a few statements, and the same as by graphql-core's executor."""
    async with connected(schema, database, UNLIMITED.model_copy(update={"compiled_executor": False})) as other:
        expected = await Api(other, crowded.tokens[Role.OWNER]).data(NESTED)
    async with connected(schema, server.database, UNLIMITED) as http:
        for _ in range(3):
            server.sent.clear()
            assert await Api(http, crowded.tokens[Role.OWNER]).data(NESTED) == expected
    assert len(await server.asked()) < 14


@pytest.mark.parametrize("name", sorted({*QUERIES} - HELD))
async def test_every_query_can_be_sent_with_others(owner: asyncpg.Connection, name: str) -> None:
    """PostgreSQL takes the text, alone among others and led by a page, and gives as many columns."""
    page, query = QUERIES["clients.page"], QUERIES[name]
    for batch in (
        Batch([query, page, query], [0, 1, 2]),
        Batch([page, query, query], [0, *([LEADER_PART, LEADER_PART] if "ids" in query.parameter_names else [1, 2])]),
    ):
        prepared = await owner.prepare(batch.sql)
        assert len(prepared.get_attributes()) > len(page.row.__columns__)


async def test_what_is_asked_once_has_no_statement_of_its_own(server: Server, tx: ReadTransaction) -> None:
    """A connection keeps a hundred statements: those that others use are not displaced by what nobody asks again."""
    pairs = [*combinations([number(str(value)) for value in range(12)], 2)]
    for pair in pairs:
        await asyncio.gather(*map(tx.fetch, pair))
    assert not [text for text in server.sent if "UNION ALL" in text]


def test_batches_that_are_kept_have_a_bound() -> None:
    """Those that were used last; and what was asked once is not remembered for ever."""
    batches, loop = BatchCache(), asyncio.new_event_loop()
    queries = [number(str(value)) for value in range(40)]
    pairs = [*combinations(queries, 2)]
    assert len(pairs) > MAX_SEEN + MAX_BATCHES

    def find(pair: Sequence[Query[Any]]) -> Batch | None:
        return batches.find([PendingQuery(query, {}, asyncio.Future(loop=loop), None) for query in pair])

    assert [find(pair) for pair in pairs] == [None] * len(pairs)
    assert find(pairs[0]) is None
    kept = [find(pair) for pair in pairs[-MAX_BATCHES - 1 :]]
    assert all(kept)
    assert find(pairs[-1]) is kept[-1]
    assert find(pairs[-MAX_BATCHES - 1]) is None
    loop.close()


async def test_a_statement_that_is_too_long_to_be_kept_is_not_sent(server: Server, tx: ReadTransaction) -> None:
    long = Query(select(func.length(literal_column(f"'{'x' * 15_000}'", Text())).label("number")).where(TENANT.is_not(None)), Number)
    for _ in range(3):
        server.sent.clear()
        found = await asyncio.gather(tx.fetch(ONE), tx.fetch(long))
        assert [row.number for (row,) in found] == [1, 15_000]
        assert not [text for text in server.sent if "UNION ALL" in text]


async def test_workers_change_neither_rows_nor_their_order(owner_url: str, crowded: Tenant) -> None:
    """Where PostgreSQL runs the parts of a union in parallel, their rows come mixed."""
    owner = await asyncpg.connect(owner_url)
    everyone: list[Query[Any]] = [contacts._all_per_client(), labels.OF_CLIENTS, clients.BY_ID]  # noqa: SLF001
    values: dict[str, object] = {"tenant": crowded.id, "ids": crowded.clients, "size": 25}
    alone = [await owner.fetch(query.sql, *query.arguments({name: values[name] for name in query.parameter_names})) for query in everyone]
    batch = Batch(everyone, [0, 0, 0])
    forced = "debug_parallel_query" if owner.get_server_version() >= (16,) else "force_parallel_mode"
    for setting in ("parallel_setup_cost = 0", "parallel_tuple_cost = 0", "min_parallel_table_scan_size = 0", f"{forced} = on"):
        await owner.execute(f"SET {setting}")
    found = await owner.fetch(batch.sql, crowded.id, crowded.clients, 25, record_class=Row)
    await owner.close()
    assert [[list(row) for row in part] for part in batch.split(found)] == [[[*row.values()] for row in part] for part in alone]


async def test_records_that_change_their_class_are_freed(owner: asyncpg.Connection) -> None:
    """None is left behind, and no class has one reference too many."""
    batch = Batch([number("1"), number("2")], [0, 1])

    async def ask() -> None:
        found = batch.split(await owner.fetch(batch.sql, UUID(int=1), record_class=Row))
        assert [[row.number for row in part] for part in found] == [[1], [2]]

    await ask()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(200):
        await ask()
    await owner.fetchval("SELECT 1")  # the driver lets go of its last answer
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Number)]
    assert len(gc.get_objects()) - before < 200
