"""Cursors come back as they were given out, to whom they were given, or not at all."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.core.cursors import Cursors
from domain.core.errors import BadInput

SECRET, TENANT = b"s" * 32, UUID(int=1)
MOMENTS = st.datetimes(timezones=st.just(UTC))
PLACES = st.tuples(st.text() | st.integers(min_value=-(2**31), max_value=2**31) | MOMENTS, st.uuids())
OURS = Cursors([SECRET], TENANT)


@given(place=PLACES)
def test_a_cursor_is_read_as_it_was_written(place: tuple[str | int | datetime, UUID]) -> None:
    """Whatever the value that is sorted by."""
    assert OURS.decode("order", OURS.encode("order", place)) == place


@given(place=PLACES, at=st.integers(min_value=0), to=st.characters(codec="ascii"))
def test_a_changed_cursor_is_refused(place: tuple[str | int | datetime, UUID], at: int, to: str) -> None:
    """One character is enough."""
    cursor = OURS.encode("order", place)
    changed = cursor[: at % len(cursor)] + to + cursor[at % len(cursor) + 1 :]
    assume(changed != cursor)
    with pytest.raises(BadInput):
        OURS.decode("order", changed)


@given(text=st.text())
def test_anything_else_is_refused(text: str) -> None:
    """With the code of bad input, never as a failure of the program."""
    with pytest.raises(BadInput) as refused:
        OURS.decode("order", text)
    assert refused.value.extensions == {"code": "BAD_USER_INPUT"}


def test_a_cursor_belongs_to_its_order_and_organization() -> None:
    """Of another order, tenant or secret it is refused."""
    cursor = OURS.encode("order", ("a", uuid4()))
    for stranger in (Cursors([SECRET], UUID(int=2)), Cursors([b"t" * 32], TENANT)):
        with pytest.raises(BadInput, match="not one of ours"):
            stranger.decode("order", cursor)
    with pytest.raises(BadInput, match="belongs to the order order, not to other"):
        OURS.decode("other", cursor)


def test_a_rotated_secret_still_verifies() -> None:
    """The first signs, all verify."""
    place = ("a", uuid4())
    rotated = Cursors([b"new" * 12, SECRET], TENANT)
    assert rotated.decode("order", OURS.encode("order", place)) == place
    assert rotated.encode("order", place) != OURS.encode("order", place)
    with pytest.raises(BadInput):
        OURS.decode("order", rotated.encode("order", place))
