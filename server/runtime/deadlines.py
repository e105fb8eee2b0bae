"""Deadlines of a connection: for sending the head and the body of a request, and for reading the responses."""

import asyncio
from abc import ABC, abstractmethod
from enum import Enum
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from server.errors import ErrorCode, HttpError
from server.runtime.transport import LingeringTransport
from server.settings import Settings

BODY_BYTES_PER_SECOND = 50_000
LINGER_S = 5  # for the client to take the last answer and to stop sending
MIN_TIMER_S = 0.25  # a timer that rang too early is set again for no less


class ReadPhase(Enum):
    """The part of a request that the client is sending."""

    HEAD = 1
    BODY = 2


class DeadlineProtocol(HttpToolsProtocol, ABC):
    """Watch the deadline of each read phase with one timer; there is none while the response is computed.

    The timer is not moved as bytes come in: when it fires, it computes the time that is left, so a request that arrives whole on an
    open connection costs no timer at all. An idle connection is closed by uvicorn's own.
    """

    # A base class and not an object beside the protocol: parsing reads and writes these attributes with each request.
    transport: LingeringTransport

    def __init__(
        self,
        settings: Settings,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._settings = settings
        self._read_phase: ReadPhase | None = ReadPhase.HEAD
        self._phase_start = 0.0
        self._body_bytes = 0
        self._refusal: HttpError | None = None
        self._timer: asyncio.TimerHandle | None = None

    @abstractmethod
    def _refuse(self, error: HttpError) -> None:
        """Refuse the request that is coming in."""

    def _on_phase_change(self) -> None:
        """Restart the deadline for a new read phase."""
        if self._read_phase is not None:
            self._phase_start = self.transport.clock()
        if not self.flow.write_paused and (self._read_phase is not None or self._timer is not None):
            self._set_timer()

    def _set_timer(self) -> None:
        """Set the timer to the current deadline; to none while the application computes a response."""
        self._cancel_timer()
        if self.flow.write_paused:
            self._timer = self.loop.call_later(self._settings.send_timeout, self.transport.abort)
        elif self.transport.is_lingering:
            self._timer = self.loop.call_later(LINGER_S, self.transport.abort)
        elif self._read_phase is not None and not self._refusal:
            self._timer = self.loop.call_later(max(self._remaining_seconds(), MIN_TIMER_S), self._on_deadline)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_deadline(self) -> None:
        if self._read_phase is None or self._refusal:
            return
        if self._remaining_seconds() > 0:
            self._set_timer()
        else:
            self._refuse(HttpError(ErrorCode.REQUEST_TIMEOUT, "The request took too long to arrive."))

    def _remaining_seconds(self) -> float:
        """Return the seconds that are left of the current read phase."""
        is_body = self._read_phase is ReadPhase.BODY
        timeout = self._settings.body_timeout + self._body_bytes / BODY_BYTES_PER_SECOND if is_body else self._settings.header_timeout
        return self._phase_start + timeout - self.transport.clock()
