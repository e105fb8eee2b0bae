"""Limit HTTP connections: respond to slow, broken and excess clients and disconnect them before they cost anything."""

import asyncio
from itertools import chain
from typing import Any, cast

import httptools
import orjson
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from server.errors import ErrorCode, HttpError
from server.http.error_masking import error_body
from server.ip_addresses import TrustedProxies
from server.runtime.connections import ConnectionLimiter, RefusalReason
from server.runtime.deadlines import ConnectionDeadlines, Phase
from server.runtime.request_head import check_host, header_values, remove_upgrade
from server.runtime.transport import LingeringTransport
from server.settings import Settings

MAX_HEADERS, MAX_HEADER_BYTES, MAX_URL_BYTES = 100, 16_384, 8_192
MAX_PIPELINED_REQUESTS = 20  # pipelined requests on one connection: each takes memory, and can be a few bytes long
MIN_TIMER_S = 0.25  # a timer that fired too early is set again for no less
CLOCK_RESOLUTION_S = 0.001  # uvloop's clock counts milliseconds, so a timer may fire that much too early
TOO_LONG = f"The URL has more than {MAX_URL_BYTES} bytes. Send the query in a POST."
TOO_LARGE = f"A request may have at most {MAX_HEADERS} headers with {MAX_HEADER_BYTES} bytes in total. Send fewer."
TOO_MANY_PIPELINED = f"At most {MAX_PIPELINED_REQUESTS} requests may wait on a connection. Read responses before you send more."


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection, with deadlines and with limits on the head of a request and on the number of connections.

    One timer serves all deadlines, and it is not moved as bytes arrive. So a request that arrives whole on an open connection costs no
    timer. uvicorn's own timer closes an idle connection.
    """

    transport: LingeringTransport
    _deadlines: ConnectionDeadlines

    def __init__(
        self,
        settings: Settings,
        connection_limiter: ConnectionLimiter,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self.headers = []
        self._settings = settings
        self._connection_limiter = connection_limiter
        self._timer: asyncio.TimerHandle | None = None
        self._refusal: HttpError | None = None
        self._host = ""
        self._is_silent = True
        self._read_phase: Phase | None = Phase.HEAD  # the part of a request that the client is sending
        self._phase_number = 0
        self._chunk_bytes = self._first_chunk_bytes = self._unparsed_bytes = 0

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._deadlines = ConnectionDeadlines(self._settings, self.loop.time())
        super().connection_made(LingeringTransport(transport, self.close_gracefully, self._deadlines, self.loop))
        self._host = self.client[0] if self.client else ""
        if reason := self._connection_limiter.admit(self, self._host):
            self.refuse_connection(reason)
        else:
            self._update_timer()

    def refuse_connection(self, reason: RefusalReason) -> None:
        """Refuse the connection and stop reading from it. Reset it in a flood.

        The response is delayed. Otherwise a client that connects again as soon as it is refused does so as fast as the worker can refuse,
        instead of once a second for each connection: 1,100 such sockets took two thirds of the worker's CPU.
        """
        if reason is RefusalReason.FLOOD:
            self.transport.abort()
            return
        self._refusal = HttpError(ErrorCode.UNAVAILABLE, reason.value, {"retry-after": "1"})
        self._deadlines.enter(Phase.REFUSAL, self.loop.time())
        self._update_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection_limiter.forget(self)
        self._cancel_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection after the responses that are due."""
        if self.transport.is_lingering:
            self.transport.linger(is_client_sending=False)
        elif self.cycle is None or self.cycle.response_complete:
            self._read_phase = None
        super().shutdown()

    def close_gracefully(self) -> None:
        """Close the connection once the client has read its response; soon in any case."""
        if self.transport.is_closing():
            return
        if self._read_phase is not None:
            self.flow.resume_reading()
        self.transport.linger(is_client_sending=self._read_phase is not None)
        self._deadlines.enter(Phase.LINGER, self.loop.time())
        self._update_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._deadlines.pause_writing(self.loop.time())
        self._update_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._deadlines.resume_writing(self.loop.time())
        self._update_timer()

    # The timer

    def _update_timer(self) -> None:
        """Set the timer to the current deadline, if there is one."""
        self._cancel_timer()
        now = self.loop.time()
        if deadline := self._deadlines.deadline(now):
            self._timer = self.loop.call_at(max(deadline.at, now + MIN_TIMER_S), self._on_timer)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        now = self.loop.time()
        deadline = self._deadlines.deadline(now)
        if deadline is None or deadline.at - now >= CLOCK_RESOLUTION_S:
            self._update_timer()
        elif deadline.phase in {Phase.SEND, Phase.LINGER}:
            self.transport.abort()
        elif deadline.phase is Phase.REFUSAL and self._refusal:
            self._write_error(self._refusal)
        else:
            self._refuse(HttpError(ErrorCode.REQUEST_TIMEOUT, "The request took too long to arrive. Send it again."))

    # Requests

    def data_received(self, data: bytes) -> None:
        if self._refusal or self.transport.is_lingering:
            return
        if self._is_silent:
            self._is_silent = False
            self._connection_limiter.mark_active(self)
        phase_number, self._chunk_bytes = self._phase_number, len(data)
        self._unparsed_bytes += self._chunk_bytes
        try:
            while data:
                data = self._feed_parser(data)
            if self._read_phase is not None:
                self._check_head_size()
        except HttpError as error:
            self._refuse(error)
        except httptools.HttpParserError as parser_error:
            cause = parser_error.__context__  # the error that a callback of the parser raised, if any
            self._refuse(cause if isinstance(cause, HttpError) else HttpError(ErrorCode.BAD_REQUEST, "The request is not valid HTTP/1.1."))
        if self._phase_number != phase_number and not self._refusal:
            if self._read_phase is None:
                self._deadlines.await_response()
            else:
                self._deadlines.enter(self._read_phase, self.loop.time())
            if self._read_phase is not None or self._timer is not None:
                self._update_timer()

    def _feed_parser(self, data: bytes) -> bytes:
        """Parse data, and return the data to parse next."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._restart_without_upgrade() + data[upgrade.args[0] :]
        return b""

    def _restart_without_upgrade(self) -> bytes:
        """Replace the parser, and return the head of the request without its offer to upgrade to WebSocket or HTTP/2.

        The old parser has accepted the offer and expects no body, so it would parse the body as the next request.
        """
        request_line = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does: data after the last request is ignored
        return remove_upgrade(request_line, self.headers)

    def _check_head_size(self) -> None:
        """Reject a head that is too large. Trailers after the body count as well, since uvicorn stores them like headers."""
        if len(self.url) > MAX_URL_BYTES:
            raise HttpError(ErrorCode.URI_TOO_LONG, TOO_LONG)
        if len(self.headers) > MAX_HEADERS or self._unparsed_bytes > MAX_HEADER_BYTES + MAX_URL_BYTES:
            raise HttpError(ErrorCode.HEADERS_TOO_LARGE, TOO_LARGE)
        head_bytes = (
            self._first_chunk_bytes + self._unparsed_bytes
        )  # an upper bound of the header bytes, so that the exact sum is rarely needed
        if head_bytes > MAX_HEADER_BYTES and sum(map(len, chain.from_iterable(self.headers))) > MAX_HEADER_BYTES:
            raise HttpError(ErrorCode.HEADERS_TOO_LARGE, TOO_LARGE)

    def on_message_begin(self) -> None:
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._first_chunk_bytes, self._unparsed_bytes = self._chunk_bytes, 0
        if self._read_phase is None:
            self._read_phase = Phase.HEAD
            self._phase_number += 1

    def on_headers_complete(self) -> None:
        self._check_head_size()
        names = [name for name, _ in self.headers]
        check_host(self.headers, names, self.parser.get_http_version)
        if b"x-forwarded-for" in names:
            self._identify_client()
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise HttpError(ErrorCode.BAD_REQUEST, "This server is not a proxy.")
            return
        if len(self.pipeline) >= MAX_PIPELINED_REQUESTS:
            raise HttpError(ErrorCode.BAD_REQUEST, TOO_MANY_PIPELINED)
        super().on_headers_complete()
        self.headers = []  # so that trailers after the body are not taken for headers
        self._read_phase, self._deadlines.body_bytes = Phase.BODY, 0
        self._phase_number += 1

    def _identify_client(self) -> None:
        """Set the client's address to the one that a trusted proxy names."""
        if self._host not in self._connection_limiter.proxies:
            self._connection_limiter.proxies.warn_once(self._host)
        elif client := self._connection_limiter.proxies.find_client(header_values(self.headers, b"x-forwarded-for")):
            self.scope["client"] = (client, 0)

    def on_body(self, body: bytes) -> None:
        self._first_chunk_bytes, self._unparsed_bytes = self._chunk_bytes, 0
        if not self.cycle.response_complete:
            self._deadlines.body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._read_phase = None
        self._phase_number += 1
        super().on_message_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    # Responses

    def on_response_complete(self) -> None:
        is_last = not self.pipeline
        super().on_response_complete()
        if self._read_phase is not None:
            self._unset_keepalive_if_required()  # the connection is not idle: this request or the next one is still arriving
        if self._refusal and is_last:
            self._write_error(self._refusal)

    def _refuse(self, error: HttpError) -> None:
        """Reject the request that is arriving, after the responses to earlier requests. Ignore all data that follows."""
        self._refusal = error.with_traceback(None)  # a traceback would keep the received data in memory
        self._deadlines.await_response()
        if self._read_phase is not Phase.BODY:
            is_due = self.cycle is not None and not self.cycle.response_complete
        elif self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
            is_due = True
        else:
            is_due = False
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not is_due:
            self._write_error(error)

    def _write_error(self, error: HttpError) -> None:
        if self._read_phase is not Phase.BODY or not self.cycle.response_started:
            self.transport.write(encode_error(error, self.server_state.default_headers))
        self.close_gracefully()


def encode_error(error: HttpError, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Encode the error response to a request that does not reach the application. It is the last one on its connection."""
    body = orjson.dumps(error_body(error.code, error.message))
    own_headers = {
        "content-type": "application/json; charset=utf-8",
        "content-length": str(len(body)),
        "connection": "close",
        **error.headers,
    }
    lines = {name: value for name, value in headers if name != b"connection"} | {
        name.encode(): text.encode() for name, text in own_headers.items()
    }
    return b"".join((STATUS_LINE[error.status], *(b"%b: %b\r\n" % line for line in lines.items()), b"\r\n", body))


def protocol_factory(settings: Settings) -> type[asyncio.Protocol]:
    """Return the factory that uvicorn calls for each connection."""
    proxies = TrustedProxies(settings.trusted_proxies or ())
    connection_limiter = ConnectionLimiter(settings.max_connections, settings.connections_per_address, proxies)

    def create_protocol(**arguments: Any) -> LimitedHttpProtocol:  # noqa: ANN401 uvicorn's
        return LimitedHttpProtocol(settings, connection_limiter, **arguments)

    return cast("type[asyncio.Protocol]", create_protocol)
