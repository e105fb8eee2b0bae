"""Compute the deadline of a connection, as a state machine that does no I/O and sets no timers."""

from enum import Enum, auto
from typing import NamedTuple

from server.settings import Settings

BODY_BYTES_PER_SECOND = 50_000
REFUSAL_DELAY_S = 1.0
LINGER_S = 5.0


class Phase(Enum):
    """Phase of a connection, which must end by its deadline."""

    HEAD = auto()  # the client sends the request line and the headers
    BODY = auto()  # the client sends the body of a request
    SEND = auto()  # the client reads what the server has written
    REFUSAL = auto()  # the response to a refused connection is delayed
    LINGER = auto()  # the client reads the last response and stops sending


CLOSING_PHASES = (Phase.REFUSAL, Phase.LINGER)


class Deadline(NamedTuple):
    """A time of the event loop's clock, in seconds, and the phase that has to end by then."""

    at: float
    phase: Phase


class ConnectionDeadlines:
    """Deadlines of one connection, computed from events and their times.

    The connection's protocol reports the events. It asks for the deadline when it sets its timer, and again when the timer fires: if bytes
    that arrived meanwhile have moved the deadline, it sets the timer again. While the server computes a response, there is no deadline.
    """

    __slots__ = ("_phase", "_reading_paused_at", "_settings", "_start", "_writing_paused_at", "body_bytes")

    def __init__(self, settings: Settings, now: float) -> None:
        """Wait for the head of the first request on a new connection."""
        self.body_bytes = 0  # received of the current body; the owner adds to it, as a call for each piece would cost more
        self._settings = settings
        self._phase: Phase | None = Phase.HEAD
        self._start = now
        self._reading_paused_at: float | None = None
        self._writing_paused_at: float | None = None

    def enter(self, phase: Phase, now: float) -> None:
        """Start a phase. Only `LINGER` can follow `REFUSAL`, and no phase can follow `LINGER`."""
        if self._phase not in CLOSING_PHASES or (phase is Phase.LINGER and self._phase is Phase.REFUSAL):
            self._phase, self._start = phase, now

    def await_response(self) -> None:
        """Drop the deadline while the server works: the request is complete, or the rest of it is ignored."""
        if self._phase not in CLOSING_PHASES:
            self._phase = None

    def pause_reading(self, now: float) -> None:
        """Stop the time that the client has for sending, because the server has stopped reading."""
        if self._reading_paused_at is None:
            self._reading_paused_at = now

    def resume_reading(self, now: float) -> None:
        self._start += self._unread_seconds(now)
        self._reading_paused_at = None

    def pause_writing(self, now: float) -> None:
        """Replace the deadline of the phase by one for the client to read, because the write buffer is full."""
        if self._writing_paused_at is None:
            self._writing_paused_at = now

    def resume_writing(self, now: float) -> None:
        """Return to the deadline of the phase. Lingering starts again, as the client has just read."""
        if self._phase is Phase.LINGER:
            self._start = now
        self._writing_paused_at = None

    def deadline(self, now: float) -> Deadline | None:
        """Return the deadline that holds if no other event occurs, or None while the server computes a response.

        While reading is paused, the deadline moves on with `now`.
        """
        if self._writing_paused_at is not None:
            return Deadline(self._writing_paused_at + self._settings.send_timeout, Phase.SEND)
        if self._phase is None:
            return None
        return Deadline(self._start + self._timeout(self._phase) + self._unread_seconds(now), self._phase)

    def _timeout(self, phase: Phase) -> float:
        if phase is Phase.HEAD:
            return self._settings.header_timeout
        if phase is Phase.BODY:
            return self._settings.body_timeout + self.body_bytes / BODY_BYTES_PER_SECOND
        return REFUSAL_DELAY_S if phase is Phase.REFUSAL else LINGER_S

    def _unread_seconds(self, now: float) -> float:
        """Return how long reading has been paused in the current phase; 0 in phases in which the client need not send."""
        if self._reading_paused_at is None or self._phase not in {Phase.HEAD, Phase.BODY}:
            return 0.0
        return now - max(self._reading_paused_at, self._start)
