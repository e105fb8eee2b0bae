"""Compute the deadline of a connection: a state machine without input, output or timers."""

from enum import Enum, auto
from typing import NamedTuple

from server.settings import Settings

BODY_BYTES_PER_SECOND = 50_000
REFUSAL_DELAY_S = 1.0
LINGER_S = 5.0


class Phase(Enum):
    """Phase of a connection, which must end by its deadline."""

    HEAD = auto()  # the client sends the head of a request
    BODY = auto()  # the client sends the body of a request
    SEND = auto()  # the client reads what the server has written
    REFUSAL = auto()  # the delay before the response to a refused connection is over
    LINGER = auto()  # the client reads the last response and stops sending


CLOSING_PHASES = (Phase.REFUSAL, Phase.LINGER)


class Deadline(NamedTuple):
    """A time of the event loop's clock, in seconds, and the phase that has to end by then."""

    at: float
    phase: Phase


class ConnectionDeadlines:
    """Deadlines of one connection, from events and their times.

    The owner reports events and asks for the deadline when it sets its timer and when the timer fires. Bytes that arrive move a deadline
    but need no new timer: an early timer is set again. While the server computes a response there is no deadline.
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
        """Wait for the server: the request is complete, or is ignored from now on."""
        if self._phase not in CLOSING_PHASES:
            self._phase = None

    def pause_reading(self, now: float) -> None:
        """Stop the client's time for sending: the server does not read what it sends."""
        if self._reading_paused_at is None:
            self._reading_paused_at = now

    def resume_reading(self, now: float) -> None:
        self._start += self._unread_seconds(now)
        self._reading_paused_at = None

    def pause_writing(self, now: float) -> None:
        """Wait until the client reads: the write buffer is full. This deadline replaces that of the phase."""
        if self._writing_paused_at is None:
            self._writing_paused_at = now

    def resume_writing(self, now: float) -> None:
        """Return to the deadline of the phase. Lingering starts again, as the client has just read."""
        if self._phase is Phase.LINGER:
            self._start = now
        self._writing_paused_at = None

    def deadline(self, now: float) -> Deadline | None:
        """Return the deadline if nothing else happens, or None while the server is the one to act.

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
