"""Lookups of tokens: what an address that guesses tokens can cost the database, the memory and other callers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import psutil
import pytest

from db.engine.database import Database, DatabaseLimits
from db.tables import Role
from domain.core.scope import Actor
from domain.organization.tokens import new_secret
from server.errors import ErrorCode, HttpError
from server.http.auth import MAX_ADDRESSES, MAX_WAITING_LOOKUPS, Authenticator, AuthFailureLimiter
from tests.support.builders import Tenant
from tests.support.databases import runtime_url
from tests.support.eventually import wait_until

MIB = 2**20
FIRST_ADDRESS, SECOND_ADDRESS = "192.0.2.1", "192.0.2.2"
HUGE_LIMIT = 10**9


@pytest.fixture
async def large_database(owner_url: str) -> AsyncIterator[Database]:
    """Connect with more read connections than lookups should need at once."""
    database = await Database.connect(runtime_url(owner_url), DatabaseLimits(read_pool_size=30, write_pool_size=1))
    yield database
    await database.close()


@asynccontextmanager
async def block_lookups(owner: asyncpg.Connection) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Block every lookup in the database during the block. Yield a function that counts the blocked ones."""
    async with owner.transaction():
        await owner.execute("LOCK TABLE relaties.api_token")

        async def count_blocked() -> int:
            lookup_count: int = await owner.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'relaties.api_token'::regclass"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            return lookup_count

        yield count_blocked


async def sign_in_result(sign_in: Authenticator, secret: str, address: str = FIRST_ADDRESS) -> Actor | ErrorCode | None:
    try:
        return await sign_in.authenticate(f"Bearer {secret}", address)
    except HttpError as why:
        return why.code if int(why.headers["retry-after"]) > 0 else None


async def exhaust_guesses(sign_in: Authenticator, most: int) -> None:
    """Send as many wrong tokens as the address may."""
    assert [await sign_in_result(sign_in, new_secret()) for _ in range(most)] == [None] * most


def start_sign_ins(
    sign_in: Authenticator, secrets: list[str], address: str = FIRST_ADDRESS
) -> list[asyncio.Task[Actor | ErrorCode | None]]:
    return [asyncio.create_task(sign_in_result(sign_in, secret, address)) for secret in secrets]


async def test_beyond_the_limit_lookups_of_an_address_are_serialized(
    large_database: Database, org: Tenant, owner: asyncpg.Connection
) -> None:
    """Cached tokens and tokens of other addresses do not wait. In the end only wrong tokens are rejected."""
    sign_in = Authenticator(large_database, 3)
    known_token, new, other = (org.tokens[role] for role in (Role.OWNER, Role.ADMIN, Role.VIEWER))
    assert await sign_in_result(sign_in, known_token)
    await exhaust_guesses(sign_in, 3)
    async with block_lookups(owner) as lookups:
        tasks = start_sign_ins(sign_in, [new_secret(), new, *(new_secret() for _ in range(20))])
        await wait_until(lambda: wait_for_count(lookups, 1))
        assert isinstance(await sign_in_result(sign_in, known_token), Actor)
        tasks += start_sign_ins(sign_in, [other], SECOND_ADDRESS)
        await wait_until(lambda: wait_for_count(lookups, 2))
    answers = await asyncio.gather(*tasks)
    assert [isinstance(each, Actor) for each in answers] == [False, True, *[False] * 20, True]
    assert {each for each in answers if not isinstance(each, Actor)} == {ErrorCode.RATE_LIMITED}


async def wait_for_count(count: Callable[[], Awaitable[int]], expected: int) -> bool:
    count_now = await count()
    assert count_now <= expected
    return count_now == expected


async def test_concurrent_wrong_tokens_do_not_exceed_the_limit(large_database: Database, owner: asyncpg.Connection) -> None:
    """The limit includes lookups that have not failed yet."""
    sign_in = Authenticator(large_database, 3)
    async with block_lookups(owner) as lookups:
        tasks = start_sign_ins(sign_in, [new_secret() for _ in range(20)])
        await wait_until(lambda: wait_for_count(lookups, 4))
    assert sorted(map(str, await asyncio.gather(*tasks))) == ["None"] * 3 + ["RATE_LIMITED"] * 17


