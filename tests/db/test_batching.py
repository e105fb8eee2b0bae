"""Several queries as one statement: the rows of each query, cancellation and errors, and the bounds of the cached statements."""

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
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.owner import OwnerTransaction
from tests.support.product_queries import QUERIES

PAGE = PageSlice(is_ascending=True, after=None, size=2)
LOCKING_QUERIES = {name for name in QUERIES if name.startswith(("labels.lock_", "files.lock_"))}  # used only in units of work
UNBATCHED_QUERIES = LOCKING_QUERIES | {"files.part"}  # a download sends it alone


class RecordingDatabase(NamedTuple):
    """A database with one read connection, and the statements that are sent on it."""

    database: Database
    statements: list[str]

    async def data_statements(self) -> list[str]:
        await asyncio.sleep(0)  # the driver logs a statement in the next pass of the event loop
        return [text for text in self.statements if "relaties." in text or "1 / 0" in text]


@pytest.fixture
async def server(owner_url: str) -> AsyncIterator[RecordingDatabase]:
    statements: list[str] = []
    database = await Database.connect(
        runtime_url(owner_url), DatabaseLimits(read_pool_size=1, write_pool_size=1), on_statement=statements.append
    )
    yield RecordingDatabase(database, statements)
    await database.close()


@pytest.fixture
async def tx(server: RecordingDatabase, org: Tenant) -> AsyncIterator[ReadTransaction]:
    transaction = server.database.read(org.id)
    transaction.batch_queries()
    yield transaction
    await transaction.end()


class Number(Row):
    number: int


def select_number(text: str) -> Query[Number]:
    return Query(select(literal_column(text, Integer()).label("number")).where(TENANT.is_not(None)), Number)


ONE_QUERY, FAILING_QUERY = select_number("1"), select_number("1 / 0")


async def test_concurrent_queries_are_one_statement(server: RecordingDatabase, tx: ReadTransaction, org: Tenant) -> None:
    """Each query gets its own rows, in its own order and of its own class."""
    many, none = await org.add_client("Een"), await org.add_client("Twee")
    for name in ("Zilver", "Goud"):
        await org.add_label(name, many)
    await org.add_contact("Bos", many, none)

    for _ in range(2):  # the first time, queries are sent one by one
        server.statements.clear()
        labels_by_client, counts, client_rows = await asyncio.gather(
            labels.of_clients(tx, [many, none]), contacts.counts_of_clients(tx, [none, many]), clients.by_id(tx, [none, many])
        )
    assert [[label.name for label in each] for each in labels_by_client] == [["Goud", "Zilver"], []]
    assert counts == [1, 1]
    assert [client and client.name for client in client_rows] == ["Twee", "Een"]
    assert [type(labels_by_client[0][0]).__mro__[1], type(client_rows[0]).__mro__[1]] == [ClientLabelRow, ClientRow]
    assert len(await server.data_statements()) == 1


async def test_record_of_a_batch_equals_a_single_record(tx: ReadTransaction, org: Tenant) -> None:
    """It iterates over its own values in the order of its columns, whatever other columns the statement has."""
    key = await org.add_label("Goud")
    (single,) = await labels.by_id(OwnerTransaction(org.owner, org.id), [key])
    for _ in range(2):
        (record,), _ = await asyncio.gather(labels.by_id(tx, [key]), contacts.counts_of_clients(tx, [key]))
    assert isinstance(record, LabelRow)
    assert single is not None
    assert list(record) == list(single)
    assert [getattr(record, name) for name in LabelRow.__columns__] == list(single)


async def test_single_query_is_sent_unchanged(server: RecordingDatabase, tx: ReadTransaction) -> None:
    for _ in range(3):
        assert await labels.by_id(tx, []) == []
    assert [text.partition(" ")[2] for text in await server.data_statements()] == [labels.BY_ID.sql.partition(" ")[2]] * 3


