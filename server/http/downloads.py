"""Serve files that jobs have made at signed URLs, which need no token: so a browser can save them.

The URL is a secret. It is in no log and no metric, and every URL that gives no file gets the same response.

A download reads one part of its file at a time, and gives the connection to the database back before the part is sent. So any number of
slow clients holds no connection. While the parts are read, only a few downloads at once use the read pool.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from time import perf_counter

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from db.engine.database import Database
from db.tables import PART_BYTES
from domain import files
from domain.core.scope import Actor
from domain.files import Download
from server.admission.byte_budget import SMALL_BYTES, ByteBudget
from server.admission.rate_limit import RateLimiter
from server.admission.refusal_throttle import RefusalThrottle
from server.documents.cost import BASE_COST
from server.errors import ErrorCode, HttpError
from server.http.byte_ranges import parse_range
from server.http.conditional import has_current
from server.http.content_disposition import attachment
from server.http.error_masking import database_error
from server.http.error_responses import error_response
from server.http.request import Request
from server.observability.access_log import AccessLog, AccessRecord, parse_trace_id
from server.observability.health import Health
from server.observability.logging import write_event

PATH = f"{files.PATH}{{signed:path}}"
OPERATION_NAME = f"GET {files.PATH}…"  # for the log; no operation can have this name
CHUNK_BYTES = 65_536  # sent at once: a slow client must read so many within the send timeout
NOT_FOUND_S = 0.05
HEADERS = {
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
NOT_FOUND = "There is no file at this URL, or the URL has expired. Query a new `downloadUrl`."
SHUTTING_DOWN = "The server is shutting down. Try again in a moment."


class DownloadLoad:
    """The downloads that run, and the slots of those that may read from the database at once."""

    def __init__(self, slots: int) -> None:
        self.slots = asyncio.Semaphore(slots)
        self.running_count = 0


class NoFileError(Exception):
    """The URL is not valid, or its file has expired or is deleted, perhaps since its download began."""


@dataclass(frozen=True)
class Content:
    """The requested bytes of a file, read part by part."""

    download: Download
    positions: range
    load: DownloadLoad

    @property
    def numbers(self) -> range:
        """Return the numbers of the parts that contain the bytes."""
        return range(self.positions.start // PART_BYTES, files.count_parts(self.positions.stop))

    async def read(self, number: int) -> bytes:
        """Return the requested bytes of a part. Raises `NoFileError`."""
        async with self.load.slots:
            part = await self.download.read_part(number)
        if part is None:
            raise NoFileError
        offset = number * PART_BYTES
        return part[max(0, self.positions.start - offset) : self.positions.stop - offset]


@dataclass
class Transfer:
    """A response with content, whose first part was read before its head is sent."""

    status: int
    headers: dict[str, str]
    content: Content
    first_part: bytes

    async def send(self, receive: Receive, send: Send) -> None:
        """Send the content, and stop when the client disconnects. The client has read nearly all of a part before the next one is read."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        disconnected = asyncio.create_task(_wait_for_disconnect(receive))
        part, self.first_part = self.first_part, b""  # so that it is not kept until the end of the download
        try:
            for number in self.content.numbers:
                part = part or await self.content.read(number)
                for offset in range(0, len(part), CHUNK_BYTES):
                    await send({"type": "http.response.body", "body": part[offset : offset + CHUNK_BYTES], "more_body": True})
                # uvicorn blocks this while the write buffer is full, until the client reads or is disconnected by the send timeout.
                await send({"type": "http.response.body", "body": b"", "more_body": True})
                part = b""
                if disconnected.done():
                    return
            await send({"type": "http.response.body", "body": b""})
        finally:
            disconnected.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(frozen=True)
