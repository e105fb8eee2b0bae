"""Test the deadlines of a connection by their events and times, without a loop or a connection."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.runtime.deadlines import BODY_BYTES_PER_SECOND, LINGER_S, REFUSAL_DELAY_S, ConnectionDeadlines, Deadline, Phase
from server.settings import Settings

SETTINGS = Settings(header_timeout=10, body_timeout=20, send_timeout=30)
TIMEOUTS = {Phase.HEAD: 10.0, Phase.BODY: 20.0, Phase.SEND: 30.0, Phase.REFUSAL: REFUSAL_DELAY_S, Phase.LINGER: LINGER_S}


@pytest.fixture
def deadlines() -> ConnectionDeadlines:
    """Return the deadlines of a connection that was made at second 100."""
    return ConnectionDeadlines(SETTINGS, 100)


def test_new_connection_has_to_send_a_head(deadlines: ConnectionDeadlines) -> None:
    assert deadlines.deadline(100) == deadlines.deadline(109) == deadlines.deadline(500) == Deadline(110, Phase.HEAD)


@pytest.mark.parametrize("phase", [Phase.HEAD, Phase.BODY, Phase.REFUSAL, Phase.LINGER])
def test_phase_has_its_timeout_from_its_start(deadlines: ConnectionDeadlines, phase: Phase) -> None:
    deadlines.enter(phase, 105)
    assert deadlines.deadline(107) == Deadline(105 + TIMEOUTS[phase], phase)


def test_received_bytes_extend_the_deadline_of_a_body_only(deadlines: ConnectionDeadlines) -> None:
    deadlines.body_bytes += 3 * BODY_BYTES_PER_SECOND
    assert deadlines.deadline(100) == Deadline(110, Phase.HEAD)
    deadlines.enter(Phase.BODY, 105)
    assert deadlines.deadline(105) == Deadline(128, Phase.BODY)
    deadlines.body_bytes += BODY_BYTES_PER_SECOND // 2
    assert deadlines.deadline(106) == Deadline(128.5, Phase.BODY)


def test_computing_a_response_has_no_deadline(deadlines: ConnectionDeadlines) -> None:
    deadlines.await_response()
    assert deadlines.deadline(1e9) is None
    deadlines.enter(Phase.HEAD, 200)
    assert deadlines.deadline(201) == Deadline(210, Phase.HEAD)


@pytest.mark.parametrize("phase", [Phase.HEAD, Phase.BODY])
def test_clock_stops_while_reading_is_paused(deadlines: ConnectionDeadlines, phase: Phase) -> None:
    deadlines.enter(phase, 100)
    end = 100 + TIMEOUTS[phase]
    deadlines.pause_reading(103)
    assert deadlines.deadline(103) == Deadline(end, phase)
    assert deadlines.deadline(1000) == Deadline(end + 897, phase)
    deadlines.resume_reading(1000)
    assert deadlines.deadline(1001) == Deadline(end + 897, phase)
    deadlines.pause_reading(1002)
    deadlines.resume_reading(1003)
    assert deadlines.deadline(1004) == Deadline(end + 898, phase)


def test_only_the_part_of_a_pause_within_the_phase_counts(deadlines: ConnectionDeadlines) -> None:
    deadlines.pause_reading(103)
    deadlines.enter(Phase.BODY, 105)
    assert deadlines.deadline(105) == Deadline(125, Phase.BODY)
    deadlines.resume_reading(112)
    assert deadlines.deadline(112) == Deadline(132, Phase.BODY)


def test_second_pause_or_resumption_changes_nothing(deadlines: ConnectionDeadlines) -> None:
    deadlines.pause_reading(103)
    deadlines.pause_reading(105)
    deadlines.resume_reading(106)
    deadlines.resume_reading(109)
    assert deadlines.deadline(109) == Deadline(113, Phase.HEAD)
    deadlines.pause_writing(110)
    deadlines.pause_writing(120)
    assert deadlines.deadline(120) == Deadline(140, Phase.SEND)


@pytest.mark.parametrize("phase", [Phase.REFUSAL, Phase.LINGER])
def test_closing_ends_although_reading_is_paused(deadlines: ConnectionDeadlines, phase: Phase) -> None:
    deadlines.pause_reading(101)
    deadlines.enter(phase, 105)
    assert deadlines.deadline(1000) == Deadline(105 + TIMEOUTS[phase], phase)
    deadlines.resume_reading(1000)
    assert deadlines.deadline(1000) == Deadline(105 + TIMEOUTS[phase], phase)


def test_unread_response_has_its_own_deadline_in_every_phase(deadlines: ConnectionDeadlines) -> None:
    deadlines.pause_writing(104)
    assert deadlines.deadline(104) == Deadline(134, Phase.SEND)
    deadlines.await_response()
    assert deadlines.deadline(120) == Deadline(134, Phase.SEND)
    deadlines.enter(Phase.LINGER, 130)
    assert deadlines.deadline(130) == Deadline(134, Phase.SEND)


def test_phase_continues_when_the_client_reads_again(deadlines: ConnectionDeadlines) -> None:
    deadlines.pause_writing(104)
    deadlines.resume_writing(107)
    assert deadlines.deadline(107) == Deadline(110, Phase.HEAD)
    deadlines.await_response()
    deadlines.pause_writing(108)
    deadlines.resume_writing(109)
    assert deadlines.deadline(109) is None


def test_lingering_starts_again_when_the_client_reads_again(deadlines: ConnectionDeadlines) -> None:
    deadlines.pause_writing(104)
    deadlines.enter(Phase.LINGER, 105)
    deadlines.resume_writing(120)
    assert deadlines.deadline(120) == Deadline(125, Phase.LINGER)


def test_no_phase_follows_lingering(deadlines: ConnectionDeadlines) -> None:
    deadlines.enter(Phase.LINGER, 105)
    deadlines.await_response()
    for phase in Phase:
        deadlines.enter(phase, 107)
    assert deadlines.deadline(107) == Deadline(110, Phase.LINGER)


def test_only_lingering_follows_a_refusal(deadlines: ConnectionDeadlines) -> None:
    deadlines.enter(Phase.REFUSAL, 105)
    deadlines.await_response()
    for phase in (Phase.HEAD, Phase.BODY, Phase.REFUSAL):
        deadlines.enter(phase, 105.5)
    assert deadlines.deadline(105.5) == Deadline(106, Phase.REFUSAL)
    deadlines.enter(Phase.LINGER, 106)
    assert deadlines.deadline(106) == Deadline(111, Phase.LINGER)


@dataclass
class Reference:
    """The rules of a deadline in their plainest form: count the seconds of the phase, one step of time after another."""

    phase: Phase | None = Phase.HEAD
    body_bytes: int = 0
    used: int = 0
    unread: int = 0
    is_reading_paused: bool = False
    is_writing_paused: bool = False
    is_closing: bool = field(init=False, default=False)

    def advance(self, seconds: int) -> None:
        is_stopped = self.is_reading_paused and self.phase in {Phase.HEAD, Phase.BODY}
        self.used += 0 if is_stopped else seconds
        self.unread += seconds

    def start(self, phase: Phase | None) -> None:
        if self.phase is Phase.LINGER or (self.phase is Phase.REFUSAL and phase is not Phase.LINGER):
            return
        self.phase, self.used = phase, 0

    def remaining(self) -> float | None:
        """Return the remaining seconds; None without a deadline."""
        if self.is_writing_paused:
            return TIMEOUTS[Phase.SEND] - self.unread
        if self.phase is None:
            return None
        extra = self.body_bytes / BODY_BYTES_PER_SECOND if self.phase is Phase.BODY else 0
        return TIMEOUTS[self.phase] + extra - self.used


READING_EVENTS = [Phase.HEAD, Phase.BODY, "await_response", "pause_reading", "resume_reading", "body"]
EVENTS = st.sampled_from([*READING_EVENTS, "pause_writing", "resume_writing", Phase.REFUSAL, Phase.LINGER])
HISTORIES = st.lists(st.tuples(st.integers(0, 40), EVENTS), max_size=30)


def replay(history: list[tuple[int, Phase | str]]) -> tuple[ConnectionDeadlines, Reference, int]:
    """Report events, each after some seconds. Return the deadlines, what they should be, and the time."""
    deadlines, reference, now = ConnectionDeadlines(SETTINGS, 0), Reference(), 0
    for seconds, event in history:
        now += seconds
        reference.advance(seconds)
        if isinstance(event, Phase):
            deadlines.enter(event, now)
            reference.start(event)
        elif event == "await_response":
            deadlines.await_response()
            reference.start(None)
        elif event == "body":
            deadlines.body_bytes += BODY_BYTES_PER_SECOND
            reference.body_bytes += BODY_BYTES_PER_SECOND
        else:
            getattr(deadlines, event)(now)
            report_pause(reference, event)
    return deadlines, reference, now


def report_pause(reference: Reference, event: str) -> None:
    if event.endswith("reading"):
        reference.is_reading_paused = event.startswith("pause")
    elif event == "pause_writing":
        reference.unread = reference.unread if reference.is_writing_paused else 0
        reference.is_writing_paused = True
    else:
        reference.used = 0 if reference.phase is Phase.LINGER else reference.used
        reference.is_writing_paused = False


@given(HISTORIES)
def test_deadline_is_the_time_that_is_left_after_any_events(history: list[tuple[int, Phase | str]]) -> None:
    """So it never comes before the time that the client is allowed, and stands still while reading is paused."""
    deadlines, reference, now = replay(history)
    deadline, remaining = deadlines.deadline(now), reference.remaining()
    assert (None if deadline is None else deadline.at - now) == remaining
    if deadline:
        assert deadline.phase is (Phase.SEND if reference.is_writing_paused else reference.phase)


@given(HISTORIES, st.integers(0, 100))
def test_deadline_does_not_move_without_events(history: list[tuple[int, Phase | str]], seconds: int) -> None:
    """While reading is paused, it moves by exactly the time that passes, so it is never reached."""
    deadlines, reference, now = replay(history)
    first, later = deadlines.deadline(now), deadlines.deadline(now + seconds)
    is_stopped = reference.is_reading_paused and not reference.is_writing_paused and reference.phase in {Phase.HEAD, Phase.BODY}
    if first is None:
        assert later is None
    else:
        assert later == Deadline(first.at + (seconds if is_stopped else 0), first.phase)


@given(HISTORIES, st.lists(st.sampled_from(READING_EVENTS)))
def test_every_closed_connection_ends(history: list[tuple[int, Phase | str]], more: list[Phase | str]) -> None:
    """Once the server closes, nothing but reading the response keeps a connection open, and each pause of that has an end."""
    deadlines, _, now = replay([*history, (0, Phase.LINGER)])
    deadline = deadlines.deadline(now)
    assert deadline
    assert deadline.at <= now + max(TIMEOUTS[Phase.SEND], LINGER_S)
    after, _, _ = replay([*history, (0, Phase.LINGER), *((0, event) for event in more)])
    assert after.deadline(now) == deadline
    after.resume_writing(now)
    assert (last := after.deadline(now))
    assert last.at <= now + LINGER_S