async def test_token_is_looked_up_once_for_concurrent_requests(large_database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """This holds for a wrong token too: a client with a revoked token uses up only one failure."""
    sign_in, good, wrong = Authenticator(large_database, 3), org.tokens[Role.OWNER], new_secret()
    async with block_lookups(owner) as lookups:
        tasks = start_sign_ins(sign_in, [good] * 20 + [wrong] * 20)
        await wait_until(lambda: wait_for_count(lookups, 2))
    answers = await asyncio.gather(*tasks)
    assert [isinstance(each, Actor) for each in answers] == [True] * 20 + [False] * 20
    assert set(answers[20:]) == {None}
    await exhaust_guesses(sign_in, 2)
    assert await sign_in_result(sign_in, new_secret()) is ErrorCode.RATE_LIMITED


async def test_waiting_lookups_of_an_address_are_bounded(large_database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """Further lookups are rejected at once. Later the same valid token is accepted."""
    sign_in = Authenticator(large_database, 3)
    await exhaust_guesses(sign_in, 3)
    async with block_lookups(owner) as lookups:
        tasks = start_sign_ins(sign_in, [new_secret() for _ in range(1 + MAX_WAITING_LOOKUPS)])
        await wait_until(lambda: wait_for_count(lookups, 1))
        assert await sign_in_result(sign_in, org.tokens[Role.OWNER]) is ErrorCode.RATE_LIMITED
    assert set(await asyncio.gather(*tasks)) == {ErrorCode.RATE_LIMITED}
    assert isinstance(await sign_in_result(sign_in, org.tokens[Role.OWNER]), Actor)


async def test_known_good_token_bypasses_the_queue(
    large_database: Database, org: Tenant, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guesses from the same address do not lock out the owner of the token, however long they continue."""
    sign_in, known_token = Authenticator(large_database, 3), org.tokens[Role.OWNER]
    assert await sign_in_result(sign_in, known_token)
    await exhaust_guesses(sign_in, 3)
    monkeypatch.setattr("server.http.auth.TOKEN_CACHE_S", -1.0)
    async with block_lookups(owner) as lookups:
        tasks = start_sign_ins(sign_in, [new_secret() for _ in range(1 + MAX_WAITING_LOOKUPS)])
        await wait_until(lambda: wait_for_count(lookups, 1))
        again = start_sign_ins(sign_in, [known_token])
        await wait_until(lambda: wait_for_count(lookups, 2))
    assert isinstance(await again[0], Actor)
    await asyncio.gather(*tasks)


async def test_request_cancelled_while_waiting_leaves_no_state(large_database: Database, org: Tenant, owner: asyncpg.Connection) -> None:
    """This holds for requests in a lookup and for those that wait for one."""
    sign_in = Authenticator(large_database, 3)
    async with block_lookups(owner) as lookups:
        tasks = start_sign_ins(sign_in, [new_secret() for _ in range(10)])
        await wait_until(lambda: wait_for_count(lookups, 4))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await exhaust_guesses(sign_in, 3)
    assert isinstance(await sign_in_result(sign_in, org.tokens[Role.OWNER]), Actor)


async def test_ten_thousand_wrong_tokens_evict_no_good_one(large_database: Database, org: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The good token was revoked meanwhile and is still accepted, so it is still in the cache."""
    monkeypatch.setattr("server.http.auth.TOKEN_CACHE_S", 10.0**9)
    sign_in, good = Authenticator(large_database, HUGE_LIMIT), org.tokens[Role.OWNER]
    assert await sign_in_result(sign_in, good)
    await org.owner.execute("UPDATE relaties.api_token SET revoked_at = now() WHERE tenant_id = $1", org.id)
    before = psutil.Process().memory_info().rss
    for _ in range(100):
        assert set(await asyncio.gather(*start_sign_ins(sign_in, [new_secret() for _ in range(101)]))) == {None}
    assert isinstance(await sign_in_result(sign_in, good), Actor)
    assert psutil.Process().memory_info().rss - before < 20 * MIB


async def test_tokens_are_cached_as_digests(large_database: Database, org: Tenant) -> None:
    """This holds for valid, wrong and malformed tokens. A reader of the server's memory cannot sign in."""
    sign_in, secrets = Authenticator(large_database, HUGE_LIMIT), [org.tokens[Role.OWNER], new_secret(), "rlt_of another form"]
    await asyncio.gather(*start_sign_ins(sign_in, secrets))
    assert not [secret for secret in secrets if secret in repr(vars(sign_in))]


@pytest.mark.parametrize("address", ["192.0.{}.{}", "2001:db8:{:x}:{:x}::"])
def test_failing_addresses_are_bounded(address: str) -> None:
    """Beyond ten thousand addresses, the one with the oldest failure is forgotten."""
    failures = AuthFailureLimiter(1)
    hosts = [address.format(number // 256, number % 256) for number in range(2 * MAX_ADDRESSES)]
    for host in hosts:
        failures.record_failure(host)
    assert len(failures) == MAX_ADDRESSES
    assert [failures.remaining(host) for host in hosts] == [1] * MAX_ADDRESSES + [0] * MAX_ADDRESSES


@pytest.mark.parametrize(
    ("addresses", "is_refused"),
    [
        (["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:1"], True),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], False),
        (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"], True),
        (["192.0.2.1", "192.0.2.2", "::ffff:192.0.2.3"], False),
    ],
    ids=str,
)
async def test_wrong_tokens_are_counted_by_address_or_ipv6_network(
    large_database: Database, addresses: list[str], *, is_refused: bool
) -> None:
    sign_in = Authenticator(large_database, 2)
    answers = [await sign_in_result(sign_in, new_secret(), address) for address in addresses]
    assert answers == [None, None, ErrorCode.RATE_LIMITED if is_refused else None]