class DownloadEndpoint:
    """The endpoint, with the parts that do its work."""

    database: Database
    secrets: Sequence[bytes] = field(repr=False)
    load: DownloadLoad
    access_log: AccessLog
    health: Health
    rate_limiter: RateLimiter
    outgoing_budget: ByteBudget
    refusal_throttle: RefusalThrottle

    def build_route(self) -> Route:
        """Return the route of all paths below `/downloads/`, so that all of them get the same refusal."""
        route = Route(PATH, self, methods=["GET"])  # Starlette adds HEAD
        # Starlette's own pattern ignores a line break at the end of a path, and does not match a path with another one.
        route.path_regex = re.compile(rf"{files.PATH}(?P<signed>.*)\Z", re.DOTALL)
        return route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request. It is logged when its response begins."""
        start, request = perf_counter(), Request(scope, receive)
        record = AccessRecord(parse_trace_id(request.header(b"traceparent")), operation_name=OPERATION_NAME)
        with ExitStack() as stack:
            response = await self._answer(scope["path_params"]["signed"], request, record, stack)
            if record.error_codes == (ErrorCode.NOT_FOUND,):
                # Finding a file takes longer than rejecting a signature. Respond to both after the same time.
                await asyncio.sleep(max(0, start + NOT_FOUND_S - perf_counter()))
            response.headers["x-request-id"] = record.trace_id
            record.status = response.status if isinstance(response, Transfer) else response.status_code
            record.seconds = perf_counter() - start
            self.access_log.log(record)
            if isinstance(response, Transfer):
                await self._transfer(response, record, receive, send)
                return
        if record.error_codes:
            await self.refusal_throttle.wait_for_caller(None, request.address)
        await response(scope, receive, send)

    async def _answer(self, signed: str, request: Request, record: AccessRecord, stack: ExitStack) -> Response | Transfer:
        """Return the response. `stack` counts the bytes of a transfer until it ends."""
        try:
            return await self._open(signed, request, record, stack)
        except HttpError as error:
            return _refuse(error, record)
        except NoFileError:
            return _refuse(HttpError(ErrorCode.NOT_FOUND, NOT_FOUND), record)
        except asyncio.CancelledError:
            if not self.health.is_draining:
                raise
            return _refuse(HttpError(ErrorCode.UNAVAILABLE, SHUTTING_DOWN, {"retry-after": "1", "connection": "close"}), record)
        except Exception as exception:
            if (code_and_message := database_error(exception)) is None:
                raise
            return _refuse(HttpError(*code_and_message, headers={"retry-after": "1"}), record)

    async def _open(self, signed: str, request: Request, record: AccessRecord, stack: ExitStack) -> Response | Transfer:
        signed_file = files.verify_download(self.secrets, signed)
        if signed_file is None:
            raise NoFileError
        record.organization_id = signed_file.tenant
        # The limits count everybody who has the URL as one token.
        self.rate_limiter.account(Actor(signed_file.tenant, frozenset(), token_id=signed_file.file_id)).charge(BASE_COST)
        record.cost_requested = record.cost_actual = BASE_COST
        async with self.load.slots:
            download = await files.open_download(self.database, signed_file, record.query_stats)
        if download is None:
            raise NoFileError
        file, tag = download.file, f'"{download.file.id.hex}"'
        headers = {**HEADERS, "content-type": file.content_type, "content-disposition": attachment(file.name)}
        headers |= {"etag": tag, "accept-ranges": "bytes"}
        if has_current(", ".join(request.headers(b"if-none-match")), tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if request.method == "HEAD":
            return Response(headers={**headers, "content-length": str(file.size)})
        positions = _requested_positions(request, tag, file.size)
        if positions is not None:
            headers["content-range"] = f"bytes {positions.start}-{positions.stop - 1}/{file.size}"
        content = Content(download, range(file.size) if positions is None else positions, self.load)
        headers["content-length"] = str(len(content.positions))
        self._count_bytes(Actor(signed_file.tenant, frozenset()), content, stack)
        first_part = await content.read(content.numbers.start) if content.numbers else b""
        return Transfer(HTTPStatus.OK if positions is None else HTTPStatus.PARTIAL_CONTENT, headers, content, first_part)

    def _count_bytes(self, actor: Actor, content: Content, stack: ExitStack) -> None:
        """Count the part that the download holds. Raises `HttpError` if the organization or the server has too many unread bytes."""
        size = min(len(content.positions), PART_BYTES)
        if size > SMALL_BYTES:
            stack.enter_context(self.outgoing_budget.track(actor)).add_checked(size)

    async def _transfer(self, transfer: Transfer, record: AccessRecord, receive: Receive, send: Send) -> None:
        """Send the content. If that fails, close the connection, so that the client sees that the file is incomplete."""
        self.load.running_count += 1
        try:
            await transfer.send(receive, send)
        except NoFileError:
            _log_incomplete(logging.INFO, "the file was deleted or expired", record)
        except asyncio.CancelledError:
            if not self.health.is_draining:
                raise
            _log_incomplete(logging.INFO, "the server shuts down", record)
        except Exception as exception:
            if database_error(exception) is None:
                raise
            _log_incomplete(logging.WARNING, "the database failed", record)
        finally:
            self.load.running_count -= 1


def _refuse(error: HttpError, record: AccessRecord) -> Response:
    record.error_codes = (error.code,)
    return error_response(error, HEADERS)


def _requested_positions(request: Request, tag: str, size: int) -> range | None:
    """Return the positions of the requested range. None for the whole file: also if it is not the file that the client has a part of."""
    if_range = request.header(b"if-range")
    if if_range is not None and if_range.strip() != tag:
        return None
    return parse_range(", ".join(request.headers(b"range")), size)


def _log_incomplete(level: int, reason: str, record: AccessRecord) -> None:
    fields = {"trace_id": record.trace_id, "organization_id": record.organization_id, "reason": reason}
    write_event(level, "incomplete download", fields)
