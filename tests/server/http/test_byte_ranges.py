"""A client resumes a download with a range of bytes, and gets the whole file wherever a range would not fit its part."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import strawberry

from db.engine.database import Database
from db.tables import PART_BYTES
from tests.support.api import connect_client
from tests.support.builders import Tenant
from tests.support.files import make_content, sign, store_content

SIZE = 2 * PART_BYTES + 10
CONTENT = make_content(SIZE)
BORDER = PART_BYTES


@pytest.fixture
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database) as client:
        yield client


@pytest.fixture
async def path(database: Database, org: Tenant, tmp_path: Path) -> str:
    return sign(org, await store_content(database, org, tmp_path, CONTENT))


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes=5-{SIZE + 1000}", 5, SIZE - 1),
        (f"bytes=5-{'9' * 19}", 5, SIZE - 1),
        (f"bytes={BORDER - 1}-{BORDER}", BORDER - 1, BORDER),
        (f"bytes={BORDER}-{BORDER}", BORDER, BORDER),
        (f"bytes={BORDER - 1}-{BORDER - 1}", BORDER - 1, BORDER - 1),
        (f"bytes=3-{2 * BORDER + 2}", 3, 2 * BORDER + 2),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        (f"bytes=-{BORDER}", SIZE - BORDER, SIZE - 1),
        (f"bytes=-{SIZE + 5}", 0, SIZE - 1),
        (" Bytes = 1-2 ", 1, 2),
    ],
)
async def test_range_is_exactly_its_bytes(
    http: httpx.AsyncClient, path: str, statements: list[str], header: str, first: int, last: int
) -> None:
    """Only the parts that have them are read."""
    response = await http.get(path, headers={"range": header})
    await asyncio.sleep(0)  # asyncpg logs a statement in the next pass of the event loop
    assert (response.status_code, response.content) == (206, CONTENT[first : last + 1])
    assert response.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert response.headers["content-length"] == str(last + 1 - first)
    assert sum("file_part" in statement for statement in statements) == last // PART_BYTES - first // PART_BYTES + 1


@pytest.mark.parametrize(
    "header",
    [
        "bytes=5-4",
        "bytes=-",
        "bytes=",
        "bytes",
        "",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "items=0-1",
        "bytes=+1-2",
        "bytes=1--2",
        "bytes=0x1-2",
        "bytes=1-2;q=1",
        f"bytes={'1' * 20}-",
        "bytes=²-³".encode("latin-1"),
    ],
)
async def test_invalid_or_multiple_range_is_ignored(http: httpx.AsyncClient, path: str, header: str | bytes) -> None:
    response = await http.get(path, headers=[(b"range", header if isinstance(header, bytes) else header.encode())])
    assert (response.status_code, response.content) == (200, CONTENT)
    assert "content-range" not in response.headers


async def test_repeated_header_is_ignored(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(path, headers=[("range", "bytes=0-1"), ("range", "bytes=2-3")])
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", f"bytes={'9' * 19}-", "bytes=-0"])
async def test_range_without_any_byte_is_not_satisfiable(http: httpx.AsyncClient, path: str, statements: list[str], header: str) -> None:
    """No part is read, and the response names the size."""
    response = await http.get(path, headers={"range": header})
    await asyncio.sleep(0)  # asyncpg logs a statement in the next pass of the event loop
    assert (response.status_code, response.headers["content-range"]) == (416, f"bytes */{SIZE}")
    (error,) = response.json()["errors"]
    assert error == {
        "message": f"The file has {SIZE} bytes, and none of the range that you requested. Download it from the start.",
        "extensions": {"code": "RANGE_NOT_SATISFIABLE"},
    }
    assert not [statement for statement in statements if "file_part" in statement]


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-5"])
async def test_empty_file_has_no_range(http: httpx.AsyncClient, database: Database, org: Tenant, tmp_path: Path, header: str) -> None:
    path = sign(org, await store_content(database, org, tmp_path, b""))
    response = await http.get(path, headers={"range": header})
    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */0")


async def test_interrupted_download_is_continued_only_with_the_same_file(http: httpx.AsyncClient, path: str) -> None:
    """A client that has a part of another file gets the whole file."""
    complete = await http.get(path)
    tag = complete.headers["etag"]
    resumed = await http.get(path, headers={"range": "bytes=100-", "if-range": tag})
    assert (resumed.status_code, complete.content[:100] + resumed.content) == (206, CONTENT)
    for other in ('"other"', f"W/{tag}", tag[1:-1], "Wed, 21 Oct 2026 07:28:00 GMT", "*"):
        response = await http.get(path, headers={"range": "bytes=100-", "if-range": other})
        assert (response.status_code, response.content) == (200, CONTENT), other
