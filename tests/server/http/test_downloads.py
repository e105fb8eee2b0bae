"""`GET /downloads/<signed>` serves a file to everybody who has its signed URL, and the same refusal for every other URL."""

import asyncio
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest
import strawberry

from db.engine.database import Database
from db.tables import PART_BYTES
from db.tables.keys import new_id
from domain.files import PATH, delete_of_jobs
from server.app import build_app
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, SECRET_KEYS, connect_client, connect_to_application
from tests.support.builders import Tenant, create_tenant
from tests.support.files import CONTENT_TYPE, NAME, expire, make_content, sign, sign_at, store_content

SECURITY_HEADERS = {
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class SampleFile(NamedTuple):
    """A stored file, its content and the path that downloads it."""

    id: UUID
    content: bytes
    path: str


def count_file_statements(statements: list[str]) -> int:
    """Return the number of statements, without those of the driver, which a new connection sends."""
    return sum("relaties.file" in statement for statement in statements)


@pytest.fixture
async def http(database: Database, schema: strawberry.Schema) -> AsyncIterator[httpx.AsyncClient]:
    async with connect_client(schema, database) as client:
        yield client


@pytest.fixture
async def file(database: Database, org: Tenant, tmp_path: Path) -> SampleFile:
    content = make_content(PART_BYTES + 1)
    file_id = await store_content(database, org, tmp_path, content)
    return SampleFile(file_id, content, sign(org, file_id))


@pytest.mark.parametrize("size", [0, 1, 65_536, PART_BYTES, PART_BYTES + 1, 5_000_000])
async def test_download_is_the_stored_file(
    http: httpx.AsyncClient, database: Database, org: Tenant, tmp_path: Path, statements: list[str], size: int
) -> None:
    """It needs no token. One statement finds the file, and one reads each part."""
    content = make_content(size)
    file_id = await store_content(database, org, tmp_path, content)
    response = await http.get(sign(org, file_id))
    await asyncio.sleep(0)
    assert (response.status_code, response.content) == (200, content)
    assert count_file_statements(statements) == 1 + -(-size // PART_BYTES)
    headers = dict(response.headers)
    assert len(headers.pop("x-request-id")) == 32
    assert headers == {
        **SECURITY_HEADERS,
        "content-type": CONTENT_TYPE,
        "content-length": str(size),
        "content-disposition": f"attachment; filename=\"{NAME}\"; filename*=UTF-8''{NAME}",
        "etag": f'"{file_id.hex}"',
        "accept-ranges": "bytes",
    }


async def test_head_has_the_headers_of_get_and_reads_no_part(http: httpx.AsyncClient, file: SampleFile, statements: list[str]) -> None:
    get = await http.get(file.path)
    await asyncio.sleep(0)
    statements.clear()
    head = await http.head(file.path, headers={"range": "bytes=0-1"})
    await asyncio.sleep(0)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "x-request-id": ""} == {**get.headers, "x-request-id": ""}
    assert count_file_statements(statements) == 1


async def test_file_that_the_client_has_is_not_sent_again(http: httpx.AsyncClient, file: SampleFile, statements: list[str]) -> None:
    response = await http.get(file.path, headers={"if-none-match": f'"{file.id.hex}"'})
    await asyncio.sleep(0)
    assert (response.status_code, response.content, count_file_statements(statements)) == (304, b"", 1)
    assert response.headers["etag"] == f'"{file.id.hex}"'
    assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_rejected(http: httpx.AsyncClient, file: SampleFile, statements: list[str], method: str) -> None:
    response = await http.request(method, file.path)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    assert statements == []


async def fetch_refusal(http: httpx.AsyncClient, path: str) -> tuple[object, ...]:
    """Return everything of a response that its client can see."""
    response = await http.get(path)
    return response.status_code, {**response.headers, "x-request-id": ""}, response.content


@pytest.fixture
async def refusal(http: httpx.AsyncClient) -> tuple[object, ...]:
    """Return the refusal that all others must equal: of a URL that nobody has signed."""
    status, headers, body = await fetch_refusal(http, f"{PATH}nothing")
    assert isinstance(headers, dict)
    assert headers.items() >= SECURITY_HEADERS.items()
    assert (status, headers["content-type"]) == (404, "application/json")
    message = "There is no file at this URL, or the URL has expired. Query a new `downloadUrl`."
    assert body == b'{"errors":[{"message":"%b","extensions":{"code":"NOT_FOUND"}}]}' % message.encode()
    return status, headers, body


async def test_url_changed_at_any_position_is_refused(
    http: httpx.AsyncClient, file: SampleFile, refusal: tuple[object, ...], statements: list[str]
) -> None:
    """It costs no statement."""
    signed = file.path.removeprefix(PATH)
    assert len(signed) == 80
    changed = [
        f"{signed[:at]}{replacement}{signed[at + 1 :]}"
        for at, letter in enumerate(signed)
        for replacement in {ALPHABET[(ALPHABET.index(letter) + step) % 64] for step in (1, 63)} | {letter.swapcase()} - {letter}
    ]
    changed += [
        signed[:-1],
        signed[1:],
        f"{signed}A",
        f"A{signed}",
        f"{signed}=",
        f"{signed}/",
        f"/{signed}",
        f"{signed[:40]}/{signed[40:]}",
    ]
    changed += [f"{signed}%00", f"{signed}%0A", f"{signed[:40]}%0A{signed[40:]}", "", "%F0%9F%98%80" * 20, "A" * 80, "0" * 80, "é" * 80]
    assert len(changed) > 180
    responses = await asyncio.gather(*(fetch_refusal(http, f"{PATH}{each}") for each in changed))
    assert [each for each, response in zip(changed, responses, strict=True) if response != refusal] == []
    assert statements == []
    assert (await http.get(file.path)).content == file.content


async def test_url_of_another_organization_is_refused(
    http: httpx.AsyncClient, file: SampleFile, org: Tenant, refusal: tuple[object, ...], statements: list[str]
) -> None:
    """Neither with its id in the URL of this one, nor signed for it: the file is not its own."""
    other, signed = await create_tenant(org.owner), file.path.removeprefix(PATH)
    assert await fetch_refusal(http, f"{PATH}{other.id.hex}{signed[32:]}") == refusal
    assert statements == []
    assert await fetch_refusal(http, sign(other, file.id)) == refusal
    assert await fetch_refusal(http, sign(org, new_id())) == refusal


async def test_url_of_another_purpose_or_key_is_refused(
    http: httpx.AsyncClient, file: SampleFile, org: Tenant, refusal: tuple[object, ...], statements: list[str]
) -> None:
    now = datetime.now(UTC)
    assert (await http.get(sign_at(org, file.id, now))).content == file.content
    await asyncio.sleep(0)
    statements.clear()
    for path in (
        sign_at(org, file.id, now, purpose=b"deletion 2"),
        sign_at(org, file.id, now, purpose=b""),
        sign_at(org, file.id, now, secret=b"another secret of the tests, 32 bytes"),
    ):
        assert await fetch_refusal(http, path) == refusal
    assert statements == []


@pytest.mark.parametrize(
    ("age", "is_valid"),
    [
        (timedelta(minutes=14, seconds=30), True),
        (timedelta(minutes=15, seconds=1), False),
        (timedelta(days=400), False),
        (timedelta(minutes=-2), False),
    ],
)
async def test_url_is_valid_for_15_minutes(
    http: httpx.AsyncClient, file: SampleFile, org: Tenant, refusal: tuple[object, ...], *, age: timedelta, is_valid: bool
) -> None:
    path = sign_at(org, file.id, datetime.now(UTC) - age)
    assert (await http.get(path)).content == file.content if is_valid else await fetch_refusal(http, path) == refusal


async def test_time_in_the_url_cannot_be_renewed(
    http: httpx.AsyncClient, file: SampleFile, org: Tenant, refusal: tuple[object, ...]
) -> None:
    """The signature covers it, in each of its bytes."""
    now = datetime.now(UTC)
    old, fresh = (urlsafe_b64decode(sign_at(org, file.id, at)[-48:]) for at in (now - timedelta(hours=1), now))
    forged = urlsafe_b64encode(old[:12] + fresh[12:20] + old[20:]).decode()
    assert await fetch_refusal(http, f"{PATH}{org.id.hex}{forged}") == refusal


async def test_expired_file_is_refused_before_it_is_purged(
    http: httpx.AsyncClient, file: SampleFile, org: Tenant, refusal: tuple[object, ...]
) -> None:
    await expire(org.owner, file.id)
    assert await org.owner.fetchval("SELECT count(*) FROM relaties.file_part WHERE file_id = $1", file.id) == 2
    assert await fetch_refusal(http, file.path) == refusal


async def test_deleted_file_is_refused(
    http: httpx.AsyncClient, database: Database, file: SampleFile, org: Tenant, refusal: tuple[object, ...]
) -> None:
    job = await org.owner.fetchval("SELECT job_id FROM relaties.file WHERE id = $1", file.id)
    async with database.unit_of_work(org.id) as work:
        await delete_of_jobs(work, [job])
    assert await fetch_refusal(http, file.path) == refusal
    assert (await http.head(file.path)).status_code == 404


async def test_url_signed_with_an_older_key_is_valid(database: Database, schema: strawberry.Schema, file: SampleFile) -> None:
    """Once the older key is removed, its URLs are refused."""
    new = b"the next secret of the tests, long enough"
    for keys, status in (([new, *SECRET_KEYS], 200), ([new], 404)):
        async with connect_to_application(build_app(schema, database, Settings(), keys)) as http:
            assert (await http.get(file.path)).status_code == status


async def test_log_has_nothing_of_the_url(http: httpx.AsyncClient, file: SampleFile, org: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    """It has the organization of a URL that is valid, and the same name for all."""
    caplog.set_level(logging.DEBUG)
    signed = file.path.removeprefix(PATH)
    for path in (file.path, f"{file.path}A", f"{PATH}{signed[:40]}/{signed[40:]}"):
        await http.get(path)
    records = [record for record in caplog.records if record.name == "relaties"]
    fields = [record.__dict__["fields"] for record in records]
    assert [each["operation_name"] for each in fields] == ["GET /downloads/…"] * 3
    assert [each.get("organization_id") for each in fields] == [str(org.id), None, None]
    assert [each["status"] for each in fields] == [200, 404, 404]
    server_lines = [record.getMessage() + str(record.__dict__) for record in caplog.records if not record.name.startswith("http")]
    assert len(server_lines) >= 3
    for piece in (signed, signed[32:60], file.id.hex, str(file.id), NAME):
        assert not [line for line in server_lines if piece in line], piece


async def test_refusals_are_throttled_by_address(
    database: Database, schema: strawberry.Schema, file: SampleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valid downloads are not."""
    waits = list[str]()

    async def record_wait(_throttle: object, _organization: object, address: str) -> None:
        waits.append(address)

    monkeypatch.setattr("server.admission.refusal_throttle.RefusalThrottle.wait_for_caller", record_wait)
    async with connect_client(schema, database) as http:
        assert (await http.get(file.path)).status_code == 200
        assert waits == []
        await http.get(f"{file.path}A")
    assert waits == ["127.0.0.1"]


async def test_requests_of_one_url_are_limited(database: Database, schema: strawberry.Schema, file: SampleFile) -> None:
    """Its holders share the points of a token, and find out when to try again. A URL that is not valid costs nobody points."""
    settings = Settings(rate_limit_burst=50, rate_limit_restore=1, max_refusals_per_second=HUGE_LIMIT)
    async with connect_client(schema, database, settings) as http:
        for _ in range(4):
            assert (await http.get(f"{file.path}A")).status_code == 404
        assert [(await http.head(file.path)).status_code for _ in range(2)] == [200, 200]
        response = await http.get(file.path)
    assert (response.status_code, response.headers["retry-after"]) == (429, "25")
    assert response.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize("origin", ["https://app.example", "https://evil.test"])
async def test_page_of_a_listed_origin_can_fetch_the_file(
    database: Database, schema: strawberry.Schema, file: SampleFile, origin: str
) -> None:
    """It can read the name of the file, and continue an interrupted download."""
    is_listed = origin == "https://app.example"
    async with connect_client(schema, database, Settings(cors_origins=["https://app.example"])) as http:
        response = await http.get(file.path, headers={"origin": origin, "range": "bytes=1-3"})
        asked = {"access-control-request-method": "GET", "access-control-request-headers": "if-range,range"}
        preflight = await http.options(file.path, headers={"origin": origin, **asked})
    assert (response.status_code, response.content) == (206, file.content[1:4])
    assert response.headers.get("access-control-allow-origin") == (origin if is_listed else None)
    exposed = response.headers.get("access-control-expose-headers", "").split(", ")
    assert ({"content-disposition", "content-range", "etag"} <= {*exposed}) == is_listed
    assert preflight.status_code == (200 if is_listed else 403)


async def test_every_organization_downloads_only_its_own_file(http: httpx.AsyncClient, org: Tenant) -> None:
    """Two files have the same id, and only the organization in the signature tells them apart."""
    other, key = await create_tenant(org.owner), new_id()
    await org.add_file(b"of one", key=key)
    await other.add_file(b"of the other", key=key)
    assert [(await http.get(sign(each, key))).content for each in (org, other)] == [b"of one", b"of the other"]