async def test_page_includes_the_relations_of_its_rows(server: RecordingDatabase, org: Tenant) -> None:
    """The relations are queried for the rows that are shown, not for the further row that shows that there are more."""
    keys = [await org.add_client(name) for name in ("A", "B", "C")]
    for key in keys:
        await org.add_label("L" + str(key), key)
    for statements in (3, 1):
        tasks: list[asyncio.Future[Any]] = []
        id_lists: list[Sequence[UUID]] = []

        def start_relations(
            ids: Sequence[UUID],
            fetch: Callable[..., Awaitable[Any]],
            id_lists: list[Sequence[UUID]] = id_lists,
            tasks: list[asyncio.Future[Any]] = tasks,
        ) -> None:
            id_lists.append(ids)
            tasks.append(asyncio.ensure_future(fetch(ids)))

        tx = server.database.read(org.id)
        server.statements.clear()
        tx.batch_queries(
            [
                ((ClientRow,), lambda ids: start_relations(ids, lambda ids: labels.of_clients(tx, ids))),  # noqa: B023
                ((ClientRow,), lambda ids: start_relations(ids, lambda ids: contacts.counts_of_clients(tx, ids))),  # noqa: B023
                ((LabelRow,), lambda ids: start_relations(ids, lambda ids: labels.by_id(tx, ids))),  # noqa: B023
            ]
        )
        page = await clients.page(tx, clients.ClientFilter(), clients.ClientSortField.NAME, PAGE)
        labels_by_client, counts = await asyncio.gather(*tasks)
        await tx.end()
        assert [row.id for row in page] == keys
        assert [list(ids) for ids in id_lists] == [keys[:2]] * 2
        assert [[label.name for label in each] for each in labels_by_client] == [["L" + str(key)] for key in keys[:2]]
        assert counts == [0, 0]
        assert len(await server.data_statements()) == statements


def test_ids_of_a_page_are_not_read_before_it() -> None:
    """Reading their number raises an error, too."""
    ids = LeaderIds()
    for read in (len, list, bool, lambda ids: ids[0]):
        with pytest.raises(UnknownIdsError):
            read(ids)
    ids.ids = [UUID(int=1)]
    assert (len(ids), list(ids), ids[0]) == (1, [UUID(int=1)], UUID(int=1))


async def test_failure_reaches_all_queries_of_the_batch(server: RecordingDatabase, tx: ReadTransaction) -> None:
    """It does not affect later queries, which use a new transaction."""
    for _ in range(2):
        server.statements.clear()
        results = await asyncio.gather(tx.fetch(ONE_QUERY), tx.fetch(FAILING_QUERY), tx.fetch(ONE_QUERY), return_exceptions=True)
    assert [type(each) for each in results] == [asyncpg.DivisionByZeroError] * 3
    assert len(await server.data_statements()) == 1
    assert [row.number for row in await tx.fetch(ONE_QUERY)] == [1]


