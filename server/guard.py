"""The guard in front of the application: clients that are slow, broken or too many are answered, and let go, before they cost anything."""

import asyncio
import sys
from contextlib import suppress
from enum import Enum
from itertools import chain
from typing import Any, cast

import httptools
import orjson
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from server.addresses import TrustedProxies
from server.connections import Connections, TooMany
from server.door import Door
from server.errors import problem
from server.heads import check_host, values, without_upgrade
from server.refusals import ErrorCode, Unanswerable
from server.settings import Settings

MOST_HEADERS, MOST_HEADER_BYTES, MOST_URL_BYTES = 100, 16_384, 8_192
MOST_WAITING = 20  # requests sent ahead on one connection: each costs memory, and a few bytes are one
BODY_BYTES_PER_SECOND = 50_000
CONNECTION_REFUSAL_DELAY_S = 1.0
LINGER_S = 5  # for the client to take the last answer and to stop sending
TICK_S = 0.25  # a timer that rang too early is set again for no less
TOO_LONG = f"An address has at most {MOST_URL_BYTES} bytes."
TOO_LARGE = f"A request has at most {MOST_HEADERS} headers, and they have at most {MOST_HEADER_BYTES} bytes."
TOO_FAR_AHEAD = f"At most {MOST_WAITING} requests may wait on a connection."


class Owed(Enum):
    """What a client has begun and not finished."""

    HEAD = 1
    BODY = 2


