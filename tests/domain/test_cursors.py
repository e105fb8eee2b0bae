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
POSITIONS = st.tuples(st.text() | st.integers(min_value=-(2**31), max_value=2**31) | MOMENTS, st.uuids())
CURSORS = Cursors([SECRET], TENANT)


@given(position=POSITIONS)
def test_cursor_round_trips(position: tuple[str | int | datetime, UUID]) -> None:
    """Whatever the value that is sorted by."""
    assert CURSORS.decode("order", CURSORS.encode("order", position)) == position


@given(position=POSITIONS, at=st.integers(min_value=0), to=st.characters(codec="ascii"))
def test_a_changed_cursor_is_refused(position: tuple[str | int | datetime, UUID], at: int, to: str) -> None:
    """One character is enough."""
    cursor = CURSORS.encode("order", position)
    changed = cursor[: at % len(cursor)] + to + cursor[at % len(cursor) + 1 :]
    assume(changed != cursor)
    with pytest.raises(BadInput):
        CURSORS.decode("order", changed)


@given(text=st.text())
def test_other_text_is_rejected(text: str) -> None:
    """With the code of bad input, never as a failure of the program."""
    with pytest.raises(BadInput) as raised_error:
        CURSORS.decode("order", text)
    assert raised_error.value.extensions == {"code": "BAD_USER_INPUT"}


def test_a_cursor_belongs_to_its_order_and_organization() -> None:
    """Of another order, tenant or secret it is refused."""
    cursor = CURSORS.encode("order", ("a", uuid4()))
    for stranger in (Cursors([SECRET], UUID(int=2)), Cursors([b"t" * 32], TENANT)):
        with pytest.raises(BadInput, match="The cursor is not valid"):
            stranger.decode("order", cursor)
    with pytest.raises(BadInput, match="belongs to the order `order`, not `other`"):
        CURSORS.decode("other", cursor)


def test_a_rotated_secret_still_verifies() -> None:
    """The first signs, all verify."""
    position = ("a", uuid4())
    rotated = Cursors([b"new" * 12, SECRET], TENANT)
    assert rotated.decode("order", CURSORS.encode("order", position)) == position
    assert rotated.encode("order", position) != CURSORS.encode("order", position)
    with pytest.raises(BadInput):
        CURSORS.decode("order", rotated.encode("order", position))