@pytest.mark.parametrize("passes", range(4))
async def test_cancelled_query_leaves_no_query_waiting(server: RecordingDatabase, tx: ReadTransaction, passes: int) -> None:
    """Cancelling the first query, which sends all of them, cancels the others, too, whether or not it has sent them."""
    for _ in range(2):
        assert len(await asyncio.gather(tx.fetch(ONE_QUERY), tx.fetch(ONE_QUERY))) == 2
    first, second, third = (asyncio.ensure_future(tx.fetch(ONE_QUERY)) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    for _ in range(passes):
        await asyncio.sleep(0)
    first.cancel()
    assert [type(each) for each in await asyncio.gather(first, second, third, return_exceptions=True)] == [asyncio.CancelledError] * 3
    assert [row.number for row in await tx.fetch(ONE_QUERY)] == [1]
    assert server.database.read_connections_in_use == 1


async def test_query_during_a_statement_is_part_of_the_next(server: RecordingDatabase, tx: ReadTransaction) -> None:
    """Nested levels that gather queries at the same time are all answered: no query waits for an expected number of others."""

    async def level(depth: int) -> int:
        """Run a query, and then two levels below it; at odd depths, one pass of the event loop later."""
        (row,) = await tx.fetch(ONE_QUERY)
        for _ in range(depth % 2):
            await asyncio.sleep(0)
        return row.number + (sum(await asyncio.gather(level(depth - 1), level(depth - 1))) if depth else 0)

    assert await asyncio.gather(*(level(depth) for depth in (3, 2, 3))) == [15, 7, 15]
    assert len(server.statements) > 1


NESTED_QUERY = """{ clients(first: 5) { nodes {
  contacts { totalCount nodes { clients { totalCount nodes {
    labels { name } projects { totalCount nodes { registrations { totalCount } } } } } } }
  projects { totalCount nodes { client { name contacts { nodes { fullName } } } registrations { totalCount nodes { labels { name } } } } }
  portals { contacts { fullName } projects { client { labels { name } } } } } } }"""


async def test_nested_levels_that_gather_concurrently_are_all_answered(
    server: RecordingDatabase, schema: strawberry.Schema, sample_org: Tenant, database: Database
) -> None:
    """The response equals that of graphql-core's executor, and takes few statements."""
    async with connect_client(schema, database, UNLIMITED.model_copy(update={"compiled_executor": False})) as other:
        expected = await Api(other, sample_org.tokens[Role.OWNER]).data(NESTED_QUERY)
    async with connect_client(schema, server.database, UNLIMITED) as http:
        for _ in range(3):
            server.statements.clear()
            assert await Api(http, sample_org.tokens[Role.OWNER]).data(NESTED_QUERY) == expected
    assert len(await server.data_statements()) < 14


@pytest.mark.parametrize("name", sorted({*QUERIES} - UNBATCHED_QUERIES))
async def test_every_query_can_be_batched(owner: asyncpg.Connection, name: str) -> None:
    """PostgreSQL accepts its SQL among other queries and led by a page, with at least as many columns."""
    page, query = QUERIES["clients.page"], QUERIES[name]
    for batch in (
        Batch([query, page, query], [0, 1, 2]),
        Batch([page, query, query], [0, *([LEADER_PART, LEADER_PART] if "ids" in query.parameter_names else [1, 2])]),
    ):
        prepared = await owner.prepare(batch.sql)
        assert len(prepared.get_attributes()) > len(page.row.__columns__)


async def test_query_used_once_has_no_prepared_statement(server: RecordingDatabase, tx: ReadTransaction) -> None:
    """A connection keeps a hundred statements, so a combination of queries that does not come again must not displace another."""
    pairs = [*combinations([select_number(str(value)) for value in range(12)], 2)]
    for pair in pairs:
        await asyncio.gather(*map(tx.fetch, pair))
    assert not [text for text in server.statements if "UNION ALL" in text]


def test_cached_batches_are_bounded() -> None:
    """The most recently used batches are kept. Combinations that were seen once are forgotten."""
    batches, loop = BatchCache(), asyncio.new_event_loop()
    queries = [select_number(str(value)) for value in range(40)]
    pairs = [*combinations(queries, 2)]
    assert len(pairs) > MAX_SEEN + MAX_BATCHES

    def find(pair: Sequence[Query[Any]]) -> Batch | None:
        return batches.find([PendingQuery(query, {}, asyncio.Future(loop=loop), None) for query in pair])

    assert [find(pair) for pair in pairs] == [None] * len(pairs)
    assert find(pairs[0]) is None
    cached_batches = [find(pair) for pair in pairs[-MAX_BATCHES - 1 :]]
    assert all(cached_batches)
    assert find(pairs[-1]) is cached_batches[-1]
    assert find(pairs[-MAX_BATCHES - 1]) is None
    loop.close()


async def test_too_long_statement_is_not_sent(server: RecordingDatabase, tx: ReadTransaction) -> None:
    long = Query(select(func.length(literal_column(f"'{'x' * 15_000}'", Text())).label("number")).where(TENANT.is_not(None)), Number)
    for _ in range(3):
        server.statements.clear()
        results = await asyncio.gather(tx.fetch(ONE_QUERY), tx.fetch(long))
        assert [row.number for (row,) in results] == [1, 15_000]
        assert not [text for text in server.statements if "UNION ALL" in text]


async def test_parallel_workers_keep_rows_and_their_order(owner_url: str, sample_org: Tenant) -> None:
    """If PostgreSQL runs the parts of a union in parallel, their rows are mixed, but those of each part stay in order."""
    owner = await asyncpg.connect(owner_url)
    queries: list[Query[Any]] = [contacts._all_per_client(), labels.OF_CLIENTS, clients.BY_ID]  # noqa: SLF001
    values: dict[str, object] = {"tenant": sample_org.id, "ids": sample_org.clients, "size": 25}
    single = [await owner.fetch(query.sql, *query.arguments({name: values[name] for name in query.parameter_names})) for query in queries]
    batch = Batch(queries, [0, 0, 0])
    forced = "debug_parallel_query" if owner.get_server_version() >= (16,) else "force_parallel_mode"
    for setting in ("parallel_setup_cost = 0", "parallel_tuple_cost = 0", "min_parallel_table_scan_size = 0", f"{forced} = on"):
        await owner.execute(f"SET {setting}")
    rows = await owner.fetch(batch.sql, sample_org.id, sample_org.clients, 25, record_class=Row)
    await owner.close()
    assert [[list(row) for row in part] for part in batch.split(rows)] == [[[*row.values()] for row in part] for part in single]


async def test_records_that_change_their_class_are_freed(owner: asyncpg.Connection) -> None:
    """No record leaks, and no reference to a class leaks."""
    batch = Batch([select_number("1"), select_number("2")], [0, 1])

    async def fetch() -> None:
        rows = batch.split(await owner.fetch(batch.sql, UUID(int=1), record_class=Row))
        assert [[row.number for row in part] for part in rows] == [[1], [2]]

    await fetch()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(200):
        await fetch()
    await owner.fetchval("SELECT 1")  # makes the driver free its previous result
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Number)]
    assert len(gc.get_objects()) - before < 200