class Guard(HttpToolsProtocol):
    """One connection. What the client owes has a deadline, kept by one timer; nothing is owed while we compute the answer.

    The timer is not moved as bytes come in: when it rings it looks how long there is still to wait, so a request that comes whole on a
    connection that was open costs no timer at all. A connection at rest is closed by uvicorn's own.
    """

    transport: Door

    def __init__(
        self,
        settings: Settings,
        open_connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self.headers = []
        self._settings = settings
        self._open_connections = open_connections
        self._host = ""
        self._is_silent = True
        self._owed: Owed | None = Owed.HEAD
        self._since = 0.0
        self._step = 0
        self._received = 0
        self._chunk = self._first = self._barren = 0
        self._refusal: Unanswerable | None = None
        self._timer: asyncio.TimerHandle | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Door(transport, self.leave, self.loop))
        self._since = self.transport.clock()
        self._host = self.client[0] if self.client else ""
        if why := self._open_connections.admit(self, self._host):
            self.refuse_connection(why)
        else:
            self._watch()

    def refuse_connection(self, why: TooMany) -> None:
        """Refuse the connection, of which nothing is read any more. Reset it in a flood.

        The answer comes late, so that a client that connects again as soon as it is refused does so once a second for each connection
        and not as fast as the worker can refuse: 1,100 sockets took two thirds of its CPU by that.
        """
        if why is TooMany.FLOOD:
            self.transport.abort()
            return
        self._refusal = Unanswerable(ErrorCode.UNAVAILABLE, why.value, {"retry-after": "1"})
        self._unwatch()
        self._timer = self.loop.call_later(CONNECTION_REFUSAL_DELAY_S, self._say, self._refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.forget(self)
        self._unwatch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends, and waits only for answers that are due."""
        if self.transport.is_left:
            self.transport.leave(is_client_sending=False)
        elif self.cycle is None or self.cycle.response_complete:
            self._owed = None
        super().shutdown()

    def leave(self) -> None:
        """Ends the connection, once the client has taken its answer; soon in any case."""
        if self.transport.is_closing():
            return
        if self._owed is not None:
            self.flow.resume_reading()
        self.transport.leave(is_client_sending=self._owed is not None)
        if not self.flow.write_paused:
            self._watch()

    # Requests

    def data_received(self, data: bytes) -> None:
        if self._refusal or self.transport.is_left:
            return
        if self._is_silent:
            self._is_silent = False
            self._open_connections.mark_active(self)
        step, self._chunk = self._step, len(data)
        self._barren += self._chunk
        try:
            while data:
                data = self._fed(data)
            if self._owed is not None:
                self._measured()
        except Unanswerable as why:
            self._refuse(why)
        except httptools.HttpParserError as wrong:
            found = wrong.__context__  # what was raised among the parser's calls
            self._refuse(found if isinstance(found, Unanswerable) else Unanswerable(ErrorCode.BAD_REQUEST, "This is not HTTP/1.1."))
        if self._step != step:
            self._stepped()

    def _stepped(self) -> None:
        """What the client owes by now is another thing than before."""
        if self._owed is not None:
            self._since = self.transport.clock()
        if not self.flow.write_paused and (self._owed is not None or self._timer is not None):
            self._watch()

    def _fed(self, data: bytes) -> bytes:
        """Parses, and gives what is to be parsed next."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            return self._without_upgrade() + data[offered.args[0] :]
        return b""

    def _without_upgrade(self) -> bytes:
        """The head of a request that offers another protocol, a WebSocket or HTTP/2, as if it did not.

        The parser has taken the offer, after which no body follows for it: it would read one as the next request.
        """
        first = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it: what follows the last request is ignored
        return without_upgrade(first, self.headers)

    def _measured(self) -> None:
        """Refuses what is too large in the part of a request that is kept as it comes in: its head, and what may follow its body."""
        if len(self.url) > MOST_URL_BYTES:
            raise Unanswerable(ErrorCode.URI_TOO_LONG, TOO_LONG)
        if len(self.headers) > MOST_HEADERS or self._barren > MOST_HEADER_BYTES + MOST_URL_BYTES:
            raise Unanswerable(ErrorCode.HEADERS_TOO_LARGE, TOO_LARGE)
        came = self._first + self._barren  # at least as much as there can be of headers, so that few are counted
        if came > MOST_HEADER_BYTES and sum(map(len, chain.from_iterable(self.headers))) > MOST_HEADER_BYTES:
            raise Unanswerable(ErrorCode.HEADERS_TOO_LARGE, TOO_LARGE)

    def on_message_begin(self) -> None:
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._first, self._barren = self._chunk, 0
        if self._owed is None:
            self._owed = Owed.HEAD
            self._step += 1

    def on_headers_complete(self) -> None:
        self._measured()
        names = [name for name, _ in self.headers]
        check_host(self.headers, names, self.parser.get_http_version)
        if b"x-forwarded-for" in names:
            self._identify_client()
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise Unanswerable(ErrorCode.BAD_REQUEST, "This is no proxy.")
            return
        if len(self.pipeline) >= MOST_WAITING:
            raise Unanswerable(ErrorCode.BAD_REQUEST, TOO_FAR_AHEAD)
        super().on_headers_complete()
        self.headers = []  # what may follow the body must not pass for a header
        self._owed, self._received = Owed.BODY, 0
        self._step += 1

    def _identify_client(self) -> None:
        """Find out for which client a trusted proxy sends the request."""
        if self._host not in self._open_connections.proxies:
            self._open_connections.proxies.warn_once(self._host)
        elif client := self._open_connections.proxies.client_of(values(self.headers, b"x-forwarded-for")):
            self.scope["client"] = (client, 0)

    def on_body(self, body: bytes) -> None:
        self._first, self._barren = self._chunk, 0
        if not self.cycle.response_complete:
            self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._owed = None
        self._step += 1
        super().on_message_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    # Answers

    def on_response_complete(self) -> None:
        is_last = not self.pipeline
        super().on_response_complete()
        if self._owed is not None:
            self._unset_keepalive_if_required()  # the connection does not rest: this request or the next is still coming in
        if self._refusal and is_last:
            self._say(self._refusal)

    def _refuse(self, why: Unanswerable) -> None:
        """Refuses the request that is coming in, after the answers that are due before. Nothing is understood after it."""
        self._refusal = why.with_traceback(None)  # which would keep what was received
        if self._owed is not Owed.BODY:
            is_due = self.cycle is not None and not self.cycle.response_complete
        elif self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
            is_due = True
        else:
            is_due = False
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not is_due:
            self._say(why)

    def _say(self, why: Unanswerable) -> None:
        if self._owed is not Owed.BODY or not self.cycle.response_started:
            self.transport.write(answer(why, self.server_state.default_headers))
        self.leave()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    # Deadlines

    def _watch(self) -> None:
        """Sets the timer to what is waited for now; to nothing while the application is to answer."""
        self._unwatch()
        if self.flow.write_paused:
            self._timer = self.loop.call_later(self._settings.unread_seconds, self.transport.abort)
        elif self.transport.is_left:
            self._timer = self.loop.call_later(LINGER_S, self.transport.abort)
        elif self._owed is not None and not self._refusal:
            self._timer = self.loop.call_later(max(self._left(), TICK_S), self._ring)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        if self._owed is None or self._refusal:
            return
        if self._left() > 0:
            self._watch()
        else:
            self._refuse(Unanswerable(ErrorCode.REQUEST_TIMEOUT, "The request took too long to arrive."))

    def _left(self) -> float:
        """How long the client still has for what it owes."""
        is_body = self._owed is Owed.BODY
        allowed = self._settings.body_seconds + self._received / BODY_BYTES_PER_SECOND if is_body else self._settings.header_seconds
        return self._since + allowed - self.transport.clock()


def answer(why: Unanswerable, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The whole answer to a request that never reaches the application, and the last on its connection."""
    body = orjson.dumps(problem(why.code, why.message))
    own = {"content-type": "application/json; charset=utf-8", "content-length": str(len(body)), "connection": "close", **why.headers}
    lines = {name: value for name, value in headers if name != b"connection"} | {name.encode(): text.encode() for name, text in own.items()}
    return b"".join((STATUS_LINE[why.status], *(b"%b: %b\r\n" % line for line in lines.items()), b"\r\n", body))


def guarded(settings: Settings) -> type[asyncio.Protocol]:
    """The guard as uvicorn makes one for each connection."""
    proxies = TrustedProxies(settings.trusted_proxies or ())
    open_connections = Connections(settings.max_connections, settings.connections_per_address, proxies)

    def made(**given: Any) -> Guard:  # noqa: ANN401 uvicorn's
        return Guard(settings, open_connections, **given)

    return cast("type[asyncio.Protocol]", made)


def open_files_allowed() -> None:
    """As many open files, thus connections, as the machine lets us have; it starts programs with fewer."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 not everywhere

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(ValueError, OSError):  # a limit of "none" is one that some systems give and do not take
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
